"""Asks stored documents in words that do not stand in them.

Needs `pip install 'interplay[search]'` and `interplay models pull bge-small-en-v1.5`. It asks the
server of INTERPLAY_URL, or else starts one of its own with the embedded model; INTERPLAY_MODEL
names another model.
"""

from __future__ import annotations

import io
import os
import sys
import time
from typing import Any

from google import genai

from serving import reached

MODEL = os.environ.get("INTERPLAY_MODEL", "qwen2.5-coder-1.5b")
NOTES = {
    "files": b"The server deletes each upload two days after it has arrived.",
    "harbour": b"Ships may enter from six in the morning until sunset.",
    "pets": b"Cats spend most of the day asleep, in warm places.",
}
QUESTION = "When can boats come into the port?"


def ask(url: str) -> None:
    """A store of three notes, and one question."""
    client: Any = genai.Client(
        api_key=os.environ.get("INTERPLAY_KEY", "none"), http_options={"base_url": url}
    )
    store = client.file_search_stores.create(config={"display_name": "Notes"})
    if not store.embedding_model:
        sys.exit("The server has no embedder: interplay models pull bge-small-en-v1.5")
    print(f"embedded by {store.embedding_model}")
    for name, text in NOTES.items():
        operation = client.file_search_stores.upload_to_file_search_store(
            file_search_store_name=str(store.name),
            file=io.BytesIO(text),
            config={"display_name": name, "mime_type": "text/plain"},
        )
        while not operation.done:
            time.sleep(0.2)
            operation = client.operations.get(operation)
    made = client.interactions.create(
        model=MODEL,
        input=f"Look it up in my notes, and answer in a whole sentence: {QUESTION}",
        tools=[
            {"type": "file_search", "file_search_store_names": [str(store.name)], "top_k": 1},
        ],
        generation_config={"temperature": 0},
    )
    for step in made.steps or ():
        print(f"- {step.type}")
        for content in getattr(step, "content", None) or ():
            for note in getattr(content, "annotations", None) or ():
                print(f"  rests on the note '{note.file_name}'")
    print(made.output_text)
    client.file_search_stores.delete(name=str(store.name), config={"force": True})


if __name__ == "__main__":
    with reached() as address:
        ask(address)
