"""OSRM: routes between coordinates."""

from __future__ import annotations

import msgspec

from interplay.contracts.failure import BadAnswer, Refused
from interplay.plugins.tools.google_maps.mirrors import Mirrors
from interplay.plugins.tools.google_maps.places import Point

_PROFILE = "driving"
"""A server has the one profile its data were made with, whatever the address says."""
NO_ROUTE = "OSRM knows no such route: the places lie on no road it knows, or nothing joins them."


class _Maneuver(msgspec.Struct):
    type: str
    modifier: str = ""
    exit: int | None = None


class _Step(msgspec.Struct):
    distance: float
    maneuver: _Maneuver
    name: str = ""
    ref: str = ""


class _Leg(msgspec.Struct):
    steps: list[_Step] = []
    summary: str = ""


class _Route(msgspec.Struct):
    distance: float
    duration: float
    legs: list[_Leg] = []


class _Answer(msgspec.Struct):
    code: str
    routes: list[_Route] = []


class Way(msgspec.Struct):
    """A route in words."""

    meters: float
    seconds: float
    summary: str
    steps: list[str]


async def way(mirrors: Mirrors, start: Point, end: Point) -> Way:
    """The best route. Raises Refused when there is none."""
    pair = ";".join(f"{point.longitude:.6f},{point.latitude:.6f}" for point in (start, end))
    params = {"overview": "false", "steps": "true", "alternatives": "false"}
    answer = await mirrors.ask(f"/route/v1/{_PROFILE}/{pair}", _Answer, params)
    if answer.code in ("NoRoute", "NoSegment"):
        raise Refused(NO_ROUTE)
    if answer.code != "Ok" or not answer.routes:
        raise BadAnswer("OSRM answered with something that is not its form.")
    best = answer.routes[0]
    steps = [_told(step) for leg in best.legs for step in leg.steps]
    summary = "; ".join(leg.summary for leg in best.legs if leg.summary)
    return Way(best.distance, best.duration, summary, steps)


def _told(step: _Step) -> str:
    road = " ".join(part for part in (step.name, f"({step.ref})" if step.ref else "") if part)
    turn = step.maneuver
    said, join = f"{turn.type} {turn.modifier}".strip().capitalize(), "onto"
    if turn.type == "arrive":
        return "Arrive."
    if turn.type == "depart":
        said, join = "Start", "on"
    elif turn.type in ("roundabout", "rotary"):
        said = f"Take exit {turn.exit} of the roundabout" if turn.exit else "Take the roundabout"
    elif turn.modifier == "uturn":
        said, join = "Turn around", "on"
    elif turn.modifier == "straight" or turn.type in ("continue", "new name", "notification"):
        said, join = "Go on", "along"
    elif turn.type in ("end of road", "roundabout turn"):
        said = f"Turn {turn.modifier}".strip()
    way = f" {join} {road}" if road else ""
    return f"{said}{way}, {step.distance:.0f} m."
