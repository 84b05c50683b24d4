"""JSON schemas that callers send: cleaned, checked, and values checked against them.

Nothing here opens a file or a connection: a reference that leads outside the schema is refused.
"""

from __future__ import annotations

import difflib
from functools import lru_cache
from itertools import islice
from typing import Any, cast
from urllib.parse import unquote

import jsonschema_rs
import msgspec

from interplay.wire.fault import Path, at, short, show

_BYTES = 1024 * 1024
_DEPTH = 64
_EXPANDED = 200_000
_LISTED = 10
_RECURSIVE_DEPTH = 8
_CHAIN = 400
_CACHED = 32 * 1024

_TYPES = ("string", "number", "integer", "boolean", "array", "object", "null")
_DIALECTS = (
    "http://json-schema.org/draft-04/schema",
    "http://json-schema.org/draft-06/schema",
    "http://json-schema.org/draft-07/schema",
    "https://json-schema.org/draft/2019-09/schema",
    "https://json-schema.org/draft/2020-12/schema",
)
_ONE = {"not", "if", "then", "else", "items", "additionalItems", "contains", "propertyNames"} | {
    "additionalProperties",
    "unevaluatedItems",
    "unevaluatedProperties",
    "contentSchema",
}
_LIST = {"allOf", "anyOf", "oneOf", "prefixItems", "items"}
_MAP = {"properties", "patternProperties", "$defs", "definitions"} | {
    "dependentSchemas",
    "dependencies",
}
_COUNTS = {"minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties"}


class SchemaFault(Exception):
    """A JSON schema cannot be used. `path` leads to the spot in the request, `message` says
    what is wrong there and the way out; it names no path and ends without a full stop."""

    def __init__(self, path: str, message: str) -> None:
        super().__init__(f"{message} at '{path}'." if path else f"{message}.")
        self.path = path
        self.message = message


class _Wrong(Exception):
    """A fault at a path inside the schema."""

    def __init__(self, path: Path, message: str) -> None:
        super().__init__(message)
        self.path = path
        self.message = message


def clean(schema: Any, path: str) -> dict[str, Any]:
    """A schema as models and validators take it; `path` is where it stands in the request.

    Upper-case type names become lower-case, `nullable` becomes a null type, counts written as
    strings become numbers, a `$schema` nobody knows is dropped; everything else stays, `{}` and
    `required: []` included. References are kept, recursive ones too, and must resolve inside the
    schema. Limits: 1 MiB, 64 levels, 200,000 subschemas once references are expanded.
    Raises SchemaFault. The answer is the caller's own copy.
    """
    if not isinstance(schema, dict):
        raise SchemaFault(path, "Expected a JSON schema, which is an object")
    try:
        encoded = msgspec.json.encode(schema)
    except (RecursionError, UnicodeError, TypeError, OverflowError) as error:
        raise SchemaFault(path, f"The schema is not plain JSON: {error}") from error
    if len(encoded) > _BYTES:
        raise SchemaFault(path, f"The schema is larger than {_BYTES} bytes")
    try:
        return msgspec.json.decode((_cleaned if len(encoded) <= _CACHED else _fresh)(encoded))
    except _Wrong as wrong:
        inner = show(wrong.path)
        joined = path + inner if inner.startswith("[") else f"{path}.{inner}".strip(".")
        raise SchemaFault(joined if inner else path, wrong.message) from wrong


class Validator:
    """A schema ready to check values; get one by `Validator.of`."""

    def __init__(self, schema: dict[str, Any]) -> None:
        """Raises SchemaFault (with a path inside the schema) when the schema is not valid."""
        try:
            self._compiled = _compile(schema)
        except _Wrong as wrong:
            raise SchemaFault(show(wrong.path), wrong.message) from wrong
        self._recursive = _Expansion(schema).recursive

    @staticmethod
    def of(schema: dict[str, Any]) -> Validator:
        """The validator of this schema; the same one for an equal schema. Raises SchemaFault."""
        encoded = msgspec.json.encode(schema)
        return (_validator if len(encoded) <= _CACHED else _large_validator)(encoded)

    def errors(self, value: Any) -> list[str]:
        """What is wrong with a value, each with its path, at most ten; empty when it fits."""
        try:
            if self._compiled.is_valid(value):
                return []
            if self._recursive and _deeper(value, _RECURSIVE_DEPTH):
                # Listing the branches of a recursive schema can double with each level.
                return ["It does not fit its schema (too deeply nested to say where)"]
            found = islice(self._compiled.iter_errors(value), _LISTED)
            return [_said(error) for error in found]
        except jsonschema_rs.ValidationError as error:
            return [_said(error)]
        except (ValueError, RecursionError) as error:
            return [f"It cannot be checked: {short(str(error), 200)}"]


