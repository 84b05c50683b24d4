"""Google's services: what they are asked, and how their places are told."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from interplay.contracts.failure import BadAnswer, Busy, Refused, Unavailable
from interplay.testing.local_maps import KEY, LocalMaps
from interplay.testing.local_web import Page
from interplay.wire.content import ReviewSnippet
from interplay.wire.tools import GoogleMaps as Declaration
from tests.plugins.tools.google_maps.maps import called, google, opened


@pytest.fixture
async def maps(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[LocalMaps]:
    monkeypatch.setenv("THE_KEY", KEY)
    async with LocalMaps() as maps:
        yield maps


def sent(maps: LocalMaps) -> Any:
    return json.loads(maps.requests[-1].body)


async def test_a_search_names_its_fields_and_where_the_user_is(maps: LocalMaps) -> None:
    async with opened(**google(maps, language="en", places=30)) as tool:
        made = await called(tool, queries=["Harbour Pharmacy"])
    request = maps.requests[-1]
    assert (request.method, request.target) == ("POST", "/google/v1/places:searchText")
    assert request.headers["x-goog-api-key"] == KEY
    assert "places.displayName" in request.headers["x-goog-fieldmask"].split(",")
    center = {"latitude": 54.65, "longitude": 8.33}
    assert sent(maps) == {
        "textQuery": "Harbour Pharmacy",
        "pageSize": 20,
        "languageCode": "en",
        "locationBias": {"circle": {"center": center, "radius": 5000.0}},
    }
    assert "    rating: 4.5 of 5 by 12" in made.lines
    assert "(Data: Google Maps)" in made.lines


async def test_details_bring_reviews_as_snippets_and_as_data(maps: LocalMaps) -> None:
    async with opened(**google(maps)) as tool:
        made = await called(tool, "google_maps_details", place_id="places/ChIJlocal000101xyz")
    snippet = ReviewSnippet(
        review_id="R1", title="Ada, 5 of 5, 2 weeks ago", url="https://maps.example/r1"
    )
    assert made.found.result[0].places[0].review_snippets == [snippet]
    assert made.sources[1].review_snippets == [snippet]
    assert "        Friendly, and open early (1)." in made.lines


async def test_the_reviews_of_a_place_are_bounded(maps: LocalMaps) -> None:
    async with opened(**google(maps, reviews=0)) as tool:
        made = await called(tool, "google_maps_details", place_id="places/ChIJlocal000101xyz")
    assert made.sources[1].review_snippets is None


async def test_another_place_is_left_to_google_to_find(maps: LocalMaps) -> None:
    async with opened(**google(maps)) as tool:
        await called(tool, "google_maps_nearby", Declaration(), what="pizza", near="Sankt Amund")
        assert sent(maps) == {"textQuery": "pizza near Sankt Amund", "pageSize": 8}
        await called(tool, "google_maps_nearby", what="pizza", radius_meters=900)
        assert sent(maps)["locationBias"]["circle"]["radius"] == 900.0


async def test_a_route_takes_words_coordinates_and_ids(maps: LocalMaps) -> None:
    async with opened(**google(maps)) as tool:
        made = await called(
            tool, "google_maps_route", from_="54.6,8.3", to="places/ChIJlocal000101xyz"
        )
        assert sent(maps) == {
            "origin": {"location": {"latLng": {"latitude": 54.6, "longitude": 8.3}}},
            "destination": {"placeId": "ChIJlocal000101xyz"},
            "travelMode": "DRIVE",
            "units": "METRIC",
        }
        by_bus = await called(tool, "google_maps_route", to="Dunes", mode="transit")
        assert sent(maps)["destination"] == {"address": "Dunes"}
    assert "    1.2 km, 3 min" in made.lines
    assert "    2. Turn left, 800 m." in made.lines
    assert "    2. Take 7 from Quay to Dunes, 800 m." in by_bus.lines
    assert made.sources[1].url.startswith("https://www.google.com/maps/dir/?api=1&origin=54.6")


@pytest.mark.parametrize(
    ("page", "failure"),
    [
        (Page(status=403), Refused),
        (Page(status=400), Refused),
        (Page(status=429, headers={"retry-after": "2"}), Busy),
        (Page(status=500), Unavailable),
        (Page(body=b"<html>"), BadAnswer),
        (Page(body=b'{"places": [{"displayName": 5}]}'), BadAnswer),
    ],
)
async def test_what_google_refuses_is_typed_and_holds_no_key(
    maps: LocalMaps, page: Page, failure: type[Exception]
) -> None:
    maps.on("/google/v1/places:searchText", page)
    async with opened(**google(maps)) as tool:
        with pytest.raises(failure) as raised:
            await called(tool, queries=["x"])
    assert KEY not in str(raised.value)


async def test_where_no_way_leads_it_is_said(maps: LocalMaps) -> None:
    async with opened(**google(maps)) as tool:
        with pytest.raises(Refused, match="no such route"):
            await called(tool, "google_maps_route", to="Atlantis")


async def test_nothing_google_says_is_kept(maps: LocalMaps) -> None:
    async with opened(**google(maps)) as tool:
        await called(tool, queries=["Da Piero"])
        await called(tool, queries=["Da Piero"])
    assert len(maps.requests) == 2


async def test_an_address_that_is_none_of_the_web_is_left_out(maps: LocalMaps) -> None:
    place = {"id": "ChIJabcdefghijk", "googleMapsUri": "javascript:alert(1)"}
    page = Page(body=json.dumps({"places": [place]}).encode())
    maps.on("/google/v1/places:searchText", page)
    async with opened(**google(maps)) as tool:
        made = await called(tool, queries=["x"])
    assert made.found.result[0].places[0].url is None
    assert made.sources[1].name == "ChIJabcdefghijk"
