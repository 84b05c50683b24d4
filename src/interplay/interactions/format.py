"""response_format: what the output must be, and whether it is."""

from __future__ import annotations

from typing import Any

import msgspec

from interplay.interactions.failures import GenerationFault, invalid
from interplay.interactions.schema import SchemaFault, Validator, clean
from interplay.wire.explain import explain
from interplay.wire.generation import ResponseFormat, TextResponseFormat
from interplay.wire.usage import Modality

_TYPED = {"text", "image", "audio", "video"}
_JSON = "application/json"
_JSON_ALONE = "Answer with JSON alone, no prose and no code fence."


class Format(msgspec.Struct):
    """What the output of an interaction must be."""

    json: bool = False
    schema: dict[str, Any] | None = None
    modalities: frozenset[Modality] = frozenset({"text"})
    typed: list[Any] = []
    """The image, audio and video formats, as structs."""

    def instruction(self) -> str | None:
        """What a model that cannot be held to a schema is told."""
        if self.schema is not None:
            shown = msgspec.json.encode(self.schema).decode()
            return f"{_JSON_ALONE} It must be valid for this schema: {shown}"
        return _JSON_ALONE if self.json else None

    def check(self, text: str) -> None:
        """Raises GenerationFault when the text is not what was asked for."""
        if not self.json:
            return
        try:
            value = msgspec.json.decode(text)
        except msgspec.DecodeError as error:
            raise GenerationFault(
                "malformed_output", f"The model's output is not the JSON asked for: {error}"
            ) from error
        if self.schema is not None:
            faults = Validator.of(self.schema).errors(value)
            if faults:
                raise GenerationFault(
                    "malformed_output",
                    "The model's output does not fit response_format.schema: " + "; ".join(faults),
                )


def read(response_format: Any, mime_type: str | None, modalities: list[Modality] | None) -> Format:
    """The format of a request: one object, a list of them, or a bare JSON schema (which the first
    SDKs send beside `response_mime_type`). Raises Rejected with the path."""
    if response_format is None and mime_type is None and not modalities:
        return Format()
    format = Format(json=mime_type == _JSON)
    if mime_type is not None and mime_type not in (_JSON, "text/plain"):
        raise invalid(
            f"The value '{mime_type[:80]}' is not supported for 'response_mime_type'."
            f" Supported values: '{_JSON}', 'text/plain'"
        )
    many = isinstance(response_format, list)
    entries: list[Any] = list(response_format) if many else [response_format]  # pyright: ignore
    wanted: set[Modality] = set()
    for number, entry in enumerate(entries if response_format is not None else []):  # pyright: ignore
        path = f"response_format[{number}]" if many else "response_format"
        if not isinstance(entry, dict):
            raise invalid("Expected an object", path)
        _read_one(entry, path, format, wanted)  # pyright: ignore[reportUnknownArgumentType]
    if modalities:
        wanted |= set(modalities)
    if wanted:
        format.modalities = frozenset(wanted)
    return format


def _read_one(entry: dict[str, Any], path: str, format: Format, wanted: set[Modality]) -> None:
    if entry.get("type") not in _TYPED:
        _take_schema(entry, path, format)
        wanted.add("text")
        return
    try:
        typed: Any = msgspec.convert(entry, ResponseFormat)
    except msgspec.ValidationError as error:
        faults = explain(entry, ResponseFormat, under=(path,))
        said = " ".join(fault.message for fault in faults)
        raise (invalid(said) if said else invalid(str(error), path)) from error
    if not isinstance(typed, TextResponseFormat):
        format.typed.append(typed)
        wanted.add(entry["type"])
        return
    if "text" in wanted:
        raise invalid("Only one text format can be asked for", path)
    wanted.add("text")
    if typed.mime_type not in (None, _JSON, "text/plain"):
        raise invalid(
            f"The value '{typed.mime_type[:80]}' is not supported for 'mime_type'."
            f" Supported values: '{_JSON}', 'text/plain'",
            path,
        )
    format.json = format.json or typed.mime_type == _JSON
    if typed.schema is not None:
        if typed.mime_type == "text/plain":
            raise invalid(f"A schema needs mime_type '{_JSON}'", path)
        _take_schema(typed.schema, f"{path}.schema", format)


def _take_schema(schema: dict[str, Any], path: str, format: Format) -> None:
    try:
        format.schema = clean(schema, path)
        Validator.of(format.schema)
    except SchemaFault as fault:
        raise invalid(fault.message, fault.path) from fault
    format.json = True
