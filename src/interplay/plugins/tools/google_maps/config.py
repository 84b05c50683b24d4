"""What an operator can set for maps."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

_Count = Annotated[int, msgspec.Meta(ge=1)]
_Seconds = Annotated[float, msgspec.Meta(gt=0)]
_Span = Annotated[float, msgspec.Meta(ge=0)]


class Config(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """The fields of `[tools.google_maps]`. An address may be a list: the next one is asked when one
    fails. What has no address is not offered to models."""

    nominatim: str | list[str] = ""
    """Where Nominatim answers: finds places and addresses by text, and their details."""
    overpass: str | list[str] = ""
    """Where Overpass answers, without `/interpreter`: finds kinds of places near a point."""
    osrm: str | list[str] = ""
    """Where an OSRM for cars answers, without `/route/v1`."""
    osrm_walking: str | list[str] = ""
    """Where an OSRM for walking answers."""
    osrm_cycling: str | list[str] = ""
    """Where an OSRM for cycling answers."""
    google_key_env: str = ""
    """The environment variable that holds a key for Google's Places API (New) and Routes API; empty
    for not asking Google."""
    places_url: str = ""
    """Another address that speaks the Places API; empty for Google's own."""
    routes_url: str = ""
    """Another address that speaks the Routes API; empty for Google's own."""
    first: Literal["openstreetmap", "google"] = "openstreetmap"
    """Which is asked first where both are set; the other follows when it fails."""
    user_agent: str = "Interplay"
    """Said to the OpenStreetMap services. Public ones want to know who asks: add a way to reach
    you."""
    pace: _Span = 1.0
    """Seconds between two requests of this process to one OpenStreetMap server; 0 for your own."""
    cache_seconds: _Span = 86_400.0
    """How long answers of OpenStreetMap services are given again; those of Google never are."""
    cache_entries: _Count = 1_000
    """Answers kept, in each process."""
    seconds: _Seconds = 12.0
    """One request, waiting for its turn included."""
    answer_bytes: _Count = 4 * 1024 * 1024
    """The largest answer that is read."""
    places: _Count = 8
    """Places of one search at most."""
    queries: _Count = 4
    """Searches of one call; more are left out."""
    radius: _Seconds = 1_500.0
    """Meters around a point that are searched where a model names none."""
    most_radius: _Seconds = 20_000.0
    """Meters a model may ask for."""
    steps: _Count = 30
    """Steps of a route the model is shown."""
    reviews: Annotated[int, msgspec.Meta(ge=0)] = 3
    """Reviews of one place the model is shown; only Google has them."""
    language: str = ""
    """BCP 47, for names and words; empty for the services' own."""
