"""Asks a model that may ask a map, and shows what it asked, what was found and what it cites.

Without arguments it starts a server of its own with the embedded model, over a small town that
stands in for the OpenStreetMap services (no key, no internet). With a question it asks the server
of INTERPLAY_URL, whose settings must name a map: see docs/tools.md. INTERPLAY_LATITUDE and
INTERPLAY_LONGITUDE say where you are. The embedded model is small: where it writes a number that no
place has, nothing is cited, and this says so.
"""

from __future__ import annotations

import asyncio
import os
import sys
from typing import Any

from google import genai

from interplay.testing.local_maps import THINGS, LocalMaps
from serving import serving

MODEL = os.environ.get("INTERPLAY_MODEL", "qwen2.5-coder-1.5b")
QUESTION = "Use the map: when is the Harbour Pharmacy in Sankt Amund open?"
INSTRUCTION = (
    "You ask the map before you answer. Then you answer in one sentence of your own and write the"
    " number of the place behind it, like this: The museum is closed on Mondays [1]."
)


def ask(url: str, question: str) -> int:
    """One interaction; 0 when the map found something."""
    client: Any = genai.Client(
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
    found = cited = 0
    for step in made.steps or ():
        if step.type == "google_maps_call" and step.arguments:
            print("asked:", ", ".join(step.arguments.queries or ()))
        elif step.type == "google_maps_result":
            for place in (place for one in step.result for place in one.places or ()):
                found += 1
                print(f"found [{found}]: {place.name} ({place.url})")
        for content in getattr(step, "content", None) or ():
            raw = (getattr(content, "text", None) or "").encode()
            for note in getattr(content, "annotations", None) or ():
                cited += 1
                said = raw[note.start_index : note.end_index].decode()
                print(f"cites {note.name} for: {said}")
    if not cited:
        print("cites no place that was found")
    print(made.output_text)
    return 0 if found else 1


def at_home(maps: LocalMaps) -> int:
    """Asks a server of its own that knows the town."""
    services = (
        f'nominatim = "{maps.nominatim}"\noverpass = "{maps.overpass}"\nosrm = "{maps.osrm}"\n'
    )
    with serving(f"[tools.google_maps]\npace = 0.0\n{services}") as url:
        return ask(url, QUESTION)


async def main() -> int:
    """Asks the server that is named, or one of its own while the town answers."""
    if len(sys.argv) > 1:
        named = os.environ.get("INTERPLAY_URL", "http://127.0.0.1:8080")
        return await asyncio.to_thread(ask, named, sys.argv[1])
    # Without the town itself, which a small model cites for what is in it.
    maps = LocalMaps([thing for thing in THINGS if "place" not in thing.tags])
    async with maps:
        return await asyncio.to_thread(at_home, maps)


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
