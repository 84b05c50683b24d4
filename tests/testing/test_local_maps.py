"""LocalMaps refuses what the real services refuse."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from interplay.testing.local_maps import KEY, LocalMaps

UNION = '[out:json][timeout:9];(nwr["amenity"="pharmacy"](around:900,54.65,8.33););out center 9;'


@pytest.fixture
async def maps() -> AsyncIterator[LocalMaps]:
    async with LocalMaps() as maps:
        yield maps


async def got(url: str, **given: Any) -> tuple[int, Any]:
    method = "POST" if "json" in given else "GET"
    async with (
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(20)) as session,
        session.request(method, url, **given) as answer,
    ):
        is_json = answer.content_type == "application/json"
        return answer.status, await (answer.json() if is_json else answer.text())


async def test_nominatim_wants_to_know_who_asks(maps: LocalMaps) -> None:
    url = f"{maps.nominatim}/search?q=lighthouse&format=jsonv2"
    assert (await got(url))[0] == 403
    status, found = await got(url, headers={"user-agent": "Me"})
    assert (status, found[0]["osm_id"], found[0]["lat"]) == (200, 404, "54.6700000")


@pytest.mark.parametrize(
    "data",
    ["", UNION.replace("json", "xml"), UNION + "x", UNION.replace('"amenity"', "amenity]["), "a;"],
)
async def test_overpass_refuses_what_it_cannot_parse(maps: LocalMaps, data: str) -> None:
    url = f"{maps.overpass}/interpreter"
    assert (await got(url, params={"data": UNION}))[1]["elements"][0]["id"] == 101
    assert (await got(url, params={"data": data}))[0] == 400


async def test_osrm_knows_no_road_at_sea(maps: LocalMaps) -> None:
    status, body = await got(f"{maps.osrm}/route/v1/driving/8.33,54.65;0,0")
    assert (status, body["code"]) == (400, "NoSegment")


async def test_google_wants_a_key_and_a_mask_and_answers_no_more_than_that(
    maps: LocalMaps,
) -> None:
    url, asked = f"{maps.google}/v1/places:searchText", {"textQuery": "harbour pharmacy"}
    fields = {"x-goog-fieldmask": "places.id,places.displayName.text"}
    assert (await got(url, json=asked, headers=fields))[0] == 403
    assert (await got(url, json=asked, headers={"x-goog-api-key": KEY}))[0] == 400
    status, body = await got(url, json=asked, headers={**fields, "x-goog-api-key": KEY})
    assert status == 200
    assert body["places"] == [
        {"id": "ChIJlocal000101xyz", "displayName": {"text": "Harbour Pharmacy"}}
    ]
