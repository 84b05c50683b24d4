"""The smallest instance of a JSON schema."""

from __future__ import annotations

import re
from typing import Any, TypeAlias, cast

import jsonschema_rs

Schema: TypeAlias = dict[str, Any]

_BLANK: dict[str, Any] = {
    "null": None,
    "boolean": False,
    "integer": 0,
    "number": 0,
    "string": "",
    "array": [],
    "object": {},
}
_FORMATS = {
    "date": "2000-01-01",
    "date-time": "2000-01-01T00:00:00Z",
    "time": "00:00:00Z",
    "email": "a@example.com",
    "uri": "http://example.com/",
    "uuid": "00000000-0000-0000-0000-000000000000",
    "ipv4": "127.0.0.1",
}
_DEPTH = 40


class NoInstance(ValueError):
    """No instance was found; the message says which rule stands in the way."""


def smallest(schema: Schema) -> Any:
    """A value that fits the schema, made of required parts and lower bounds only.

    Raises NoInstance where a rule (a pattern, a dependency between fields) needs more than that.
    """
    value = _make(schema, schema, 0)
    checker: Any = cast(Any, jsonschema_rs).validator_for(schema)
    for error in checker.iter_errors(value):
        raise NoInstance(f"No small instance of this schema was found: {error.message}")
    return value


def _make(given: Any, root: Schema, depth: int) -> Any:
    if not isinstance(given, dict):
        return {}
    schema = cast(Schema, given)
    if depth > _DEPTH:
        raise NoInstance("The schema requires itself without end.")
    if "$ref" in schema:
        return _make(_resolve(schema["$ref"], root), root, depth + 1)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    if "allOf" in schema:
        return _make(_joined(schema, root), root, depth + 1)
    for union in ("anyOf", "oneOf"):
        if union in schema:
            return _first(schema, union, root, depth)
    kind: Any = schema.get("type", "object" if "properties" in schema else "null")
    return _typed(kind if isinstance(kind, str) else kind[0], schema, root, depth)


def _first(schema: Schema, union: str, root: Schema, depth: int) -> Any:
    rest = {key: value for key, value in schema.items() if key != union}
    fault: NoInstance | None = None
    for arm in schema[union]:
        try:
            return _make(_merged(rest, arm), root, depth + 1)
        except NoInstance as error:
            fault = error
    raise fault or NoInstance(f"'{union}' is empty.")


def _joined(schema: Schema, root: Schema) -> Schema:
    whole = {key: value for key, value in schema.items() if key != "allOf"}
    for part in schema["allOf"]:
        found = _resolve(part["$ref"], root) if "$ref" in part else part
        whole = _merged(whole, found)
    return whole


def _merged(one: Schema, other: Schema) -> Schema:
    both: Schema = {**one, **other}
    if "properties" in one and "properties" in other:
        both["properties"] = {**one["properties"], **other["properties"]}
    if "required" in one and "required" in other:
        both["required"] = [*one["required"], *other["required"]]
    return both


def _typed(kind: str, schema: Schema, root: Schema, depth: int) -> Any:
    if kind == "object":
        properties = schema.get("properties", {})
        return {
            name: _make(properties.get(name, {"type": "null"}), root, depth + 1)
            for name in schema.get("required", [])
        }
    if kind == "array":
        items: list[Any] = schema.get("prefixItems", [])
        few = [_make(item, root, depth + 1) for item in items]
        more = max(0, schema.get("minItems", 0) - len(few))
        return few + [_make(schema.get("items", {}), root, depth + 1) for _ in range(more)]
    if kind == "string":
        text = _FORMATS.get(schema.get("format", ""), "").ljust(schema.get("minLength", 0), "a")
        if "pattern" in schema and not re.search(schema["pattern"], text):
            raise NoInstance(f"No small text fits the pattern {schema['pattern']}.")
        return text
    if kind in ("integer", "number"):
        return _number(kind, schema)
    return _BLANK.get(kind)


def _number(kind: str, schema: Schema) -> Any:
    low = schema.get("minimum")
    if low is None and "exclusiveMinimum" in schema:
        low = schema["exclusiveMinimum"] + 1
    value: Any = 0 if low is None or low <= 0 <= schema.get("maximum", 0) else low
    top = schema.get("maximum", schema.get("exclusiveMaximum"))
    if low is None and top is not None and top <= 0:
        value = top if "maximum" in schema else top - 1
    step = schema.get("multipleOf")
    if step and value % step:
        value += step - value % step
    return int(-(-value // 1)) if kind == "integer" else value


def _resolve(reference: str, root: Schema) -> Any:
    at: Any = root
    for key in reference.removeprefix("#").strip("/").split("/"):
        if key:
            at = at[key.replace("~1", "/").replace("~0", "~")]
    return at
