"""Uploads a file, asks a model about it, reads it back and deletes it.

`python examples/files.py PATH "A question?"` takes a text or a PDF; without arguments it is this
file. It asks the server of INTERPLAY_URL, or else starts one of its own with the embedded model;
INTERPLAY_MODEL names another model.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from google import genai

from serving import reached

MODEL = os.environ.get("INTERPLAY_MODEL", "qwen2.5-coder-1.5b")


def ask(url: str, path: Path, question: str) -> None:
    """The life of one file."""
    client: Any = genai.Client(
        api_key=os.environ.get("INTERPLAY_KEY", "none"), http_options={"base_url": url}
    )
    file = client.files.upload(file=path, config={"display_name": path.name})
    print(f"{file.name}: {file.size_bytes} bytes of {file.mime_type} until {file.expiration_time}")
    print("All files:", ", ".join(str(one.name) for one in client.files.list()))
    made = client.interactions.create(
        model=MODEL,
        input=[
            {"type": "document", "uri": str(file.uri), "mime_type": str(file.mime_type)},
            {"type": "text", "text": question},
        ],
    )
    print(f"{question}\n{made.output_text}")
    same = client.files.download(file=file) == path.read_bytes()
    print("What comes back is", "the same." if same else "something else!")
    client.files.delete(name=str(file.name))
    if not same:
        sys.exit(1)


if __name__ == "__main__":
    given = sys.argv[1:] or [__file__, "What does this program do with a file? One sentence."]
    with reached() as address:
        ask(address, Path(given[0]), given[1])