@lru_cache(maxsize=1024)
def _validator(encoded: bytes) -> Validator:
    return Validator(msgspec.json.decode(encoded))


@lru_cache(maxsize=8)
def _large_validator(encoded: bytes) -> Validator:
    return Validator(msgspec.json.decode(encoded))


def _said(error: jsonschema_rs.ValidationError) -> str:
    return short(error.message, 200) + at(tuple(error.instance_path))


def _deeper(value: Any, limit: int) -> bool:
    """The value is nested deeper than `limit` levels."""
    level: list[Any] = [value]
    for _ in range(limit):
        level = [child for item in level for child in _children(item)]
        if not level:
            return False
    return True


def _children(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(cast("dict[Any, Any]", value).values())
    return cast("list[Any]", value) if isinstance(value, list) else []


def _compile(schema: dict[str, Any]) -> jsonschema_rs.Validator:
    """Compiles a schema without ever fetching anything; raises _Wrong."""
    try:
        return jsonschema_rs.validator_for(
            schema,
            retriever=_fetch_nothing,
            validate_formats=False,
            pattern_options=jsonschema_rs.FancyRegexOptions(
                backtrack_limit=100_000, size_limit=1024 * 1024
            ),
        )
    except jsonschema_rs.ValidationError as error:
        raise _Wrong(tuple(error.instance_path), short(error.message, 200)) from error
    except ValueError as error:
        raise _Wrong((), f"The schema cannot be compiled: {short(str(error), 200)}") from error


def _fetch_nothing(uri: str) -> Any:
    raise ValueError(f"'{short(uri)}' is outside the schema")


@lru_cache(maxsize=1024)
def _cleaned(encoded: bytes) -> bytes:
    return _fresh(encoded)


def _fresh(encoded: bytes) -> bytes:
    """The cleaned schema as JSON; raises _Wrong."""
    schema = _Cleaner().schema(msgspec.json.decode(encoded), ())
    expansion = _Expansion(schema)
    if expansion.size > _EXPANDED:
        raise _Wrong((), f"The schema grows beyond {_EXPANDED} parts when its references expand")
    _compile(schema)
    return msgspec.json.encode(schema)


class _Cleaner:
    """One pass over a schema's own places; values such as `enum` and `default` stay as they are."""

    def schema(self, schema: Any, path: Path) -> Any:
        if isinstance(schema, bool) and path:
            return schema
        if not isinstance(schema, dict):
            raise _Wrong(path, "Expected a JSON schema, which is an object")
        if len(path) > 2 * _DEPTH:
            raise _Wrong(path[:8], f"The schema is nested deeper than {_DEPTH} levels")
        cleaned: dict[str, Any] = {}
        for key, value in cast("dict[str, Any]", schema).items():
            self._keyword(key, value, (*path, key), cleaned)
        return _without_nullable(cleaned)

    def _keyword(self, key: str, value: Any, path: Path, into: dict[str, Any]) -> None:
        if key in _LIST and isinstance(value, list):
            entries = cast("list[Any]", value)
            into[key] = [self.schema(entry, (*path, i)) for i, entry in enumerate(entries)]
        elif key in _ONE:
            into[key] = self.schema(value, path)
        elif key in _MAP:
            into[key] = self._map(key, value, path)
        elif key == "type":
            if (kind := _kind(value, path)) is not None:
                into[key] = kind
        elif key in _COUNTS and isinstance(value, str) and value.isascii() and value.isdigit():
            into[key] = int(value[:18])
        elif key == "$schema":
            if isinstance(value, str) and value.rstrip("#") in _DIALECTS:
                into[key] = value
        else:
            into[key] = value

    def _map(self, key: str, value: Any, path: Path) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise _Wrong(path, "Expected an object whose values are JSON schemas")
        entries = cast("dict[str, Any]", value)
        return {
            name: entry
            if key == "dependencies" and isinstance(entry, list)
            else self.schema(entry, (*path, name))
            for name, entry in entries.items()
        }


def _kind(value: Any, path: Path) -> str | list[Any] | None:
    """A `type` in lower case; None for Gemini's TYPE_UNSPECIFIED."""
    if isinstance(value, list):
        entries = cast("list[Any]", value)
        return [_kind(entry, (*path, i)) for i, entry in enumerate(entries)]
    if not isinstance(value, str):
        raise _Wrong(path, "Expected the name of a type")
    name = value.lower()
    if name in _TYPES:
        return name
    if name == "type_unspecified":
        return None
    near = difflib.get_close_matches(name[:64], _TYPES, n=1)
    hint = f" (did you mean '{near[0]}'?)" if near else ""
    known = ", ".join(f"'{kind}'" for kind in _TYPES)
    raise _Wrong(path, f"The type '{short(value)}' is not one of {known}{hint}")


def _without_nullable(schema: dict[str, Any]) -> dict[str, Any]:
    """OpenAPI's `nullable: true` in JSON Schema's own words."""
    if not isinstance(schema.get("nullable"), bool):
        return schema
    nullable = schema.pop("nullable")
    if not nullable:
        return schema
    kind = schema.get("type")
    if isinstance(kind, str) and kind != "null":
        schema["type"] = [kind, "null"]
    elif isinstance(kind, list) and "null" not in kind:
        schema["type"] = [*cast("list[Any]", kind), "null"]
    choices = schema.get("enum")
    if isinstance(choices, list) and None not in choices:
        schema["enum"] = [*cast("list[Any]", choices), None]
    arms = schema.get("anyOf")
    if isinstance(arms, list) and {"type": "null"} not in arms:
        schema["anyOf"] = [*cast("list[Any]", arms), {"type": "null"}]
    return schema


class _Expansion:
    """How large a schema is when every reference is replaced by what it points at, and whether
    it refers to itself. Raises _Wrong for a reference that does not resolve."""

    def __init__(self, root: dict[str, Any]) -> None:
        self.recursive = False
        self._sizes: dict[int, int] = {}
        self._open: set[int] = set()
        self._anchors: dict[str, Any] = {}
        self._resources: dict[str, Any] = {}
        self._bases: dict[int, Any] = {}
        self._survey(root, root)
        self.size = self._measure(root, ())

    def _survey(self, schema: Any, base: Any) -> None:
        """Notes names, and for each subschema the `$id` resource its references start from."""
        if not isinstance(schema, dict):
            return
        fields = cast("dict[str, Any]", schema)
        if isinstance(name := fields.get("$id"), str):
            self._resources[name.rstrip("#")] = base = fields
        for key in ("$anchor", "$dynamicAnchor"):
            if isinstance(fields.get(key), str):
                self._anchors[fields[key]] = fields
        self._bases[id(fields)] = base
        for child, _ in _subschemas(fields):
            self._survey(child, base)

    def _measure(self, schema: Any, path: Path) -> int:
        key = id(schema)
        if key in self._sizes or not isinstance(schema, dict):
            return self._sizes.get(key, 1)
        if key in self._open:
            self.recursive = True
            return 1
        if len(self._open) >= _CHAIN:
            raise _Wrong(path[:8], f"More than {_CHAIN} levels deep when its references expand")
        self._open.add(key)
        size = 1
        for child, where in _subschemas(schema):
            inner = self._measure(child, (*path, *where))
            if where[0] not in ("$defs", "definitions"):
                size += inner
        if "$ref" in schema:
            size += self._measure(self._target(cast("Any", schema), (*path, "$ref")), path)
        self._open.discard(key)
        self._sizes[key] = size = min(size, _EXPANDED + 1)
        return size

    def _target(self, schema: dict[str, Any], path: Path) -> Any:
        reference = schema["$ref"]
        if not isinstance(reference, str):
            raise _Wrong(path, "Expected a reference such as '#/$defs/name'")
        name, _, pointer = reference.partition("#")
        base = self._resources.get(name) if name else self._bases[id(schema)]
        if base is None:
            raise _Wrong(
                path,
                f"The reference '{short(reference)}' leads outside the schema; nothing is"
                " fetched, put the definition under '$defs'",
            )
        try:
            return self._resolve(unquote(pointer), base)
        except (KeyError, IndexError, ValueError, TypeError) as error:
            message = f"The reference '{short(reference)}' points at nothing in the schema"
            raise _Wrong(path, message) from error

    def _resolve(self, pointer: str, base: Any) -> Any:
        if not pointer.startswith("/"):
            return self._anchors[pointer] if pointer else base
        found: Any = base
        for part in pointer[1:].split("/"):
            name = part.replace("~1", "/").replace("~0", "~")
            found = found[int(name) if type(found) is list else name]
        if id(found) not in self._bases:
            self._survey(found, base)
        return found


def _subschemas(schema: Any) -> list[tuple[Any, Path]]:
    """The schemas directly inside one, with the path to each."""
    if not isinstance(schema, dict):
        return []
    found: list[tuple[Any, Path]] = []
    for key, value in cast("dict[str, Any]", schema).items():
        if key in _LIST and isinstance(value, list):
            found += [(entry, (key, i)) for i, entry in enumerate(cast("list[Any]", value))]
        elif key in _ONE:
            found.append((value, (key,)))
        elif key in _MAP and isinstance(value, dict):
            entries = cast("dict[str, Any]", value)
            found += [(entry, (key, name)) for name, entry in entries.items()]
    return found
