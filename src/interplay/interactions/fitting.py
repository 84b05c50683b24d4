"""Arguments of a call as its schema means them, where nothing is lost: "3" for 3, one for a list
of one.

Only calls that the server itself answers are put right so: their steps are written from what is
called with. The call of a caller's function is shown while the model writes it, and stays as shown.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any, cast

import msgspec

from interplay.interactions.schema import Validator

_INTEGER = re.compile(r"^-?\d{1,18}$")
_NUMBER = re.compile(r"^-?\d{1,18}(\.\d{1,18})?$")
_DEPTH = 32


def fitted(schema: dict[str, Any], arguments: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """The arguments, and what is wrong with them by a cleaned schema: those that fit or can be
    made to fit without loss come back as they fit, any others as they are with their faults."""
    if not schema:
        return arguments, []
    validator = Validator.of(schema)
    faults = validator.errors(arguments)
    if faults:
        mended: Any = _mended(schema, arguments, 0)
        if not validator.errors(mended):
            return mended, []
    return arguments, faults


def _mended(schema: Any, value: Any, depth: int) -> Any:
    if not isinstance(schema, dict) or depth > _DEPTH:
        return value
    known = cast("dict[str, Any]", schema)
    if isinstance(types := known.get("type"), str):
        types = [types]
    if isinstance(types, list) and not any(_is(value, kind) for kind in types):  # pyright: ignore
        value = _converted(cast("list[str]", types), value)
    if isinstance(value, dict):
        return _object(known, cast("dict[str, Any]", value), depth)
    if isinstance(value, list):
        items: Any = known.get("items")
        return [_mended(items, entry, depth + 1) for entry in cast("list[Any]", value)]
    return value


def _object(schema: dict[str, Any], value: dict[str, Any], depth: int) -> dict[str, Any]:
    properties: Any = schema.get("properties")
    required: Any = schema.get("required") or []
    if not isinstance(properties, dict):
        return value
    mended: dict[str, Any] = {}
    for name, entry in value.items():
        inner: Any = cast("dict[str, Any]", properties).get(name)
        if entry is None and name not in required and not _takes_null(inner):
            continue  # models write null for what they leave out
        mended[name] = _mended(inner, entry, depth + 1)
    return mended


def _takes_null(schema: Any) -> bool:
    """Whether null may mean something here: anything but a plain type does not say."""
    if not isinstance(schema, dict):
        return True
    types: Any = cast("dict[str, Any]", schema).get("type")
    return types is None or types == "null" or (isinstance(types, list) and "null" in types)


def _converted(types: list[str], value: Any) -> Any:
    for kind in types:
        convert = _CONVERSIONS.get(kind)
        converted = convert(value) if convert is not None else None
        if converted is not None:
            return converted
    return value


def _integer(value: Any) -> int | None:
    if isinstance(value, str) and _INTEGER.match(value.strip()):
        return int(value)
    return None


def _number(value: Any) -> float | int | None:
    if (whole := _integer(value)) is not None:
        return whole
    if isinstance(value, str) and _NUMBER.match(value.strip()):
        return float(value)
    return None


def _boolean(value: Any) -> bool | None:
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.strip().lower())
    return None


def _string(value: Any) -> str | None:
    if _is(value, "number") and math.isfinite(value):
        return msgspec.json.encode(value).decode()
    return None


def _array(value: Any) -> list[Any] | None:
    inside = _json(value)
    if isinstance(inside, list):
        return cast("list[Any]", inside)
    return [value] if value is not None else None


def _dict(value: Any) -> dict[str, Any] | None:
    inside = _json(value)
    return cast("dict[str, Any]", inside) if isinstance(inside, dict) else None


def _json(value: Any) -> Any:
    if not isinstance(value, str) or value.strip()[:1] not in ("[", "{"):
        return None
    try:
        return msgspec.json.decode(value)
    except (msgspec.DecodeError, RecursionError):
        return None


_CONVERSIONS: dict[str, Callable[[Any], Any]] = {
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "string": _string,
    "array": _array,
    "object": _dict,
}


def _is(value: Any, kind: Any) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    return isinstance(value, _KINDS.get(kind, object))


_KINDS: dict[Any, Any] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "array": list,
    "object": dict,
    "null": type(None),
}
