"""Nominatim: what it is asked, and what becomes of its answers."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from interplay.contracts.failure import BadAnswer, Refused
from interplay.plugins.tools.google_maps import Config
from interplay.plugins.tools.google_maps.mirrors import Kept, Mirrors
from interplay.plugins.tools.google_maps.nominatim import Nominatim
from interplay.plugins.tools.google_maps.places import Place, Point
from interplay.testing.local_web import LocalWeb, Page

CITY = {
    "place_id": 100149,
    "licence": "Data © OpenStreetMap contributors, ODbL 1.0. http://osm.org/copyright",
    "osm_type": "node",
    "osm_id": 107775,
    "boundingbox": ["51.3473219", "51.6673219", "-0.2876474", "0.0323526"],
    "lat": "51.5073219",
    "lon": "-0.1276474",
    "display_name": "London, Greater London, England, United Kingdom",
    "category": "place",
    "type": "city",
    "place_rank": 15,
    "importance": 0.96,
    "addresstype": "city",
    "name": "London",
    "extratags": {"capital": "yes", "wikipedia": "en:London", "population": "8416535"},
}


@pytest.fixture
async def web() -> AsyncIterator[LocalWeb]:
    async with LocalWeb() as web:
        yield web


async def found(web: LocalWeb, *answers: Any, here: Point | None = None) -> list[Place]:
    web.on("/search", Page(body=json.dumps(answers).encode()))
    nominatim = Nominatim(Mirrors("Nominatim", web.url(""), Config(pace=0.0), Kept(0.0, 1)))
    try:
        return await nominatim.search("london", here, 2)
    finally:
        await nominatim.close()


async def test_a_place_has_its_name_address_kind_and_facts(web: LocalWeb) -> None:
    (place,) = await found(web, CITY)
    assert place == Place(
        name="London",
        id="N107775",
        url="https://www.openstreetmap.org/node/107775",
        point=Point(51.5073219, -0.1276474),
        address="Greater London, England, United Kingdom",
        kind="city",
        facts=["population: 8416535", "wikipedia: en:London"],
    )
    assert web.requests[0].target == "/search?q=london&format=jsonv2&limit=2&extratags=1"


async def test_places_near_the_user_are_preferred(web: LocalWeb) -> None:
    await found(web, CITY, here=Point(60.0, 179.8))
    assert "viewbox=179.3000,60.2500,180.0000,59.7500" in web.requests[0].target


async def test_what_is_no_object_of_the_map_is_found_by_its_point(web: LocalWeb) -> None:
    postcode = {"lat": "51.5", "lon": "-0.1", "display_name": "", "name": "", "extratags": None}
    (place,) = await found(web, {**postcode, "category": "place", "type": "postcode"})
    assert (place.id, place.name, place.kind) == ("", "51.50000,-0.10000", "postcode")
    assert place.url == "https://www.openstreetmap.org/#map=18/51.50000/-0.10000"


async def test_no_more_places_come_than_were_wanted(web: LocalWeb) -> None:
    assert len(await found(web, CITY, CITY, CITY)) == 2


@pytest.mark.parametrize(
    "answer", [{**CITY, "lat": "91"}, {**CITY, "lon": "north"}, {"error": "x"}, 5]
)
async def test_what_is_no_place_is_no_answer(web: LocalWeb, answer: Any) -> None:
    with pytest.raises(BadAnswer):
        await found(web, answer)


async def test_an_object_that_is_not_there_is_refused(web: LocalWeb) -> None:
    web.on("/lookup", Page(body=b"[]"))
    nominatim = Nominatim(Mirrors("Nominatim", web.url(""), Config(pace=0.0), Kept(0.0, 1)))
    with pytest.raises(Refused, match="places/N5"):
        await nominatim.lookup("N5")
    await nominatim.close()
