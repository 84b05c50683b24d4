"""Asks a model that may search a service of the request's own, and shows what it cites.

Without arguments it starts a server of its own with the embedded model, over a loopback service
that speaks Exa's API (no key, no internet). With a question it asks the server of INTERPLAY_URL
with the key in EXA_API_KEY.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from google import genai

from interplay.testing.local_web import LocalWeb, Page

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
    client = genai.Client(
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
    for step in made.steps or []:
        if step.type == "retrieval_call":
            queries = ", ".join(step.arguments.queries or [])
            print(f"searched by {step.retrieval_type}: {queries}")
        elif step.type == "retrieval_result":
            searched = searched or not step.is_error
        for content in getattr(step, "content", None) or []:
            raw = (getattr(content, "text", None) or "").encode()
            for note in getattr(content, "annotations", None) or []:
                cited = raw[note.start_index : note.end_index].decode()
                print(f"cites {note.url} for: {cited}")
    print(made.output_text)
    return 0 if searched else 1


def serve(folder: Path, service: str) -> tuple[subprocess.Popen[bytes], str]:
    """A server that knows the service; answers its process and its address."""
    settings = folder / "interplay.toml"
    settings.write_text(
        f'data_dir = "{folder}/data"\npreload = false\n[tools.retrieval]\nexa_url = "{service}"\n'
    )
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "interplay", "serve", "--config", str(settings), "--port", str(port)]
    )
    url = f"http://127.0.0.1:{port}"
    for _ in range(300):
        try:
            urllib.request.urlopen(f"{url}/health", timeout=1).close()
            return server, url
        except OSError:
            time.sleep(0.1)
    server.terminate()
    raise SystemExit("The server did not start.")


async def at_home() -> int:
    """Asks a server of its own."""
    with tempfile.TemporaryDirectory() as folder:
        async with LocalWeb() as web:
            body = json.dumps({"requestId": "1", "results": RESULTS}).encode()
            web.on("/search", Page(headers={"content-type": "application/json"}, body=body))
            server, url = await asyncio.to_thread(serve, Path(folder), web.url(""))
            try:
                return await asyncio.to_thread(ask, url, "local", QUESTION)
            finally:
                server.terminate()
                await asyncio.to_thread(server.wait, 30)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        here = os.environ.get("INTERPLAY_URL", "http://127.0.0.1:8080")
        sys.exit(ask(here, os.environ["EXA_API_KEY"], sys.argv[1]))
    sys.exit(asyncio.run(at_home()))
