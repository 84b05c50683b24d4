"""The functions a model is shown of maps, as far as some map can answer them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from interplay.contracts.model import FunctionSpec
from interplay.plugins.tools.google_maps.config import Config

SEARCH, NEARBY = "google_maps", "google_maps_nearby"
DETAILS, ROUTE = "google_maps_details", "google_maps_route"
_CITE = " Write the number of the place or route a statement rests on right behind it, like [1]."


def offers(
    config: Config, abilities: frozenset[str], modes: Sequence[str], *, located: bool
) -> list[FunctionSpec]:
    """One function for each thing that can be done; `located` when it is known where the user
    is."""
    specs: list[FunctionSpec] = []
    if "search" in abilities:
        specs.append(_search(config))
    if "nearby" in abilities:
        specs.append(_nearby(config, located))
    if "details" in abilities:
        specs.append(_details())
    if modes:
        specs.append(_route(modes, located))
    return specs


def _spec(
    name: str, about: str, properties: dict[str, Any], required: Sequence[str]
) -> FunctionSpec:
    parameters = {"type": "object", "properties": properties, "required": [*required]}
    return FunctionSpec(name=name, description=about + _CITE, parameters=parameters)


def _search(config: Config) -> FunctionSpec:
    queries = {
        "type": "array",
        "items": {"type": "string"},
        "minItems": 1,
        "maxItems": config.queries,
        "description": "Each the name or address of a place, with its town or country.",
    }
    about = "Finds places and addresses on a map by name, such as 'Pantheon, Rome'."
    return _spec(SEARCH, about, {"queries": queries}, ["queries"])


def _nearby(config: Config, located: bool) -> FunctionSpec:
    user = "; leave it out for where the user is" if located else ""
    properties = {
        "what": {
            "type": "string",
            "description": "A kind of place in English singular, such as 'pharmacy', or a name.",
        },
        "near": {
            "type": "string",
            "description": "The place to look around: its name, or 'latitude,longitude'" + user,
        },
        "radius_meters": {
            "type": "number",
            "description": f"{config.radius:.0f} when left out, {config.most_radius:.0f} at most",
        },
    }
    required = ["what"] if located else ["what", "near"]
    return _spec(NEARBY, "Finds places of a kind around a place.", properties, required)


def _details() -> FunctionSpec:
    place = {"type": "string", "description": "As a search gave it: places/ and an id."}
    about = "Tells what the map knows of one place, such as its opening hours."
    return _spec(DETAILS, about, {"place_id": place}, ["place_id"])


def _route(modes: Sequence[str], located: bool) -> FunctionSpec:
    one = "A name or address, 'latitude,longitude', or a place_id"
    user = "; leave it out for where the user is" if located else ""
    properties = {
        "from": {"type": "string", "description": one + user},
        "to": {"type": "string", "description": one},
        "mode": {"type": "string", "enum": [*modes], "description": f"{modes[0]} when left out"},
    }
    about = "Finds the way between two places: its length, time and steps."
    return _spec(ROUTE, about, properties, ["to"] if located else ["from", "to"])
