"""A body that does not decode: every fault with its exact path and a way out.

Runs only after decoding failed, so it may take its time; it never raises, whatever the JSON.
"""

from __future__ import annotations

import difflib
import re
from functools import lru_cache
from typing import Any, cast

import msgspec

from interplay.wire.fault import (
    Fault,
    Path,
    at,
    from_msgspec,
    got,
    number,
    reworded,
    short,
    show,
    speaks_of_kinds,
)
from interplay.wire.malformed import explain_bytes
from interplay.wire.shape import ObjectShape, Shape, shape_of

__all__ = ["Fault", "explain", "explain_body", "explain_bytes"]

_DEPTH = 64
_SUGGESTIBLE = 64


def explain(
    value: Any, type: Any, *, strict: bool = True, limit: int = 20, under: Path = ()
) -> list[Fault]:
    """Every fault of parsed JSON against a type, at most `limit`, in the order of the value.

    Empty exactly when `msgspec.convert(value, type, strict=strict)` succeeds. Arms of a union
    are told apart by their tag alone, so each fault is one of the arm that was meant. `under`
    is where the value stands in its body, e.g. `("response_format", 0)`.
    """
    error = _refusal(value, type, strict)
    if error is None:
        return []
    walk = _Walk(strict, limit)
    walk.any(value, shape_of(type), under)
    return walk.faults or [from_msgspec(under, error)]


def explain_body(raw: bytes, type: Any, *, limit: int = 20) -> list[Fault]:
    """Every fault of a body that `msgspec.json.decode(raw, type=type)` refused, never empty.

    One fault when the body is not JSON at all.
    """
    try:
        value = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return [explain_bytes(raw)]
    if faults := explain(value, type, limit=limit):
        return faults
    try:
        msgspec.json.decode(raw, type=type)
    except (msgspec.DecodeError, RecursionError) as error:
        return [from_msgspec((), error)]
    return [Fault("", "invalid_request", "The body was refused, though it decodes.")]


