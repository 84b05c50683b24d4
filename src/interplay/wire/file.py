"""Files on the wire: what the Files API answers."""

from __future__ import annotations

from typing import Literal

from interplay.wire.record import Record


class File(Record, rename="camel"):
    """A file that was uploaded. Times are RFC 3339, sizes are texts as the API writes int64."""

    name: str
    """`files/` and the id."""
    mime_type: str
    size_bytes: str
    create_time: str
    update_time: str
    expiration_time: str | None = None
    sha256_hash: str | None = None
    """SHA-256 of the bytes, in base64."""
    uri: str | None = None
    """What media content of an interaction may refer to."""
    download_uri: str | None = None
    state: Literal["PROCESSING", "ACTIVE", "FAILED"] = "PROCESSING"
    source: Literal["UPLOADED", "GENERATED", "REGISTERED"] | None = None
    display_name: str | None = None


class UploadedFile(Record):
    """The answer to the end of an upload."""

    file: File


class ListFilesResponse(Record, rename="camel"):
    """A page of files, newest first."""

    files: list[File] = []
    next_page_token: str | None = None
