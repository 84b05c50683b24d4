"""A stream of contents, thoughts first."""

from google import genai

client = genai.Client()

stream = client.interactions.create(
    model="gemini-2.5-flash",
    input="Explain quantum entanglement in simple terms.",
    generation_config={"thinking_level": "low", "thinking_summaries": "auto"},
    stream=True,
)

names, text, thought, signatures, started, complete = [], "", "", [], None, None
for chunk in stream:
    names.append(chunk.event_type)
    if chunk.event_type == "interaction.start":
        started = chunk.interaction
    elif chunk.event_type == "content.start":
        assert chunk.index == len([name for name in names if name == "content.start"]) - 1
    elif chunk.event_type == "content.delta":
        if chunk.delta.type == "text":
            assert chunk.index == 1
            text += chunk.delta.text
        elif chunk.delta.type == "thought_summary":
            assert chunk.index == 0
            thought += chunk.delta.content.text
        elif chunk.delta.type == "thought_signature":
            signatures.append(chunk.delta.signature)
    elif chunk.event_type == "interaction.complete":
        complete = chunk.interaction
print(thought, text, sep="\n")

assert text == "Explain quantum entanglement in simple terms."
assert thought == "Thinking about: Explain quantum entanglement in simple terms."
assert len(signatures) == 1
assert names[0] == "interaction.start"
assert names[-1] == "interaction.complete"
assert names.count("content.start") == names.count("content.stop") == 2
assert started.status == "in_progress"
assert started.id == complete.id
assert complete.status == "completed"
assert complete.usage.total_tokens > 0

whole = client.interactions.get(started.id)
assert [content.type for content in whole.outputs] == ["thought", "text"]
assert whole.outputs[0].signature == signatures[0]
assert whole.outputs[0].summary[0].text == thought
assert whole.outputs[1].text == text
