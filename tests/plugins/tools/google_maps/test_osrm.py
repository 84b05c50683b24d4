"""OSRM: what is asked, and its steps in words."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from interplay.contracts.failure import BadAnswer, Refused
from interplay.plugins.tools.google_maps import Config, osrm
from interplay.plugins.tools.google_maps.mirrors import Kept, Mirrors
from interplay.plugins.tools.google_maps.places import Point
from interplay.testing.local_web import LocalWeb, Page

PATH = "/route/v1/driving/8.330000,54.650000;8.300000,54.670000"
START, END = Point(54.65, 8.33), Point(54.67, 8.3)


@pytest.fixture
async def web() -> AsyncIterator[LocalWeb]:
    async with LocalWeb() as web:
        yield web


async def way(web: LocalWeb, body: Any, status: int = 200) -> osrm.Way:
    web.on(PATH, Page(status=status, body=json.dumps(body).encode()))
    told = {400: osrm.NO_ROUTE}
    mirrors = Mirrors("OSRM", web.url(""), Config(pace=0.0), Kept(0.0, 1), told)
    try:
        return await osrm.way(mirrors, START, END)
    finally:
        await mirrors.close()


def step(type_: str, modifier: str = "", name: str = "", **more: Any) -> dict[str, Any]:
    maneuver = {"type": type_, "location": [0, 0], **({"modifier": modifier} if modifier else {})}
    exit_ = {"exit": more.pop("exit")} if "exit" in more else {}
    return {"distance": 40.4, "duration": 9, "name": name, "maneuver": maneuver | exit_, **more}


async def test_longitude_stands_first_and_steps_are_words(web: LocalWeb) -> None:
    steps = [
        step("depart", "right", "Quay"),
        step("turn", "slight left", "Dune Road", ref="L 12"),
        step("end of road", "straight"),
        step("continue", "uturn"),
        step("new name", "straight", "Mill Lane"),
        step("roundabout", "right", "Ring", exit=2),
        step("fork", "left", "A 1"),
        step("arrive"),
    ]
    leg = {"steps": steps, "summary": "Quay, Ring", "distance": 1, "duration": 1}
    found = await way(
        web, {"code": "Ok", "routes": [{"distance": 1234.5, "duration": 99, "legs": [leg]}]}
    )
    assert (found.meters, found.seconds, found.summary) == (1234.5, 99, "Quay, Ring")
    assert found.steps == [
        "Start on Quay, 40 m.",
        "Turn slight left onto Dune Road (L 12), 40 m.",
        "Go on, 40 m.",
        "Turn around, 40 m.",
        "Go on along Mill Lane, 40 m.",
        "Take exit 2 of the roundabout onto Ring, 40 m.",
        "Fork left onto A 1, 40 m.",
        "Arrive.",
    ]
    assert web.requests[0].target == f"{PATH}?overview=false&steps=true&alternatives=false"


@pytest.mark.parametrize("status", [200, 400])
@pytest.mark.parametrize("code", ["NoRoute", "NoSegment"])
async def test_where_nothing_joins_the_places_it_is_said(
    web: LocalWeb, code: str, status: int
) -> None:
    with pytest.raises(Refused, match="no such route"):
        await way(web, {"code": code, "message": "x"}, status)


@pytest.mark.parametrize("body", [{"code": "Ok", "routes": []}, {"code": "TooBig"}, [], "Ok"])
async def test_what_is_no_route_is_no_answer(web: LocalWeb, body: Any) -> None:
    with pytest.raises(BadAnswer):
        await way(web, body)
