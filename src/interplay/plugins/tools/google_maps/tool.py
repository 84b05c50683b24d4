"""The tool type `google_maps`: what a model asks of the configured maps."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any, ClassVar, TypeVar

from interplay.contracts import shown
from interplay.contracts.failure import Failure, NotInstalled, Refused
from interplay.contracts.model import FunctionSpec
from interplay.contracts.surroundings import Surroundings
from interplay.contracts.tool import CallSite, ToolCall
from interplay.plugins.tools.google_maps import config, told
from interplay.plugins.tools.google_maps.google import Google
from interplay.plugins.tools.google_maps.offers import DETAILS, NEARBY, ROUTE, offers
from interplay.plugins.tools.google_maps.openstreetmap import OpenStreetMap
from interplay.plugins.tools.google_maps.places import Maps, Nearby, Place, Point, Trip
from interplay.plugins.tools.google_maps.told import Answer, Numbered
from interplay.wire.content import TextContent
from interplay.wire.deltas import DeltaData, GoogleMapsCallDelta, GoogleMapsResultDelta
from interplay.wire.steps import (
    GoogleMapsCallArguments,
    GoogleMapsCallStep,
    GoogleMapsResult,
    GoogleMapsResultStep,
    Step,
)
from interplay.wire.tools import GoogleMaps as Declaration

log = logging.getLogger("interplay.tools.google_maps")

_T = TypeVar("_T")
_LONGEST = 300
_MODES = ("driving", "walking", "cycling", "transit")


class GoogleMaps:
    """Asks the maps in the order of the settings; the next one follows where one fails or knows
    nothing. What goes wrong with a whole call is raised: the wire's result has no place for it.
    """

    Config: ClassVar[type[config.Config]] = config.Config
    serves: ClassVar[str] = "google_maps"
    repeatable: ClassVar[bool] = True

    def __init__(self, config: config.Config, surroundings: Surroundings) -> None:
        self._config = config
        self._google = Google(config, surroundings.guard) if config.google_key_env else None
        stack = OpenStreetMap(config)
        maps: list[Maps] = [stack] if stack.abilities or stack.modes else []
        if self._google is not None:
            maps.insert(0 if config.first == "google" else len(maps), self._google)
        self._maps = maps

    async def offer(self, declaration: Declaration) -> list[FunctionSpec]:
        """Up to four functions. Raises NotInstalled when no map is configured, Refused for a place
        that is not on the globe, and when there is no key."""
        if not self._maps:
            raise NotInstalled(
                "No map is configured: set nominatim, overpass or osrm under [tools.google_maps]"
                " to the addresses of such servers, or google_key_env to the name of the variable"
                " that holds a key for Google's; see docs/tools.md."
            )
        if self._google is not None:
            self._google.check()
        here = _here(declaration)
        abilities = frozenset[str]().union(*(one.abilities for one in self._maps))
        modes = [mode for mode in _MODES if any(mode in one.modes for one in self._maps)]
        return offers(self._config, abilities, modes, located=here is not None)

    async def call(self, call: ToolCall, at: CallSite) -> AsyncIterator[Step | DeltaData]:
        """What is asked, then what the maps say. Raises Failure when none says anything."""
        here, given = _here(at.declaration), call.arguments
        yield GoogleMapsCallStep(id=call.id)
        asked = _asked(call.name, given, self._config.queries)
        yield GoogleMapsCallDelta(GoogleMapsCallArguments(queries=asked))
        numbered = Numbered(at.numbers)
        if call.name == ROUTE:
            result, text = await self._route(given, here, numbered)
        else:
            answers = await self._answers(call.name, given, asked, here)
            text = told.found(answers, numbered, here)
            result = [_on_wire(answer.places) for answer in answers]
        yield GoogleMapsResultStep(call.id, [])
        signature = shown.sign([TextContent(text)], numbered.sources)
        yield GoogleMapsResultDelta(result, signature=signature)

    async def _answers(
        self, name: str, given: dict[str, Any], asked: Sequence[str], here: Point | None
    ) -> list[Answer]:
        if name == NEARBY:
            return [await self._nearby(given, asked[0], here)]
        if name == DETAILS:
            return [await self._details(asked[0])]
        if not asked:
            raise Refused("The call names no place; give `queries` as a list of texts.")
        answers = await asyncio.gather(*(self._search(query, here) for query in asked))
        if all(isinstance(answer, Failure) for answer in answers):
            raise answers[0]  # pyright: ignore[reportGeneralTypeIssues]
        return [
            Answer(query=query, failure=answer.message) if isinstance(answer, Failure) else answer
            for query, answer in zip(asked, answers, strict=True)
        ]

    async def _search(self, query: str, here: Point | None) -> Answer | Failure:
        count = self._config.places
        able = [one for one in self._maps if "search" in one.abilities]
        try:
            one, places = await _first(able, lambda one: one.search(query, here, count))
        except Failure as failure:
            return failure
        return Answer(query=query, places=places, credit=one.credit)

    async def _nearby(self, given: dict[str, Any], asked: str, here: Point | None) -> Answer:
        what, near = _text(given, "what"), _text(given, "near")
        if not what:
            raise Refused("The call does not say what to look for; give `what` as a text.")
        if not near and here is None:
            raise Refused("It is not known where the user is; give `near` as the name of a place.")
        wanted = Nearby(
            what=what,
            near=near,
            here=here,
            radius=self._radius(given.get("radius_meters")),
            count=self._config.places,
        )
        able = [one for one in self._maps if "nearby" in one.abilities and _knows(one, near)]
        one, places = await _first(able, lambda one: one.nearby(wanted))
        return Answer(query=asked, places=places, credit=one.credit)

    def _radius(self, given: Any) -> float:
        known = isinstance(given, int | float) and not isinstance(given, bool) and given > 0
        return min(float(given) if known else self._config.radius, self._config.most_radius)

    async def _details(self, asked: str) -> Answer:
        id = asked.removeprefix("places/")
        able = [one for one in self._maps if "details" in one.abilities and one.owns(id)]
        if not able:
            raise Refused("`place_id` must be one that a search gave, such as places/N107775.")
        one, place = await _first(able, lambda one: one.details(id))
        return Answer(query=asked, places=[place], credit=one.credit)

    async def _route(
        self, given: dict[str, Any], here: Point | None, numbered: Numbered
    ) -> tuple[list[GoogleMapsResult], str]:
        start, end, mode = _text(given, "from"), _text(given, "to"), _text(given, "mode")
        if not end or (not start and here is None):
            raise Refused("The call does not say the way; give `from` and `to` as places.")
        modes = [known for known in _MODES if any(known in one.modes for one in self._maps)]
        mode = mode or modes[0]
        able = [one for one in self._maps if mode in one.modes]
        if not able:
            raise Refused(f"'{mode[:40]}' is no `mode` here; there is {', '.join(modes)}.")
        trip = Trip(start=start, end=end, mode=mode, here=here)
        able = [one for one in able if _knows(one, start) and _knows(one, end)]
        one, route = await _first(able, lambda one: one.route(trip))
        text = told.routed(route, mode, one.credit, numbered, self._config.steps)
        ends = [place for place in (route.start, route.end) if place.id or place.url]
        return [_on_wire(ends)], text

    async def close(self) -> None:
        """Lets go of connections."""
        for one in self._maps:
            await one.close()


async def _first(maps: Sequence[Maps], ask: Callable[[Maps], Awaitable[_T]]) -> tuple[Maps, _T]:
    """What the first map says that says something. Raises the failure of the first that fails when
    none does."""
    failure: Failure | None = None
    empty: tuple[Maps, _T] | None = None
    for one in maps:
        try:
            answer = await ask(one)
        except Failure as given:
            log.warning("%s failed: %s", one.name, given.message)
            failure = failure or given
            continue
        if answer:
            return one, answer
        empty = empty or (one, answer)
    if empty is not None:
        return empty
    raise failure or Refused("No configured map knows these places; name them in words.")


def _here(declaration: Any) -> Point | None:
    """Where the caller is. Raises Refused for half a point, and for one that is none."""
    latitude, longitude = declaration.latitude, declaration.longitude
    if latitude is None and longitude is None:
        return None
    if latitude is None or longitude is None:
        raise Refused("google_maps needs 'latitude' and 'longitude' together, or neither.")
    point = Point(latitude, longitude)
    if not point.valid:
        raise Refused(
            "google_maps needs a 'latitude' from -90 to 90 and a 'longitude' from -180 to 180."
        )
    return point


def _asked(name: str, given: dict[str, Any], most: int) -> list[str]:
    """The call in words, as the caller is shown it."""
    if name == ROUTE:
        start, end = _text(given, "from") or "here", _text(given, "to")
        return [f"{start} to {end}, {_text(given, 'mode')}".rstrip(", ")]
    if name == NEARBY:
        return [f"{_text(given, 'what')} near {_text(given, 'near') or 'here'}"]
    if name == DETAILS:
        return [_text(given, "place_id")]
    # Small models give one text where a list is asked for, or name it `query`.
    queries = given.get("queries", given.get("query"))
    several: list[Any] = queries if isinstance(queries, list) else [queries]  # pyright: ignore
    lines = [" ".join(one.split())[:_LONGEST] for one in several if isinstance(one, str)]
    return list(dict.fromkeys(line for line in lines if line))[:most]


def _text(given: dict[str, Any], name: str) -> str:
    value = given.get(name)
    text = " ".join(value.split())[:_LONGEST] if isinstance(value, str) else ""
    return "" if text.lower() in ("here", "me", "my location") else text


def _knows(one: Maps, text: str) -> bool:
    """Ids of one map mean nothing to another."""
    return not text.startswith("places/") or one.owns(text.removeprefix("places/"))


def _on_wire(places: Sequence[Place]) -> GoogleMapsResult:
    return GoogleMapsResult(places=[told.on_wire(place) for place in places])
