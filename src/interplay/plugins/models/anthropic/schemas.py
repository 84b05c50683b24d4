"""JSON schemas as the API can hold a model to them."""

from __future__ import annotations

from typing import Any, cast

import msgspec

Schema = dict[str, Any]

_AS_IT_IS = {"type", "enum", "const", "title", "description", "default", "$ref", "required"}
_INSIDE = {"properties", "$defs", "definitions"}
_DROPPED = {
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "pattern",
    "format",
    "minItems",
    "maxItems",
    "uniqueItems",
    "minProperties",
    "maxProperties",
}
_NOTES = {"$schema", "$id", "$comment", "examples", "readOnly", "writeOnly", "deprecated"}


class Held(msgspec.Struct, frozen=True):
    """A schema the API takes. What fits it fits the original, where it is `whole`."""

    schema: Schema
    whole: bool
    """Nothing was left out. Else the original has limits that the model is only told of."""


class _Unfit(Exception):
    """A schema has something the API does not take, and that cannot be left out."""


def held(schema: Schema) -> Held | None:
    """The schema with its objects closed and without limits on lengths and sizes, which the API
    does not know; None for one that cannot be put so."""
    if schema.get("type") != "object":
        return None
    narrowing = _Narrowing(schema)
    try:
        narrowed = narrowing.node(schema)
    except _Unfit:
        return None
    return Held(narrowed, narrowing.whole)


class _Narrowing:
    def __init__(self, root: Schema) -> None:
        self._root = root
        self._through: list[str] = []
        self.whole = True

    def node(self, node: Any) -> Any:
        if not isinstance(node, dict):
            raise _Unfit
        schema = cast(Schema, node)
        made: Schema = {}
        for word, value in schema.items():
            if word == "$ref":
                self._follow(value)
            if word in _AS_IT_IS:
                made[word] = value
            elif word in _INSIDE:
                made[word] = {name: self.node(inner) for name, inner in value.items()}
            elif word in ("anyOf", "allOf"):
                made[word] = [self.node(inner) for inner in value]
            elif word == "items":
                made[word] = self.node(value)
            elif word in _DROPPED:
                self.whole = False
            elif word not in _NOTES and (word, value) not in (
                ("additionalProperties", False),
                ("additionalProperties", True),
            ):
                raise _Unfit
        if _is_object(schema):
            if not schema.get("properties"):
                raise _Unfit  # closed, it would hold nothing
            made["additionalProperties"] = False
        return made

    def _follow(self, reference: Any) -> None:
        """Refuses references out of the schema, and those that lead back to themselves."""
        kept = str(reference)
        if not kept.startswith("#/") or kept in self._through:
            raise _Unfit
        found: Any = self._root
        for key in kept.removeprefix("#/").split("/"):
            if not isinstance(found, dict) or key not in found:
                raise _Unfit
            found = cast(Schema, found)[key]
        self._through.append(kept)
        self.node(found)
        self._through.pop()


def _is_object(schema: Schema) -> bool:
    kind: Any = schema.get("type")
    return (
        kind == "object"
        or (isinstance(kind, list) and "object" in kind)
        or (kind is None and "properties" in schema)
    )


def instruction(schema: Schema | None) -> str:
    """What a model is told that cannot be held to it."""
    told = "Answer with one JSON value and nothing else: no words before or after it, no fences."
    if schema is None:
        return told
    return f"{told} It must be valid for this JSON schema: {msgspec.json.encode(schema).decode()}"
