"""Uploads a file, lists it, reads it back and deletes it.

Run `interplay serve`, then `python examples/files.py PATH`; INTERPLAY_URL names another server.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from google import genai


def main(path: Path) -> None:
    """The life of one file."""
    client = genai.Client(
        api_key=os.environ.get("INTERPLAY_KEY", "none"),
        http_options={"base_url": os.environ.get("INTERPLAY_URL", "http://127.0.0.1:8080")},
    )
    file = client.files.upload(file=path, config={"display_name": path.name})
    print(f"{file.name}: {file.size_bytes} bytes of {file.mime_type} until {file.expiration_time}")
    print("All files:", ", ".join(str(one.name) for one in client.files.list()))
    same = client.files.download(file=file) == path.read_bytes()
    print("What comes back is", "the same." if same else "something else!")
    client.files.delete(name=str(file.name))
    if not same:
        sys.exit(1)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else __file__))
