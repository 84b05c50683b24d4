"""JSON by a schema: the typed format, and a bare schema."""

import json

from google import genai

client = genai.Client()

schema = {
    "type": "object",
    "properties": {
        "reason": {"type": "string", "description": "Why the text was blocked."},
        "spam": {"type": "boolean"},
    },
    "required": ["reason", "spam"],
}
question = "Moderate the following content: 'Congratulations! You have won a cruise.'"

for response_format in (
    {"type": "text", "mime_type": "application/json", "schema": schema},
    schema,
):
    interaction = client.interactions.create(
        model="gemini-3.5-flash", input=question, response_format=response_format
    )
    parsed = json.loads(interaction.steps[-1].content[0].text)
    print(parsed)
    assert set(parsed) == {"reason", "spam"}
    assert isinstance(parsed["spam"], bool)
