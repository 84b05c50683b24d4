"""The tool over a small town on loopback."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

from interplay.contracts import shown
from interplay.contracts.egress import Guard
from interplay.contracts.tool import CallSite, Numbers, ToolCall
from interplay.plugins.tools.google_maps import Config, GoogleMaps
from interplay.testing.local_maps import LocalMaps
from interplay.wire.content import TextContent
from interplay.wire.tools import GoogleMaps as Declaration

TOWN = Declaration(latitude=54.65, longitude=8.33)
"""Where the caller is: in the middle of the town."""


def stack(maps: LocalMaps, **config: Any) -> dict[str, Any]:
    """Settings of the whole OpenStreetMap stack."""
    urls = {"nominatim": maps.nominatim, "overpass": maps.overpass, "osrm": maps.osrm}
    return {**urls, "pace": 0.0, **config}


def google(maps: LocalMaps, **config: Any) -> dict[str, Any]:
    """Settings of Google's services; the key is in THE_KEY."""
    urls = {"places_url": maps.google, "routes_url": maps.google}
    return {"google_key_env": "THE_KEY", **urls, **config}


@asynccontextmanager
async def opened(**config: Any) -> AsyncIterator[GoogleMaps]:
    """A tool, closed at the end."""
    lent: Any = SimpleNamespace(guard=Guard())
    tool = GoogleMaps(Config(**config), lent)
    try:
        yield tool
    finally:
        await tool.close()


class Made:
    """One call, taken apart."""

    def __init__(self, pieces: list[Any]) -> None:
        self.call, self.asked, self.result, self.found = pieces
        (block,) = shown.read(self.found.signature, images=True) or []
        assert isinstance(block, TextContent)
        self.text = block.text
        self.lines = block.text.splitlines()
        self.sources: Any = shown.sources(self.found.signature)
        self.places = [[place.name for place in one.places] for one in self.found.result]


async def called(
    tool: GoogleMaps,
    name: str = "google_maps",
    declaration: Declaration = TOWN,
    numbers: Numbers | None = None,
    **arguments: Any,
) -> Made:
    """One call."""
    site = CallSite(
        interaction_id="v1_x",
        owner="",
        declaration=declaration,
        idempotency_key="k",
        timeout=20,
        numbers=numbers or Numbers(),
    )
    arguments = {key.rstrip("_"): value for key, value in arguments.items()}
    call = ToolCall(id="maps0001", name=name, arguments=arguments)
    async with asyncio.timeout(20):
        return Made([piece async for piece in tool.call(call, site)])
