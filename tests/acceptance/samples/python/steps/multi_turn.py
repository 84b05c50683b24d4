"""A conversation kept by the server, and one kept by the client as steps."""

from google import genai

client = genai.Client()
MODEL = "gemini-3.5-flash"

first = client.interactions.create(model=MODEL, input="Hi, my name is Phil.")
second = client.interactions.create(
    model=MODEL, input="What is my name?", previous_interaction_id=first.id
)
print(second.steps[-1].content[0].text)
assert second.usage.total_input_tokens > first.usage.total_input_tokens

question = {"type": "user_input", "content": [{"type": "text", "text": "Three cities in Spain?"}]}
third = client.interactions.create(model=MODEL, input=[question], store=False)
answer = [step.model_dump(mode="json", exclude_none=True) for step in third.steps]
fourth = client.interactions.create(
    model=MODEL,
    input=[
        question,
        *answer,
        {"type": "user_input", "content": [{"type": "text", "text": "And their landmarks?"}]},
    ],
)
print(fourth.steps[-1].content[0].text)
assert fourth.steps[-1].content[0].text == "And their landmarks?"
assert fourth.usage.total_input_tokens > third.usage.total_input_tokens

contents = client.interactions.create(
    model=MODEL,
    input=[{"type": "text", "text": "First part."}, {"type": "text", "text": "Second part."}],
)
assert contents.steps[-1].content[0].text == "First part. Second part."
