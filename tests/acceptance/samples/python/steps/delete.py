"""A stored interaction, deleted for good."""

from google import genai

client = genai.Client()

interaction = client.interactions.create(model="gemini-3.5-flash", input="Forget me.")
assert client.interactions.get(interaction.id).id == interaction.id
client.interactions.delete(interaction.id)
try:
    client.interactions.get(interaction.id)
    status = 200
except Exception as error:  # noqa: BLE001 - each version has exceptions of its own
    status = getattr(error, "status_code", None)
assert status == 404
