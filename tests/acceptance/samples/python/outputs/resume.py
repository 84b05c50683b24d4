"""A stream of a run behind that breaks off and is resumed."""

from google import genai

client = genai.Client()
WORDS = " ".join(f"word{number}" for number in range(12))

# The stream breaks off after a few frames; the rest is fetched with the last event id.
last_event_id, interaction_id, text, frames = None, None, "", []


def take(chunk) -> None:
    global last_event_id, interaction_id, text
    frames.append((chunk.event_type, getattr(chunk, "index", None)))
    if chunk.event_id:
        last_event_id = chunk.event_id
    if chunk.event_type == "interaction.start":
        interaction_id = chunk.interaction.id
    elif chunk.event_type == "content.delta" and chunk.delta.type == "text":
        text += chunk.delta.text


stream = client.interactions.create(model="slow", input=WORDS, background=True, stream=True)
for number, chunk in enumerate(stream):
    take(chunk)
    if number == 4:
        break
stream.close()
assert interaction_id
assert text != WORDS
for chunk in client.interactions.get(interaction_id, stream=True, last_event_id=last_event_id):
    take(chunk)
print(text)
assert text == WORDS
whole = [
    (chunk.event_type, getattr(chunk, "index", None))
    for chunk in client.interactions.get(interaction_id, stream=True)
]
assert frames == whole
