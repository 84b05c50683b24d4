"""A stream of steps, thoughts first."""

from google import genai

client = genai.Client()

stream = client.interactions.create(
    model="gemini-3.5-flash",
    input="Explain quantum entanglement in simple terms.",
    generation_config={"thinking_level": "low", "thinking_summaries": "auto"},
    stream=True,
)

names, kinds, text, thought, signatures, created, completed = [], [], "", "", [], None, None
for event in stream:
    names.append(event.event_type)
    if event.event_type == "interaction.created":
        created = event.interaction
    elif event.event_type == "step.start":
        assert event.index == len(kinds)
        kinds.append(event.step.type)
    elif event.event_type == "step.delta":
        if event.delta.type == "text":
            text += event.delta.text
        elif event.delta.type == "thought_summary":
            thought += event.delta.content.text
        elif event.delta.type == "thought_signature":
            signatures.append(event.delta.signature)
    elif event.event_type == "interaction.completed":
        completed = event.interaction
print(thought, text, sep="\n")

assert text == "Explain quantum entanglement in simple terms."
assert thought == "Thinking about: Explain quantum entanglement in simple terms."
assert len(signatures) == 1
assert kinds == ["thought", "model_output"]
assert names[0] == "interaction.created"
assert names[-1] == "interaction.completed"
assert names.count("step.stop") == 2
assert created.id == completed.id
assert completed.status == "completed"
assert completed.usage.total_tokens > 0

whole = client.interactions.get(created.id)
assert [step.type for step in whole.steps] == ["user_input", "thought", "model_output"]
assert whole.steps[1].signature == signatures[0]
assert whole.steps[1].summary[0].text == thought
assert whole.steps[2].content[0].text == text
