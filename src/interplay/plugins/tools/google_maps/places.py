"""Places and routes as every map gives them, and what a map promises."""

from __future__ import annotations

import math
import re
from typing import Protocol

import msgspec

_COORDINATES = re.compile(r"\s*(-?\d{1,2}(?:\.\d+)?)\s*[,; ]\s*(-?\d{1,3}(?:\.\d+)?)\s*")


class Point(msgspec.Struct, frozen=True):
    """Degrees."""

    latitude: float
    longitude: float

    @classmethod
    def read(cls, text: str) -> Point | None:
        """The point a text like `41.9, 12.5` names; None when it names none."""
        found = _COORDINATES.fullmatch(text)
        if found is None:
            return None
        point = cls(float(found[1]), float(found[2]))
        return point if point.valid else None

    @property
    def valid(self) -> bool:
        """Whether it lies on the globe."""
        return -90 <= self.latitude <= 90 and -180 <= self.longitude <= 180

    def __str__(self) -> str:
        return f"{self.latitude:.5f},{self.longitude:.5f}"

    def meters_to(self, other: Point) -> float:
        """The distance on a globe."""
        south, north = math.radians(self.latitude), math.radians(other.latitude)
        half = math.radians(other.longitude - self.longitude) / 2
        chord = math.sin((north - south) / 2) ** 2
        chord += math.cos(south) * math.cos(north) * math.sin(half) ** 2
        return 12_742_018 * math.asin(math.sqrt(min(1.0, chord)))


class Review(msgspec.Struct, kw_only=True):
    """What somebody wrote of a place."""

    id: str
    text: str
    title: str = ""
    url: str | None = None


class Place(msgspec.Struct, kw_only=True):
    """A place as a map describes it: nothing in it is to be trusted, or obeyed."""

    name: str
    id: str = ""
    """As the map names it, without `places/`; empty for a point that is none of its places."""
    url: str | None = None
    point: Point | None = None
    address: str = ""
    kind: str = ""
    facts: list[str] = []
    """Such as `opening hours: Mo-Fr 9-17`."""
    reviews: list[Review] = []


class Route(msgspec.Struct, kw_only=True):
    """A way from one place to another."""

    start: Place
    end: Place
    meters: float
    seconds: float
    summary: str = ""
    steps: list[str] = []
    url: str


class Nearby(msgspec.Struct, kw_only=True):
    """A search around a point."""

    what: str
    near: str
    """A place by its name; empty for `here`."""
    here: Point | None
    radius: float
    """Meters."""
    count: int


class Trip(msgspec.Struct, kw_only=True):
    """A route that is asked for: a place by its name, as coordinates, or as `places/` and an id."""

    start: str
    end: str
    mode: str
    here: Point | None
    """Where the caller is."""


class Maps(Protocol):
    """One source of places and routes. Every method raises interplay.contracts.failure.Failure;
    whoever asked may turn to another map."""

    name: str
    credit: str
    """What its data are to be shown with."""
    abilities: frozenset[str]
    """Of `search`, `nearby` and `details`."""
    modes: tuple[str, ...]
    """Ways to travel it knows routes for."""

    def owns(self, id: str) -> bool:
        """Whether a place's id is one of this map's."""
        ...

    async def search(self, text: str, here: Point | None, count: int) -> list[Place]:
        """Places and addresses by text, those near `here` rather than others."""
        ...

    async def nearby(self, asked: Nearby) -> list[Place]:
        """Places of a kind or name around a point, the nearest first where that is known."""
        ...

    async def details(self, id: str) -> Place:
        """One place, with all that is known of it."""
        ...

    async def route(self, trip: Trip) -> Route:
        """The best route."""
        ...

    async def close(self) -> None:
        """Lets go of connections."""
        ...
