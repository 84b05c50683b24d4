"""One question, one answer, read from `steps`; the same by GET, with the input in front."""

from google import genai

client = genai.Client()

interaction = client.interactions.create(
    model="gemini-3.5-flash",
    input="Tell me a short joke about programming.",
)
print(interaction.steps[-1].content[0].text)

assert interaction.status == "completed"
assert interaction.model == "gemini-3.5-flash"
assert [step.type for step in interaction.steps] == ["model_output"]
assert interaction.steps[-1].content[0].text == "Tell me a short joke about programming."
assert interaction.usage.total_output_tokens == 7

again = client.interactions.get(interaction.id)
assert again.id == interaction.id
assert [step.type for step in again.steps] == ["user_input", "model_output"]
assert again.steps[-1].content[0].text == interaction.steps[-1].content[0].text

if hasattr(interaction, "output_text"):
    assert interaction.output_text == again.output_text == interaction.steps[-1].content[0].text
