"""Uploads that can be interrupted and gone on with, at this process or at another one."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import msgspec

from interplay.contracts.failpoint import reached
from interplay.contracts.records import Stale
from interplay.files.faults import (
    Contended,
    Interrupted,
    NoSuchFile,
    NoSuchUpload,
    OutOfPlace,
    QuotaSpent,
    Taken,
    TooLarge,
    Unusable,
)
from interplay.files.parts import PART_BYTES, Parts
from interplay.files.rows import (
    FILE,
    UPLOAD,
    FileRow,
    KeptFile,
    KeptUpload,
    Rows,
    UploadRow,
    is_file_id,
    new_file_id,
    new_upload_id,
    record_of,
)
from interplay.files.sniff import UNKNOWN, sniff
from interplay.settings import Files

GRANULARITY = 256 * 1024
"""What an upload is interrupted at is a multiple of this, in bytes."""
_HASHES = 256
_START = 4_096


class Announced(msgspec.Struct, kw_only=True):
    """What a client says of a file before it sends it."""

    name: str | None = None
    """The id it wishes, with or without `files/`."""
    display_name: str | None = None
    mime_type: str | None = None
    size: int | None = None
    """Bytes."""
    target: str = ""
    note: dict[str, Any] = {}
    """See KeptUpload."""


class Uploads:
    """Uploads of all owners, by ids nobody guesses. Every method may raise StoreUnavailable."""

    def __init__(self, rows: Rows, parts: Parts, settings: Files) -> None:
        self._rows, self._parts, self._settings = rows, parts, settings
        self._hashes: dict[str, tuple[int, Any]] = {}

    async def start(self, owner: str, given: Announced) -> UploadRow:
        """Begins an upload. Raises Unusable, Taken, TooLarge, QuotaSpent."""
        file = await self._file_id(given.name)
        if given.size is not None and given.size > self._settings.file_bytes:
            raise TooLarge(self._settings.file_bytes)
        if given.display_name is not None and len(given.display_name) > 512:
            raise Unusable("A display name has at most 512 characters at 'file.display_name'.")
        now = self._rows.clock()
        record = record_of(UPLOAD, new_upload_id(), owner, now, self._expiry(now))
        kept = KeptUpload(
            file=file,
            size=given.size,
            mime_type=_kind(given.mime_type),
            display_name=given.display_name,
            target=given.target,
            note=given.note,
        )
        row = UploadRow(record, kept)
        await self._rows.add(row)
        # Counted when it is there already: of two at once each sees the other.
        await self._room(row)
        return row

    async def _file_id(self, name: str | None) -> str:
        if name is None:
            return new_file_id()
        id = name.removeprefix("files/")
        if not is_file_id(id):
            raise Unusable(
                "A name is 'files/' and at most 40 small letters, digits and dashes, no dash at"
                " an end, at 'file.name'."
            )
        if await self._rows.get(FileRow, id) is not None:
            raise Taken(id)
        return id

    def _expiry(self, now: float) -> float:
        return now + self._settings.upload_hours * 3_600

    async def _room(self, row: UploadRow) -> None:
        owner = row.record.owner
        files = sum(file.kept.size for file in await self._rows.every(FileRow, owner))
        coming = sum(
            max(upload.kept.size or 0, upload.kept.received)
            for upload in await self._rows.every(UploadRow, owner)
            if upload.record.state == "active"
        )
        if files + coming > self._settings.key_bytes:
            await self.cancel(row.record.id)
            raise QuotaSpent(self._settings.key_bytes)

    async def query(self, id: str) -> UploadRow:
        """Where an upload stands. Raises NoSuchUpload."""
        row = await self._rows.get(UploadRow, id)
        if row is None:
            raise NoSuchUpload
        return row

    async def cancel(self, id: str) -> None:
        """Forgets an upload; what has arrived is swept away. Silent when there is none."""
        self._hashes.pop(id, None)
        await self._rows.records.remove(UPLOAD, id)

    async def receive(
        self, id: str, offset: int, stream: AsyncIterator[bytes], *, last: bool
    ) -> UploadRow:
        """Takes bytes that begin at `offset`; those that are there already are passed over, so a
        request may be made again. What does not end the file (`last`) ends at a multiple of
        GRANULARITY. When the stream breaks off with Interrupted, what came is kept, and it goes
        through. Raises NoSuchUpload, OutOfPlace, TooLarge, Unusable, QuotaSpent, Contended."""
        row = await self.query(id)
        if row.record.state == "final":
            return row
        skip = row.kept.received - offset
        if skip < 0:
            raise OutOfPlace(
                f"The upload stands at {row.kept.received} bytes, not at {offset}: go on there."
            )
        waiting = bytearray()
        try:
            async for data in stream:
                if skip:
                    passed = min(skip, len(data))
                    skip, data = skip - passed, data[passed:]
                waiting += data
                await self._bounded(row, len(waiting))
                while len(waiting) >= PART_BYTES:
                    row = await self._commit(row, bytes(waiting[:PART_BYTES]))
                    del waiting[:PART_BYTES]
        except Interrupted:
            await self._commit(row, bytes(waiting[: _whole(waiting)]))
            raise
        if not last and len(waiting) % GRANULARITY:
            row = await self._commit(row, bytes(waiting[: _whole(waiting)]))
            raise OutOfPlace(
                f"All but the last part of a file are multiples of {GRANULARITY} bytes; the"
                f" upload stands at {row.kept.received}: go on there."
            )
        return await self._commit(row, bytes(waiting))

    async def _bounded(self, row: UploadRow, waiting: int) -> None:
        coming, kept = row.kept.received + waiting, row.kept
        if kept.size is not None and coming > kept.size:
            await self.cancel(row.record.id)
            raise Unusable(f"More bytes came than the {kept.size} that were announced.")
        if coming > self._settings.file_bytes:
            await self.cancel(row.record.id)
            raise TooLarge(self._settings.file_bytes)

    async def _commit(self, row: UploadRow, data: bytes) -> UploadRow:
        """Makes a stretch durable, and only then counts it."""
        if not data:
            return row
        id, kept = row.record.id, row.kept
        part = await self._parts.put(data)
        stood, hashed = self._hashes.pop(id, (0, None))
        if stood != kept.received:
            hashed = None
        elif hashed is None and not kept.received:
            hashed = hashlib.sha256()
        if hashed is not None:
            await asyncio.to_thread(hashed.update, data)
        kept.parts.append(part)
        kept.received += len(data)
        row.record.expires = self._expiry(self._rows.clock())
        try:
            row = await self._rows.put(row)
        except Stale:
            raise Contended from None
        reached("upload-part")
        if hashed is not None:
            while len(self._hashes) >= _HASHES:
                del self._hashes[next(iter(self._hashes))]
            self._hashes[id] = (kept.received, hashed)
        return row

    async def finalize(self, id: str) -> FileRow:
        """Makes the file; made again, answers the one it made. Raises NoSuchUpload, NoSuchFile,
        Unusable, QuotaSpent, Taken, BytesLost."""
        row = await self.query(id)
        if row.record.state == "final":
            return await self._made(row)
        kept = row.kept
        if kept.size is not None and kept.received != kept.size:
            raise Unusable(
                f"The upload stands at {kept.received} of the {kept.size} bytes that were"
                " announced: go on there, or cancel it."
            )
        if kept.size is None:
            await self._room(row)
        file = await self._file(row)
        if not await self._rows.add(file):
            file = await self._made(row)
            if file.kept.upload != id:
                raise Taken(kept.file)
        reached("upload-final")
        row.record.state, row.kept.parts = "final", []
        with suppress(Stale):  # another request has said the same
            await self._rows.put(row)
        self._hashes.pop(id, None)
        return file

    async def _made(self, row: UploadRow) -> FileRow:
        file = await self._rows.get(FileRow, row.kept.file)
        if file is None:
            raise NoSuchFile(row.kept.file)
        return file

    async def _file(self, row: UploadRow) -> FileRow:
        kept, now, hours = row.kept, self._rows.clock(), self._settings.expire_hours
        stood, hashed = self._hashes.get(row.record.id, (0, None))
        if hashed is None or stood != kept.received:
            hashed = hashlib.sha256()
            await self._parts.digest(kept.parts, hashed)
        kind = kept.mime_type
        if kind is None:
            start = b""
            async for data in self._parts.read(kept.parts[:1]):
                start = data[:_START]
            kind = sniff(start, kept.display_name)
        expires = now + hours * 3_600 if hours > 0 else None
        return FileRow(
            record_of(FILE, kept.file, row.record.owner, now, expires),
            KeptFile(
                parts=kept.parts,
                size=kept.received,
                sha256=hashed.hexdigest(),
                mime_type=kind,
                display_name=kept.display_name,
                upload=row.record.id,
            ),
        )


def _kind(mime_type: str | None) -> str | None:
    """What a client says of the kind of its file; None where it says nothing by it."""
    kind = (mime_type or "").strip()
    if not kind or kind.lower() == UNKNOWN:
        return None
    if len(kind) > 255 or "/" not in kind or not kind.isprintable() or not kind.isascii():
        raise Unusable("A MIME type is like text/plain at 'file.mime_type'.")
    return kind


def _whole(waiting: bytearray) -> int:
    return len(waiting) - len(waiting) % GRANULARITY
