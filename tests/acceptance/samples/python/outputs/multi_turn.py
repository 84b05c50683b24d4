"""A conversation kept by the server, and one kept by the client as turns."""

from google import genai

client = genai.Client()
MODEL = "gemini-2.5-flash"

first = client.interactions.create(model=MODEL, input="Hi, my name is Phil.")
second = client.interactions.create(
    model=MODEL, input="What is my name?", previous_interaction_id=first.id
)
print(second.outputs[-1].text)
assert second.previous_interaction_id == first.id
assert second.usage.total_input_tokens > first.usage.total_input_tokens

history = [{"role": "user", "content": "What are the three largest cities in Spain?"}]
third = client.interactions.create(model=MODEL, input=history)
history.append({"role": "model", "content": third.outputs})
history.append({"role": "user", "content": [{"type": "text", "text": "And their landmarks?"}]})
fourth = client.interactions.create(model=MODEL, input=history)
print(fourth.outputs[-1].text)
assert fourth.outputs[-1].text == "And their landmarks?"
assert fourth.usage.total_input_tokens > third.usage.total_input_tokens
assert [content.type for content in client.interactions.get(fourth.id).outputs] == ["text"]
