"""Stores a document, asks a model about it, and shows what the answer rests on.

`python examples/file_search.py PATH "A question?"`; without arguments the document is this file. It
asks the server of INTERPLAY_URL, or else starts one of its own with the embedded model;
INTERPLAY_MODEL names another model.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

from google import genai

from serving import reached

MODEL = os.environ.get("INTERPLAY_MODEL", "qwen2.5-coder-1.5b")


def ask(url: str, path: Path, question: str) -> None:
    """The life of one store."""
    client: Any = genai.Client(
        api_key=os.environ.get("INTERPLAY_KEY", "none"), http_options={"base_url": url}
    )
    store = client.file_search_stores.create(config={"display_name": "Example"})
    operation = client.file_search_stores.upload_to_file_search_store(
        file_search_store_name=str(store.name), file=path, config={"display_name": path.name}
    )
    while not operation.done:
        time.sleep(0.2)
        operation = client.operations.get(operation)
    if operation.error:
        sys.exit(f"{path} was not indexed: {operation.error}")
    made = client.interactions.create(
        model=MODEL,
        input=question,
        tools=[{"type": "file_search", "file_search_store_names": [str(store.name)]}],
    )
    for step in made.steps or ():
        print(f"- {step.type}")
        for content in getattr(step, "content", None) or ():
            for note in getattr(content, "annotations", None) or ():
                print(f"  rests on {note.file_name}, page {note.page_number}")
    print(made.output_text)
    client.file_search_stores.delete(name=str(store.name), config={"force": True})


if __name__ == "__main__":
    given = sys.argv[1:] or [__file__, "What does this program show at its end?"]
    with reached() as address:
        ask(address, Path(given[0]), given[1])
