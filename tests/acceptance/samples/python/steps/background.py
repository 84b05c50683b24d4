"""A run behind, polled until it has ended."""

import time

from google import genai

client = genai.Client()
WORDS = " ".join(f"word{number}" for number in range(12))

started = client.interactions.create(model="slow", input=WORDS, background=True)
assert started.status in ("queued", "in_progress")
deadline = time.monotonic() + 20
while (polled := client.interactions.get(started.id)).status in ("queued", "in_progress"):
    assert time.monotonic() < deadline
    time.sleep(0.1)
assert polled.status == "completed"
assert polled.steps[-1].content[0].text == WORDS
