"""Asks a model that may ask a map, and shows what it asked, what was found and what it cites.

Without arguments it starts a server of its own with the embedded model, over a small town that
stands in for the OpenStreetMap services (no key, no internet). With a question it asks the server
of INTERPLAY_URL, whose settings must name a map: see docs/tools.md. INTERPLAY_LATITUDE and
INTERPLAY_LONGITUDE say where you are.
"""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from google import genai

from interplay.testing.local_maps import LocalMaps

MODEL = os.environ.get("INTERPLAY_MODEL", "qwen2.5-coder-1.5b")
QUESTION = "Use the map: when is the Harbour Pharmacy in Sankt Amund open?"
INSTRUCTION = (
    "You ask the map before you answer. Then you answer in one sentence of your own and write the"
    " number of the place behind it, like this: The museum is closed on Mondays [1]."
)


def ask(url: str, question: str) -> int:
    """One interaction; 0 when the map found something."""
    client = genai.Client(
        api_key=os.environ.get("INTERPLAY_KEY", "none"), http_options={"base_url": url}
    )
    made = client.interactions.create(
        model=MODEL,
        input=question,
        system_instruction=INSTRUCTION,
        tools=[
            {
                "type": "google_maps",
                "latitude": float(os.environ.get("INTERPLAY_LATITUDE", "54.65")),
                "longitude": float(os.environ.get("INTERPLAY_LONGITUDE", "8.33")),
            }
        ],
        generation_config={"temperature": 0},
    )
    found = 0
    for step in made.steps or []:
        if step.type == "google_maps_call" and step.arguments:
            print("asked:", ", ".join(step.arguments.queries or []))
        elif step.type == "google_maps_result":
            for place in (place for one in step.result for place in one.places or []):
                found += 1
                print(f"found: {place.name} ({place.url})")
        for content in getattr(step, "content", None) or []:
            raw = (getattr(content, "text", None) or "").encode()
            for note in getattr(content, "annotations", None) or []:
                cited = raw[note.start_index : note.end_index].decode()
                print(f"cites {note.name} for: {cited}")
    print(made.output_text)
    return 0 if found else 1


def serve(folder: Path, maps: LocalMaps) -> tuple[subprocess.Popen[bytes], str]:
    """A server over the town; answers its process and its address."""
    settings = folder / "interplay.toml"
    settings.write_text(
        f'data_dir = "{folder}/data"\npreload = false\n[tools.google_maps]\npace = 0.0\n'
        f'nominatim = "{maps.nominatim}"\noverpass = "{maps.overpass}"\nosrm = "{maps.osrm}"\n'
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
        async with LocalMaps() as maps:
            server, url = await asyncio.to_thread(serve, Path(folder), maps)
            try:
                return await asyncio.to_thread(ask, url, QUESTION)
            finally:
                server.terminate()
                await asyncio.to_thread(server.wait, 30)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        server = os.environ.get("INTERPLAY_URL", "http://127.0.0.1:8080")
        sys.exit(ask(server, sys.argv[1]))
    sys.exit(asyncio.run(at_home()))
