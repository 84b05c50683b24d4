"""A run behind, cancelled while it runs."""

from google import genai

client = genai.Client()

running = client.interactions.create(model="slow", input="word " * 600, background=True)
cancelled = client.interactions.cancel(running.id)
assert cancelled.status == "cancelled"
assert client.interactions.get(running.id).status == "cancelled"
