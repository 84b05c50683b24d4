"""One question, one answer, read from `outputs`; the same by GET."""

from google import genai

client = genai.Client()

interaction = client.interactions.create(
    model="gemini-2.5-flash",
    input="Tell me a short joke about programming.",
)
print(interaction.outputs[-1].text)

assert interaction.status == "completed"
assert interaction.role == "model"
assert [content.type for content in interaction.outputs] == ["text"]
assert interaction.outputs[-1].text == "Tell me a short joke about programming."
assert interaction.usage.total_output_tokens == 7

again = client.interactions.get(interaction.id)
assert again.id == interaction.id
assert [content.text for content in again.outputs] == [interaction.outputs[-1].text]
assert again.usage.total_tokens == interaction.usage.total_tokens
