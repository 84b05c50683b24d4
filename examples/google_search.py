"""Asks a model that may search, and shows what it searched for, what it cites and what it says.

Without arguments it starts a server of its own over a small library of three pages (the `corpus`
engine: no key, no internet) with the embedded model. With a question it asks the server of
INTERPLAY_URL, whose settings must name an engine: see docs/tools.md.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from google import genai

from serving import serving

MODEL = os.environ.get("INTERPLAY_MODEL", "qwen2.5-coder-1.5b")
QUESTION = "Search: on which days does the ferry to Sankt Amund run, and what does a ticket cost?"
INSTRUCTION = (
    "You search before you answer. Then you answer in one or two sentences of your own and write"
    " the number of the result behind each sentence, like this: The sky is blue [1]."
)
LIBRARY = {
    "ferry.md": "# Ferry to Sankt Amund\n\nThe ferry to Sankt Amund runs on Tuesdays and"
    " Saturdays at 8:15. A ticket costs 14 euros.\n",
    "museum.html": "<title>Museum of Sankt Amund</title><p>The museum shows whales and maps.</p>",
    "island.txt": "Sankt Amund is an island. The ferry leaves from the north pier.",
}


def ask(url: str, question: str) -> int:
    """One interaction; 0 when the model searched."""
    client: Any = genai.Client(
        api_key=os.environ.get("INTERPLAY_KEY", "none"), http_options={"base_url": url}
    )
    made = client.interactions.create(
        model=MODEL,
        input=question,
        system_instruction=INSTRUCTION,
        tools=[{"type": "google_search"}],
        generation_config={"temperature": 0},
    )
    searched = False
    for step in made.steps or ():
        if step.type == "google_search_call":
            print("searched:", ", ".join(step.arguments.queries or ()))
        elif step.type == "google_search_result":
            searched = searched or not step.is_error
        for content in getattr(step, "content", None) or ():
            raw = (getattr(content, "text", None) or "").encode()
            for note in getattr(content, "annotations", None) or ():
                cited = raw[note.start_index : note.end_index].decode()
                print(f"cites {note.url} for: {cited}")
    print(made.output_text)
    return 0 if searched else 1


def main() -> int:
    """Asks the server that is named, or one of its own over the library."""
    if len(sys.argv) > 1:
        return ask(os.environ.get("INTERPLAY_URL", "http://127.0.0.1:8080"), sys.argv[1])
    with tempfile.TemporaryDirectory() as library:
        for name, text in LIBRARY.items():
            (Path(library) / name).write_text(text, encoding="utf-8")
        with serving(f'[engines.corpus]\nfolder = "{Path(library).as_posix()}"\n') as url:
            return ask(url, QUESTION)


if __name__ == "__main__":
    sys.exit(main())
