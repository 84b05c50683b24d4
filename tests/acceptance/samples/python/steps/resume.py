"""A stream of a run behind that breaks off and is resumed."""

from google import genai

client = genai.Client()
WORDS = " ".join(f"word{number}" for number in range(12))

# The stream breaks off after a few events; the rest is fetched with the last event id.
last_event_id, interaction_id, text, seen = None, None, "", []


def take(event) -> None:
    global last_event_id, interaction_id, text
    seen.append((event.event_type, getattr(event, "index", None)))
    if event.event_id:
        last_event_id = event.event_id
    if event.event_type == "interaction.created":
        interaction_id = event.interaction.id
    elif event.event_type == "step.delta" and event.delta.type == "text":
        text += event.delta.text


stream = client.interactions.create(model="slow", input=WORDS, background=True, stream=True)
for number, event in enumerate(stream):
    take(event)
    if number == 4:
        break
stream.close()
assert interaction_id
assert text != WORDS
for event in client.interactions.get(interaction_id, stream=True, last_event_id=last_event_id):
    take(event)
print(text)
assert text == WORDS
whole = [
    (event.event_type, getattr(event, "index", None))
    for event in client.interactions.get(interaction_id, stream=True)
]
assert seen == whole
