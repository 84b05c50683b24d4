"""The body of a request: bytes -> struct, or every fault in it."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from interplay.interactions import dialects
from interplay.interactions.failures import Rejected
from interplay.interactions.tail import Receive
from interplay.wire.explain import explain, explain_bytes
from interplay.wire.interaction import CreateInteraction
from interplay.wire.record import Record

Asked = TypeVar("Asked", bound=Record)
# Not all of what is no JSON is a DecodeError: bytes that are no UTF-8, and nesting beyond bounds.
_BROKEN = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_decode = msgspec.json.Decoder(CreateInteraction).decode


async def read_body(scope: dict[str, Any], receive: Receive, limit: int) -> bytes:
    """The whole body, at most `limit` bytes. Raises Rejected."""
    headers: dict[bytes, bytes] = dict(scope["headers"])
    kind = headers.get(b"content-type", b"")
    if kind and kind != b"application/json":
        _check_kind(kind)
    length = headers.get(b"content-length", b"")
    if length.isdigit() and int(length) > limit:
        raise _too_large(limit)
    message = await receive()
    if not message.get("more_body", False) and message["type"] == "http.request":
        body: bytes = message.get("body", b"")
        if len(body) > limit:
            raise _too_large(limit)
        return body
    parts: list[bytes] = []
    size = 0
    while True:
        if message["type"] == "http.disconnect":
            raise Rejected("cancelled", "The client went away before the request was whole.")
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > limit:
            raise _too_large(limit)
        if not message.get("more_body", False):
            return b"".join(parts)
        message = await receive()


def _check_kind(content_type: bytes) -> None:
    kind = content_type.split(b";", 1)[0].strip().lower()
    if kind and kind != b"application/json" and not kind.endswith(b"+json"):
        raise Rejected(
            "unsupported_media_type",
            f"The body must be application/json, not '{kind.decode('latin-1')[:80]}'.",
        )


def _too_large(limit: int) -> Rejected:
    return Rejected(
        "payload_too_large",
        f"The body is larger than {limit} bytes (limits.body_bytes); upload media as files and"
        " refer to them by 'uri'.",
    )


def read_request(raw: bytes, *, outputs: bool) -> CreateInteraction:
    """Decodes a create request; what older clients write is rewritten first. Raises Rejected with
    every fault."""
    if not outputs:
        try:
            asked = _decode(raw)
            asked.response_format = dialects.response_format(asked.response_format)
            return asked
        except _BROKEN:
            pass  # explained below
    return converted(dialects.current(read_object(raw)), CreateInteraction)


def read_object(raw: bytes) -> dict[str, Any]:
    """A body that is a JSON object. Raises Rejected."""
    try:
        given: Any = msgspec.json.decode(raw)
    except _BROKEN as error:
        fault = explain_bytes(raw)
        raise Rejected(fault.code, fault.message) from error
    if not isinstance(given, dict):
        raise Rejected("invalid_request", "The body must be a JSON object.")
    return given  # pyright: ignore[reportUnknownVariableType]


def converted(given: dict[str, Any], type: type[Asked]) -> Asked:
    """A JSON object as a wire type. Raises Rejected with every fault and its path."""
    try:
        return msgspec.convert(given, type)
    except (msgspec.ValidationError, RecursionError) as error:
        faults = explain(given, type)
        if not faults:
            raise Rejected("invalid_request", str(error)) from error
        message = " ".join(fault.message for fault in faults)
        raise Rejected(faults[0].code, message) from error
