"""A bare JSON schema beside response_mime_type."""

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
interaction = client.interactions.create(
    model="gemini-2.5-flash",
    input="Moderate the following content: 'Congratulations! You have won a cruise.'",
    response_format=schema,
    response_mime_type="application/json",
)
parsed = json.loads(interaction.outputs[-1].text)
print(parsed)
assert set(parsed) == {"reason", "spam"}
assert isinstance(parsed["spam"], bool)
