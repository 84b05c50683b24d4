"""JSON schemas as the runtime can hold a model to them."""

from __future__ import annotations

from typing import Any, cast

import jsonschema_rs

from interplay.contracts.failure import Refused

_MAPS = ("properties", "$defs", "definitions", "patternProperties")
_LISTS = ("anyOf", "oneOf", "prefixItems")
_SINGLE = ("items", "additionalProperties")
_CALLS_AT_ONCE = 8


def usable(schema: dict[str, Any], what: str) -> dict[str, Any]:
    """The schema with lower-case types and closed objects, checked.

    Objects are closed because a small model left free invents properties; what fits the closed
    schema fits the given one. `what` names the schema in the message of Refused.
    """
    ready = _tightened(schema)
    try:
        jsonschema_rs.validator_for(ready, retriever=_nothing_remote)
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as error:
        message = getattr(error, "message", None) or str(error)
        path = "".join(f"[{part!r}]" for part in getattr(error, "instance_path", ()))
        raise Refused(f"{what}{path} is not a usable JSON schema: {message}") from error
    return ready


def _nothing_remote(uri: str) -> Any:
    raise ValueError(f"'{uri}' lies outside the schema, and nothing is fetched")


def calls_of(parameters: dict[str, Any]) -> dict[str, Any]:
    """An array of arguments, one element per call."""
    return {
        "type": "array",
        "items": _moved(parameters),
        "minItems": 1,
        "maxItems": _CALLS_AT_ONCE,
    }


def _tightened(schema: Any) -> Any:
    if not isinstance(schema, dict):
        return schema
    ready = dict(cast("dict[str, Any]", schema))
    kind = ready.get("type")
    if isinstance(kind, str):
        ready["type"] = kind.lower()
    elif isinstance(kind, list):
        ready["type"] = [str(each).lower() for each in cast("list[Any]", kind)]
    for key in _MAPS:
        if isinstance(ready.get(key), dict):
            ready[key] = {name: _tightened(value) for name, value in ready[key].items()}
    for key in _LISTS:
        if isinstance(ready.get(key), list):
            ready[key] = [_tightened(value) for value in ready[key]]
    for key in _SINGLE:
        if key in ready:
            ready[key] = _tightened(ready[key])
    # Beside allOf and its like, a closed object would shut out what the others allow.
    joined = any(key in ready for key in ("allOf", "anyOf", "oneOf", "if", "$ref"))
    if "properties" in ready and "additionalProperties" not in ready and not joined:
        ready["additionalProperties"] = False
    return ready


def _moved(schema: Any) -> Any:
    """The schema with its references right for its new place under `items`."""
    if isinstance(schema, list):
        return [_moved(value) for value in cast("list[Any]", schema)]
    if not isinstance(schema, dict):
        return schema
    moved = {key: _moved(value) for key, value in cast("dict[str, Any]", schema).items()}
    if isinstance(reference := moved.get("$ref"), str) and reference.startswith("#"):
        moved["$ref"] = "#/items" + reference[1:]
    return moved
