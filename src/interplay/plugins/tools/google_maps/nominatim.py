"""Nominatim: places and addresses by text."""

from __future__ import annotations

import math

import msgspec

from interplay.contracts.failure import BadAnswer, Refused
from interplay.plugins.tools.google_maps import osm
from interplay.plugins.tools.google_maps.mirrors import Mirrors
from interplay.plugins.tools.google_maps.places import Place, Point

_AROUND = 0.25
"""Degrees of latitude to each side that count as near."""


class _Found(msgspec.Struct):
    """A place in the form `jsonv2`."""

    lat: float
    lon: float
    display_name: str
    osm_type: str | None = None
    osm_id: int | None = None
    category: str = ""
    type: str = ""
    name: str | None = None
    extratags: dict[str, str] | None = None


class Nominatim:
    """Searches and lookups."""

    def __init__(self, mirrors: Mirrors) -> None:
        self._mirrors = mirrors

    def __bool__(self) -> bool:
        return bool(self._mirrors)

    async def search(self, text: str, here: Point | None, count: int) -> list[Place]:
        """The places a text may mean, the likeliest first."""
        params = {"q": text, "format": "jsonv2", "limit": str(count), "extratags": "1"}
        if here is not None:
            params["viewbox"] = _box(here)
        found = await self._mirrors.ask("/search", list[_Found], params)
        return [_place(one) for one in found[:count]]

    async def lookup(self, id: str) -> Place:
        """One object of the map. Raises Refused when there is none."""
        params = {"osm_ids": id, "format": "jsonv2", "extratags": "1"}
        found = await self._mirrors.ask("/lookup", list[_Found], params)
        if not found:
            raise Refused(f"The map has no place 'places/{id}'.")
        return _place(found[0])

    async def close(self) -> None:
        """Lets go of connections."""
        await self._mirrors.close()


def _box(here: Point) -> str:
    wide = _AROUND / max(0.1, math.cos(math.radians(here.latitude)))
    west, east = max(-180.0, here.longitude - wide), min(180.0, here.longitude + wide)
    south, north = max(-90.0, here.latitude - _AROUND), min(90.0, here.latitude + _AROUND)
    return f"{west:.4f},{north:.4f},{east:.4f},{south:.4f}"


def _place(found: _Found) -> Place:
    point = Point(found.lat, found.lon)
    if not point.valid:
        raise BadAnswer("Nominatim answered with a place that is not on the globe.")
    id = osm.place_id(found.osm_type, found.osm_id)
    first, _, rest = found.display_name.partition(", ")
    name = found.name or first or str(point)
    tags = found.extratags or {}
    return Place(
        name=name,
        id=id,
        url=osm.url_of(id)
        or f"https://www.openstreetmap.org/#map=18/{str(point).replace(',', '/')}",
        point=point,
        address=rest if first == name else found.display_name,
        kind=osm.kind_of({found.category: found.type}) or found.type.replace("_", " "),
        facts=osm.facts_of(tags),
    )
