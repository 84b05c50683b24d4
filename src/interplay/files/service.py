"""Files that were uploaded: read, listed, deleted, and found by their uri."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

from interplay.files.faults import NoSuchFile, TooLarge
from interplay.files.parts import Parts
from interplay.files.rows import FILE, FileRow, Rows

_URI = re.compile(
    r"(?:(?:https?://[^/?#]+(?:/[^/?#]+)*?/|/)?(?:upload/)?v1(?:alpha|beta1?)?/)?"
    r"files/([a-z0-9-]{1,40})(?::download)?(?:\?[^#]*)?"
)


def is_file(uri: str) -> bool:
    """Whether a `uri` has the form of one of this API's files, of whatever host."""
    return _URI.fullmatch(uri) is not None


class FileService:
    """Files of all owners; each sees only its own. Every method may raise StoreUnavailable."""

    def __init__(self, rows: Rows, parts: Parts) -> None:
        self._rows, self._parts = rows, parts

    async def get(self, id: str, owner: str) -> FileRow:
        """One file. Raises NoSuchFile."""
        row = await self._rows.get(FileRow, id)
        if row is None or row.record.owner != owner:
            raise NoSuchFile(id)
        return row

    async def list(
        self, owner: str, size: int, before: int | None
    ) -> tuple[list[FileRow], int | None]:
        """A page of the owner's files, newest first, and where the next one begins."""
        records, following = await self._rows.records.list(FILE, owner, size=size, before=before)
        return [self._rows.read(FileRow, record) for record in records], following

    async def delete(self, id: str, owner: str) -> None:
        """Removes a file; its bytes go with a sweep, unless another file has the same. Raises
        NoSuchFile."""
        await self.get(id, owner)
        if not await self._rows.records.remove(FILE, id):
            raise NoSuchFile(id)

    def content(self, row: FileRow) -> AsyncIterator[bytes]:
        """The bytes, stretch by stretch. Raises BytesLost."""
        return self._parts.read(row.kept.parts)

    async def find(self, uri: str, owner: str) -> FileRow | None:
        """The file that a `uri` of media content means: an address of this API, of whatever host,
        or `files/` and an id. None when the owner has no such file."""
        found = _URI.fullmatch(uri)
        row = await self._rows.get(FileRow, found[1]) if found is not None else None
        return row if row is not None and row.record.owner == owner else None

    async def whole(self, row: FileRow, limit: int) -> bytes:
        """All bytes at once. Raises TooLarge for more than `limit`, BytesLost."""
        if row.kept.size > limit:
            raise TooLarge(limit)
        return b"".join([data async for data in self.content(row)])

    async def sweep(self) -> int:
        """Removes bytes that no file has any more; answers how many stretches."""
        return await self._parts.sweep()
