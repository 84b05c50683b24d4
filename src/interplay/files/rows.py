"""What is kept of files and of uploads under way: records of the store."""

from __future__ import annotations

import re
import secrets
import string
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec

from interplay.contracts.records import Record, Records
from interplay.wire.file import File

FILE, UPLOAD = "file", "upload"
"""Kinds of records."""

Part = tuple[str, int]
"""SHA-256 of a blob that holds a stretch of a file, and its size in bytes."""

_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?")
_LETTERS = string.ascii_lowercase + string.digits


class KeptFile(msgspec.Struct, kw_only=True, omit_defaults=True):
    """The document of a file. When it goes is the record's `expires`."""

    parts: list[Part] = []
    size: int = 0
    sha256: str = ""
    """In hex."""
    mime_type: str = "application/octet-stream"
    display_name: str | None = None
    upload: str = ""
    """The upload it came from."""


class KeptUpload(msgspec.Struct, kw_only=True, omit_defaults=True):
    """The document of an upload; the record's state is `active` or `final`. What has arrived is
    durable once it is counted here."""

    file: str
    """The id the file will have."""
    parts: list[Part] = []
    received: int = 0
    """Bytes."""
    size: int | None = None
    """Bytes the client announced."""
    mime_type: str | None = None
    display_name: str | None = None
    target: str = ""
    """The search store it goes to; "" for none."""
    note: dict[str, Any] = {}
    """What was said of the document it becomes there."""


class FileRow(msgspec.Struct):
    """A file as it was read."""

    record: Record
    kept: KeptFile

    def resource(self, base: str) -> File:
        """The file on the wire; `base` is the address of the API with its version."""
        record, kept = self.record, self.kept
        uri = f"{base}/files/{record.id}"
        return File(
            name=f"files/{record.id}",
            display_name=kept.display_name,
            mime_type=kept.mime_type,
            size_bytes=str(kept.size),
            create_time=moment(record.created),
            update_time=moment(record.updated),
            expiration_time=moment(record.expires) if record.expires is not None else None,
            sha256_hash=b64encode(bytes.fromhex(kept.sha256)).decode(),
            uri=uri,
            download_uri=f"{uri}:download?alt=media",
            state="ACTIVE",
            source="UPLOADED",
        )


class UploadRow(msgspec.Struct):
    """An upload as it was read."""

    record: Record
    kept: KeptUpload


Row = TypeVar("Row", FileRow, UploadRow)
_DOCUMENTS: dict[type[Any], tuple[str, type[Any]]] = {
    FileRow: (FILE, KeptFile),
    UploadRow: (UPLOAD, KeptUpload),
}
_PAGE = 500


class Rows:
    """Files and uploads by id. Whatever the store raises goes through."""

    def __init__(self, records: Records, clock: Callable[[], float]) -> None:
        self.records, self.clock = records, clock

    @staticmethod
    def read(kind: type[Row], record: Record) -> Row:
        """A record as what it is."""
        return kind(record, msgspec.json.decode(record.doc, type=_DOCUMENTS[kind][1]))

    async def get(self, kind: type[Row], id: str) -> Row | None:
        """A file or an upload."""
        record = await self.records.get(_DOCUMENTS[kind][0], id)
        return self.read(kind, record) if record is not None else None

    async def add(self, row: FileRow | UploadRow) -> bool:
        """Adds it; False, and nothing changes, when its id is there."""
        row.record.doc = msgspec.json.encode(row.kept)
        try:
            await self.records.add(row.record)
        except KeyError:
            return False
        return True

    async def put(self, row: Row) -> Row:
        """Writes what was changed in it. Raises Stale."""
        row.record.doc = msgspec.json.encode(row.kept)
        row.record.updated = self.clock()
        row.record = await self.records.replace(row.record)
        return row

    async def every(self, kind: type[Row], owner: str | None = None) -> list[Row]:
        """All of them, of one owner or of everyone."""
        found: list[Row] = []
        before: int | None = None
        while True:
            page, before = await self.records.list(
                _DOCUMENTS[kind][0], owner, size=_PAGE, before=before
            )
            found += [self.read(kind, record) for record in page]
            if before is None:
                return found


def record_of(kind: str, id: str, owner: str, now: float, expires: float | None) -> Record:
    """A new record, its document yet to be written."""
    return Record(
        kind=kind,
        id=id,
        owner=owner,
        state="active",
        expires=expires,
        created=now,
        updated=now,
        doc=b"",
    )


def new_file_id() -> str:
    """An id as the clients cut it out of a uri: small letters and digits."""
    return "".join(secrets.choice(_LETTERS) for _ in range(16))


def new_upload_id() -> str:
    """An id that nobody guesses: whoever has it may write to the upload."""
    return secrets.token_urlsafe(32)


def is_file_id(text: str) -> bool:
    """At most 40 small letters, digits and dashes, none of these at an end."""
    return _NAME.fullmatch(text) is not None


def moment(seconds: float) -> str:
    """RFC 3339 in UTC, to the millisecond, as the store keeps times."""
    time = datetime.fromtimestamp(round(seconds, 3), UTC)
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")
