"""The headers of a resumable upload: what is asked, and where the upload stands."""

from __future__ import annotations

from typing import Any

import msgspec

from interplay.contracts.failure import Failure
from interplay.files.exchange import Header, Scope, headers_of, query_of
from interplay.files.faults import Contended, OutOfPlace, Unusable
from interplay.files.rows import UploadRow
from interplay.files.uploads import GRANULARITY, Announced

COMMANDS = frozenset({"start", "upload", "finalize", "query", "cancel"})
_RETRIED = frozenset({"service_unavailable", "cancelled", "api_error"})
"""Refusals after which clients send the same part again, because no status comes with them."""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What one request of an upload wants."""

    upload: str | None
    """The id of an upload that goes on; None to begin one."""
    protocol: str
    """resumable, raw or multipart."""
    commands: frozenset[str]
    offset: int


def asked_of(scope: Scope) -> Asked:
    """Reads a request's headers and query. Raises Unusable."""
    headers, query = headers_of(scope), query_of(scope)
    upload = query.get("upload_id")
    words = headers.get("x-goog-upload-command", "").replace(" ", "").lower()
    commands = frozenset(word for word in words.split(",") if word)
    if commands - COMMANDS:
        raise Unusable(
            f"'{min(commands - COMMANDS)[:40]}' is no command of an upload; there are"
            f" {', '.join(sorted(COMMANDS))} at 'X-Goog-Upload-Command'."
        )
    protocol = headers.get("x-goog-upload-protocol", "").lower()
    if not protocol:
        given = query.get("uploadType", query.get("upload_protocol", "")).lower()
        protocol = {"media": "raw"}.get(given, given)
    if upload is None and not protocol:
        kind = headers.get("content-type", "").lower()
        protocol = "multipart" if kind.startswith("multipart/") else "resumable"
    if upload is None and protocol not in ("resumable", "raw", "multipart"):
        raise Unusable("An upload is resumable, raw or multipart at 'X-Goog-Upload-Protocol'.")
    if upload is None and protocol == "resumable" and "start" not in commands:
        raise Unusable(
            "A resumable upload begins with X-Goog-Upload-Command: start; what follows goes to the"
            " address that is answered in X-Goog-Upload-URL."
        )
    return Asked(
        upload=upload, protocol=protocol, commands=commands, offset=_offset(headers, commands)
    )


def _offset(headers: dict[str, str], commands: frozenset[str]) -> int:
    text = headers.get("x-goog-upload-offset", "")
    if not text and "upload" not in commands:
        return 0
    return _number(text or "0", "X-Goog-Upload-Offset")


def _number(text: str, place: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 15:
        raise Unusable(f"Expected number of bytes at '{place}'.")
    return int(text)


def announced(scope: Scope, file: dict[str, Any]) -> Announced:
    """What is said of a file in headers and in the body. Raises Unusable."""
    headers = headers_of(scope)
    length = headers.get("x-goog-upload-header-content-length", "")
    return Announced(
        name=_text(file, "name"),
        display_name=_text(file, "displayName", "display_name"),
        mime_type=_text(file, "mimeType", "mime_type")
        or headers.get("x-goog-upload-header-content-type"),
        size=_number(length, "X-Goog-Upload-Header-Content-Length") if length else None,
    )


def _text(given: dict[str, Any], *names: str) -> str | None:
    for name in names:
        value = given.get(name)
        if value is not None and not isinstance(value, str):
            raise Unusable(f"Expected text at 'file.{name}'.")
        if value:
            return value
    return None


def began(row: UploadRow, url: str) -> list[Header]:
    """The headers of the answer to a start; `url` is where the rest goes."""
    return [
        (b"x-goog-upload-url", url.encode()),
        (b"x-goog-upload-control-url", url.encode()),
        (b"x-goog-upload-chunk-granularity", str(GRANULARITY).encode()),
        (b"x-goog-upload-status", b"active"),
    ]


def stands(row: UploadRow) -> list[Header]:
    """The headers that tell where an upload stands."""
    size = row.kept.received
    return [
        (b"x-goog-upload-status", row.record.state.encode()),
        (b"x-goog-upload-size-received", str(size).encode()),
        (b"x-goog-upload-chunk-granularity", str(GRANULARITY).encode()),
    ]


def ended(status: str) -> list[Header]:
    """The headers of an upload that takes no more."""
    return [(b"x-goog-upload-status", status.encode())]


def marked(failure: Failure) -> Failure:
    """The failure with the headers that tell a client whether to send the part again."""
    if isinstance(failure, OutOfPlace | Contended):
        failure.headers = [(b"x-goog-upload-status", b"active")]
    elif failure.code not in _RETRIED:
        failure.headers = [(b"x-goog-upload-status", b"cancelled")]
    return failure
