"""Asks a model that may search a service of the request's own, and shows what it cites.

Without arguments it starts a server of its own with the embedded model, over a loopback service
that speaks Exa's API (no key, no internet). With a question it asks the server of INTERPLAY_URL
with the key in EXA_API_KEY.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from typing import Any

from google import genai

from interplay.testing.local_web import LocalWeb, Page
from serving import serving

MODEL = os.environ.get("INTERPLAY_MODEL", "qwen2.5-coder-1.5b")
QUESTION = "Search: on which days does the ferry to Sankt Amund run, and what does a ticket cost?"
INSTRUCTION = (
    "You search before you answer. Then you answer in one or two sentences of your own and write"
    " the number of the result behind each sentence, like this: The sky is blue [1]."
)
RESULTS = [
    {
        "title": "Ferry to Sankt Amund",
        "url": "https://ferry.example/",
        "text": "The ferry to Sankt Amund runs on Tuesdays and Saturdays at 8:15. A ticket costs 14"
        " euros.",
    },
    {
        "title": "Museum of Sankt Amund",
        "url": "https://museum.example/",
        "text": "The museum shows whales and maps.",
    },
]


def ask(url: str, key: str, question: str) -> int:
    """One interaction; 0 when the model searched."""
    client: Any = genai.Client(
        api_key=os.environ.get("INTERPLAY_KEY", "none"), http_options={"base_url": url}
    )
    exa = {"api_key": key, "custom_config": {"numResults": 5}}
    made = client.interactions.create(
        model=MODEL,
        input=question,
        system_instruction=INSTRUCTION,
        tools=[{"type": "retrieval", "exa_ai_search_config": exa}],
        generation_config={"temperature": 0},
    )
    searched = False
    for step in made.steps or ():
        if step.type == "retrieval_call":
            queries = ", ".join(step.arguments.queries or ())
            print(f"searched by {step.retrieval_type}: {queries}")
        elif step.type == "retrieval_result":
            searched = searched or not step.is_error
        for content in getattr(step, "content", None) or ():
            raw = (getattr(content, "text", None) or "").encode()
            for note in getattr(content, "annotations", None) or ():
                cited = raw[note.start_index : note.end_index].decode()
                print(f"cites {note.url} for: {cited}")
    print(made.output_text)
    return 0 if searched else 1


def at_home(service: str) -> int:
    """Asks a server of its own that knows the service at this address."""
    with serving(f'[tools.retrieval]\nexa_url = "{service}"\n') as url:
        return ask(url, "local", QUESTION)


async def main() -> int:
    """Asks the server that is named, or one of its own while the service answers."""
    if len(sys.argv) > 1:
        named = os.environ.get("INTERPLAY_URL", "http://127.0.0.1:8080")
        return await asyncio.to_thread(ask, named, os.environ["EXA_API_KEY"], sys.argv[1])
    async with LocalWeb() as web:
        body = json.dumps({"requestId": "1", "results": RESULTS}).encode()
        web.on("/search", Page(headers={"content-type": "application/json"}, body=body))
        return await asyncio.to_thread(at_home, web.url(""))


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
