"""JSON data of others as what it should be: objects and lists of objects."""

from __future__ import annotations

from typing import Any, cast


def fields(value: Any) -> dict[str, Any]:
    """An object as it stands; anything else has no fields."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def objects(value: Any) -> list[dict[str, Any]]:
    """The objects of a list; anything else holds none."""
    if not isinstance(value, list):
        return []
    items = cast("list[Any]", value)
    return [cast("dict[str, Any]", item) for item in items if isinstance(item, dict)]
