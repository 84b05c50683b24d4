"""Overpass: things of a kind around a point."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from interplay.contracts.failure import BadAnswer, Failure, Refused, Unavailable
from interplay.plugins.tools.google_maps import osm
from interplay.plugins.tools.google_maps.mirrors import Mirrors
from interplay.plugins.tools.google_maps.places import Place, Point

_MOST = 200
"""Elements of one answer: they come in no order, and the nearest are wanted."""
_TAG = re.compile(r"([a-z_:]{1,40})=([\w:;.-]{1,80})")
_SPECIAL = re.compile(r"([\\.^$|()\[\]{}*+?])")


class _Center(msgspec.Struct):
    lat: float
    lon: float


class _Element(msgspec.Struct):
    type: str
    id: int
    lat: float | None = None
    lon: float | None = None
    center: _Center | None = None
    tags: dict[str, str] = {}


class _Answer(msgspec.Struct):
    elements: list[_Element]
    remark: str = ""

    def fault(self) -> Failure | None:
        """A query that was given up answers 200, with what it had and a remark."""
        if "error" not in self.remark.lower():
            return None
        return Unavailable("Overpass gave up the search; a smaller radius may help.")


class Overpass:
    """Searches around points, and single objects."""

    def __init__(self, mirrors: Mirrors, seconds: float) -> None:
        self._mirrors, self._seconds = mirrors, max(1, int(seconds))

    def __bool__(self) -> bool:
        return bool(self._mirrors)

    async def around(self, what: str, point: Point, radius: float, count: int) -> list[Place]:
        """Things of a kind (`pharmacy`, `shop=bakery`), a cuisine or a name, the nearest first."""
        filters = _filters(what)
        if not filters:
            raise Refused("Say what to look for in letters, such as 'pharmacy' or 'shop=bakery'.")
        near = f"(around:{radius:.0f},{point})"
        wanted = "".join(f"nwr{one}{near};" for one in filters)
        answer = await self._ask(f"({wanted});out center {_MOST};")
        places = [_place(element) for element in answer.elements if element.tags]
        places.sort(key=lambda place: point.meters_to(place.point) if place.point else 0.0)
        return places[:count]

    async def lookup(self, id: str) -> Place:
        """One object of the map. Raises Refused when there is none."""
        found = osm.object_of(id)
        assert found is not None, "asked only for ids of this map"
        answer = await self._ask(f"{found[0]}({found[1]});out center;")
        if not answer.elements:
            raise Refused(f"The map has no place 'places/{id}'.")
        return _place(answer.elements[0])

    async def _ask(self, query: str) -> _Answer:
        data = f"[out:json][timeout:{self._seconds}];{query}"
        params: dict[str, Any] = {"data": data}
        return await self._mirrors.ask("/interpreter", _Answer, params)

    async def close(self) -> None:
        """Lets go of connections."""
        await self._mirrors.close()


def _filters(what: str) -> list[str]:
    """What a word may mean in tags. Nothing of the word is read as a part of the query."""
    text = " ".join(what.split()).strip(" \"'")[:80]
    if tag := _TAG.fullmatch(text):
        return [f'["{tag[1]}"="{tag[2]}"]']
    if not any(c.isalnum() for c in text):
        return []
    word = re.sub(r"[^\w:;.-]+", "_", text.lower())
    # Models write plurals; the tags are singular.
    words = "|".join(dict.fromkeys(_quoted(one) for one in (word, _singular(word))))
    kinds = [f'["{key}"~"^({words})$"]' for key in osm.KINDS]
    return [*kinds, f'["cuisine"~"(^|;)({words})(;|$)"]', f'["name"~"{_quoted(text)}",i]']


def _singular(word: str) -> str:
    if word.endswith("ies") and len(word) > 4:
        return f"{word[:-3]}y"
    if word.endswith(("sses", "shes", "ches", "xes")):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word


def _quoted(text: str) -> str:
    """A text as a regular expression inside a string of the query language."""
    expression = _SPECIAL.sub(r"\\\1", text)
    return expression.replace("\\", "\\\\").replace('"', '\\"')


def _place(element: _Element) -> Place:
    where = element.center or element
    point = None
    if where.lat is not None and where.lon is not None:
        point = Point(where.lat, where.lon)
        if not point.valid:
            raise BadAnswer("Overpass answered with a place that is not on the globe.")
    id = osm.place_id(element.type, element.id)
    kind = osm.kind_of(element.tags)
    return Place(
        name=element.tags.get("name") or element.tags.get("ref") or f"{kind or 'place'} {id}",
        id=id,
        url=osm.url_of(id),
        point=point,
        address=osm.address_of(element.tags),
        kind=kind,
        facts=osm.facts_of(element.tags),
    )