class _Walk:
    """One pass over a value beside its shape, collecting faults."""

    def __init__(self, strict: bool, limit: int):
        self.strict = strict
        self.limit = limit
        self.faults: list[Fault] = []

    @property
    def full(self) -> bool:
        return len(self.faults) >= self.limit

    def any(self, value: Any, shape: Shape, path: Path) -> None:
        if shape.anything or self.full:
            return
        if len(path) > _DEPTH:
            self._add(path, f"Nested deeper than {_DEPTH} levels{at(path[:8])}.")
        elif isinstance(value, dict) and (shape.objects or shape.values):
            self._object(cast("dict[Any, Any]", value), shape, path)
        elif isinstance(value, list | tuple) and "array" in shape.words:
            self._array(cast("list[Any]", value), shape, path)
        else:
            self._scalar(value, shape, path)

    def _add(self, path: Path, message: str, code: str = "invalid_request") -> None:
        if not self.full:
            self.faults.append(Fault(show(path), code, message))

    def _array(self, value: list[Any], shape: Shape, path: Path) -> None:
        self._count(len(value), shape.item_count, "items", path)
        each = shape.items
        for index, item in enumerate(value):
            if self.full:
                return
            if len(each) == 1:
                self.any(item, each[0], (*path, index))
            elif index < len(each):
                self.any(item, each[index], (*path, index))

    def _count(self, have: int, bounds: tuple[int, int | None], what: str, path: Path) -> None:
        least, most = bounds
        if have < least or (most is not None and have > most):
            wanted = f"at least {least}" if have < least else f"at most {most}"
            self._add(path, f"Expected {wanted} {what}{at(path)}, got {have}.")

    def _object(self, value: dict[Any, Any], shape: Shape, path: Path) -> None:
        if shape.values is not None and shape.key is not None:
            self._count(len(value), shape.key_count, "entries", path)
            for key, item in value.items():
                if self.full:
                    return
                self.any(key, shape.key, (*path, _name(key)))
                self.any(item, shape.values, (*path, _name(key)))
            return
        found = self._arm(value, shape, path)
        if found is None or (error := _refusal(value, found.type, self.strict)) is None:
            return
        before = len(self.faults)
        self._fields(value, found, path)
        if len(self.faults) == before:
            self.faults.append(from_msgspec(path, error))

    def _arm(self, value: dict[Any, Any], shape: Shape, path: Path) -> ObjectShape | None:
        """The struct that the tag names; without one, adds the fault."""
        arms = shape.objects
        only = next(iter(arms.values())) if len(arms) == 1 else None
        tag_field = shape.tag_field
        if tag_field is None or (only and tag_field not in value):
            return only
        tags = list(arms)
        if tag_field not in value:
            self._add(
                (*path, tag_field),
                f"Missing required field '{tag_field}'{at(path)}. {_supported(tags)}",
            )
            return None
        tag = value[tag_field]
        found = arms.get(tag) if isinstance(tag, str | int) else None
        if found is not None and type(tag) is type(found.tag):
            return found
        if isinstance(tag, str) and isinstance(tags[0], str):
            self._refuse_choice(tag, tags, (*path, tag_field))
        else:
            wanted = "string" if isinstance(tags[0], str) else "integer"
            self._refuse_kind(tag, wanted, (*path, tag_field))
        return None

    def _fields(self, value: dict[Any, Any], shape: ObjectShape, path: Path) -> None:
        for key, item in value.items():
            if self.full:
                return
            field = shape.fields.get(key) if isinstance(key, str) else None
            if field is not None:
                self.any(item, field, (*path, key))
            elif shape.closed and key != shape.tag_field:
                self._refuse_name(_name(key), shape, path)
        for name in shape.required:
            if name not in value:
                self._add((*path, name), f"Missing required field '{name}'{at(path)}.")

    def _refuse_name(self, name: str, shape: ObjectShape, path: Path) -> None:
        near = _near(name, tuple(shape.fields)) or _home(name, shape)
        hint = f" Did you mean '{near}'?" if near else ""
        message = f"Unknown parameter '{short(name)}'{at(path)}.{hint}"
        self._add((*path, name), message, "parameter_unknown")

    def _scalar(self, value: Any, shape: Shape, path: Path) -> None:
        if self.strict and type(value) in shape.plain:
            return
        if shape.scalars is None:
            self._refuse_kind(value, shape.wanted, path)
            return
        error = _refusal(value, shape.scalars, self.strict)
        if error is None:
            return
        if any(type(value) is type(known) for known in shape.literals):
            self._refuse_choice(value, shape.literals, path)
        elif speaks_of_kinds(error):
            self._refuse_kind(value, shape.wanted, path)
        else:
            self._add(path, f"{reworded(error)}{at(path)}, got {got(value)}.")

    def _refuse_kind(self, value: Any, wanted: str, path: Path) -> None:
        self._add(path, f"Expected {wanted}{at(path)}, got {got(value)}.")

    def _refuse_choice(self, value: str | int, known: list[Any], path: Path) -> None:
        split = len(path) - 1
        while split > 0 and isinstance(path[split], int):
            split -= 1
        place = f" for '{show(path[split:])}'{at(path[:split])}" if path else ""
        texts = tuple(text for text in known if isinstance(text, str))
        near = _near(value, texts) if isinstance(value, str) else None
        hint = f" Did you mean '{near}'?" if near else ""
        echo = short(value) if isinstance(value, str) else number(value)
        self._add(path, f"The value '{echo}' is not supported{place}. {_supported(known)}{hint}")


def _name(key: Any) -> str:
    return key if isinstance(key, str) else got(key)


def _refusal(value: Any, type: Any, strict: bool) -> Exception | None:
    """What msgspec says against a value, None when it takes it."""
    try:
        msgspec.convert(value, type, strict=strict)
    except (msgspec.ValidationError, UnicodeError, RecursionError) as error:
        return error
    return None


def _supported(known: list[Any]) -> str:
    return "Supported values: " + ", ".join(f"'{value}'" for value in known) + "."


def _home(name: str, shape: ObjectShape) -> str | None:
    """Where a field belongs that stands one object too high: `generation_config.seed`."""
    for field, inner in shape.fields.items():
        if len(inner.objects) == 1 and inner.tag_field is None and inner.values is None:
            near = _near(name, tuple(next(iter(inner.objects.values())).fields))
            if near and near[:2] == _snake(name[:2]):
                return f"{field}.{near}"
    return None


@lru_cache(maxsize=1024)
def _near(given: str, known: tuple[str, ...]) -> str | None:
    """The known name that was probably meant: first by spelling style, then by closeness."""
    if len(given) > _SUGGESTIBLE:
        return None
    snake = _snake(given)
    if snake in known:
        return snake
    close = difflib.get_close_matches(snake, known, n=1, cutoff=0.74)
    return close[0] if close else None


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).replace("-", "_").replace(" ", "_").lower()
