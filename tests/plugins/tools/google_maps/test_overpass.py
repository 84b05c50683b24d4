"""Overpass: what a word becomes in its language, and what comes back."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from urllib.parse import parse_qs, urlsplit

import pytest

from interplay.contracts.failure import Failure, Refused, Unavailable
from interplay.plugins.tools.google_maps import Config
from interplay.plugins.tools.google_maps.mirrors import Kept, Mirrors
from interplay.plugins.tools.google_maps.overpass import Overpass
from interplay.plugins.tools.google_maps.places import Place, Point
from interplay.testing.local_maps import LocalMaps, Thing
from interplay.testing.local_web import Page

MIDDLE = Point(54.65, 8.33)


@pytest.fixture
async def maps() -> AsyncIterator[LocalMaps]:
    async with LocalMaps() as maps:
        yield maps


async def around(maps: LocalMaps, what: str, radius: float = 5_000, count: int = 9) -> list[Place]:
    config = Config(pace=0.0)
    overpass = Overpass(Mirrors("Overpass", maps.overpass, config, Kept(0.0, 1)), 12)
    try:
        return await overpass.around(what, MIDDLE, radius, count)
    finally:
        await overpass.close()


def query(maps: LocalMaps) -> str:
    return parse_qs(urlsplit(maps.requests[-1].target).query)["data"][0]


@pytest.mark.parametrize(
    ("what", "names"),
    [
        ("pharmacy", ["Harbour Pharmacy", "Dune Pharmacy"]),
        ("Pharmacies", ["Harbour Pharmacy", "Dune Pharmacy"]),
        ("amenity=restaurant", ["Da Piero"]),
        ("pasta", ["Da Piero"]),
        ("da piero", ["Da Piero"]),
        ("attraction", ["Old Lighthouse"]),
        ("casino", []),
    ],
)
async def test_a_word_is_a_kind_a_tag_a_cuisine_or_a_name(
    maps: LocalMaps, what: str, names: list[str]
) -> None:
    assert [place.name for place in await around(maps, what)] == names


async def test_the_query_is_bounded_in_time_and_number(maps: LocalMaps) -> None:
    await around(maps, "amenity=bank", 1234.4)
    assert query(maps) == (
        "[out:json][timeout:12];"
        '(nwr["amenity"="bank"](around:1234,54.65000,8.33000););out center 200;'
    )


@pytest.mark.parametrize(
    "what",
    [
        'x"](around:9,0,0);node(1);out;("',
        "x\\",
        'a"b\\"c',
        "x;out;",
        "[out:xml]",
        ".*",
        "(a|b)",
        "amenity=a\\b",
        "x\n];out meta;",
    ],
)
async def test_nothing_of_a_word_is_read_as_query(maps: LocalMaps, what: str) -> None:
    if not any(c.isalnum() for c in what):
        with pytest.raises(Refused):
            await around(maps, what)
        return
    assert await around(maps, what) == []
    asked = re.sub(r'"(?:[^"\\]|\\.)*"', "", query(maps))
    await around(maps, "casino")
    assert asked == re.sub(r'"[^"]*"', "", query(maps))


async def test_the_nearest_of_many_are_kept(maps: LocalMaps) -> None:
    maps.things = [
        Thing(id=n, lat=54.65 + n / 1000, lon=8.33, tags={"shop": "bakery", "name": f"B{n}"})
        for n in (5, 3, 4, 1, 2)
    ]
    found = await around(maps, "bakery", count=3)
    assert [place.name for place in found] == ["B1", "B2", "B3"]


async def test_a_thing_without_a_name_is_told_by_its_kind(maps: LocalMaps) -> None:
    maps.things = [Thing(id=7, lat=54.65, lon=8.33, tags={"amenity": "drinking_water"})]
    (place,) = await around(maps, "drinking water")
    assert (place.name, place.kind) == ("drinking water N7", "drinking water")


async def test_a_search_that_was_given_up_is_a_failure(maps: LocalMaps) -> None:
    body = {"elements": [], "remark": "runtime error: Query timed out in 'query' at line 1"}
    maps.on("/overpass/api/interpreter", Page(body=json.dumps(body).encode()))
    with pytest.raises(Unavailable, match="smaller radius"):
        await around(maps, "pharmacy")


@pytest.mark.parametrize("status", [400, 429, 504])
async def test_what_overpass_refuses_is_typed(maps: LocalMaps, status: int) -> None:
    maps.on("/overpass/api/interpreter", Page(status=status, body=b"<html>"))
    with pytest.raises(Failure, match="Overpass"):
        await around(maps, "pharmacy")
