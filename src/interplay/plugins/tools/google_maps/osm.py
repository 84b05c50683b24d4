"""Objects of OpenStreetMap: their ids, addresses on the web, and what their tags say."""

from __future__ import annotations

import re
from collections.abc import Mapping

_LETTERS = {"node": "N", "way": "W", "relation": "R"}
_TYPES = {letter: type_ for type_, letter in _LETTERS.items()}
_ID = re.compile(r"([NWR])(\d{1,18})")
KINDS = (
    "amenity",
    "shop",
    "tourism",
    "leisure",
    "healthcare",
    "historic",
    "railway",
    "public_transport",
    "aeroway",
    "craft",
    "office",
    "natural",
    "place",
)
"""Keys whose value says what a thing is."""
_FACTS = (
    "cuisine",
    "opening_hours",
    "phone",
    "contact:phone",
    "website",
    "contact:website",
    "email",
    "contact:email",
    "wheelchair",
    "fee",
    "diet:vegetarian",
    "diet:vegan",
    "internet_access",
    "outdoor_seating",
    "takeaway",
    "stars",
    "operator",
    "brand",
    "ele",
    "population",
    "description",
    "wikipedia",
)


def place_id(type_: str | None, number: int | None) -> str:
    """`node` and 7 -> `N7`; empty for what is no object of the map."""
    letter = _LETTERS.get(type_ or "", "")
    return f"{letter}{number}" if letter and number is not None else ""


def object_of(id: str) -> tuple[str, int] | None:
    """`N7` -> `node` and 7; None for what is no id of this map."""
    found = _ID.fullmatch(id)
    return (_TYPES[found[1]], int(found[2])) if found else None


def url_of(id: str) -> str | None:
    """Where an object can be looked at."""
    found = object_of(id)
    return f"https://www.openstreetmap.org/{found[0]}/{found[1]}" if found else None


def kind_of(tags: Mapping[str, str]) -> str:
    """What a thing is, in words: `fast food`."""
    for key in KINDS:
        if (value := tags.get(key, "no")) not in ("no", "yes"):
            return value.replace("_", " ").replace(";", ", ")
    return ""


def facts_of(tags: Mapping[str, str]) -> list[str]:
    """What is worth saying of a thing beside its name and kind."""
    facts: list[str] = []
    for key in _FACTS:
        value = tags.get(key)
        label = key.removeprefix("contact:").replace("_", " ").replace(":", " ")
        if value and not any(fact.startswith(f"{label}: ") for fact in facts):
            facts.append(f"{label}: {value.replace(';', '; ')}")
    return facts


def address_of(tags: Mapping[str, str]) -> str:
    """The address that a thing's own tags hold."""
    street = " ".join(
        part for key in ("addr:street", "addr:housenumber") if (part := tags.get(key))
    )
    town = " ".join(part for key in ("addr:postcode", "addr:city") if (part := tags.get(key)))
    return ", ".join(part for part in (street, town) if part)
