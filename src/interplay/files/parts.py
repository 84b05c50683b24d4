"""The bytes of files: stretches of a few MiB, each a blob, so that no file is ever in memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

from interplay.contracts.blobs import Blobs
from interplay.files.faults import BytesLost
from interplay.files.rows import FileRow, Part, Rows, UploadRow

PART_BYTES = 4 * 1024 * 1024
"""The largest stretch; whoever writes or reads a file holds one of them."""

_IDLE = 3_600.0
"""Seconds a blob nobody refers to stays: its row may be on the way, and a backup may be taken."""


class Parts:
    """Stretches of files in blobs of their own, apart from those of interactions."""

    def __init__(self, blobs: Blobs, rows: Rows) -> None:
        self._blobs, self._rows = blobs, rows
        self.others: list[Callable[[], Awaitable[set[str]]]] = []
        """What else refers to blobs; what was a file's before is asked after the files."""

    async def put(self, data: bytes) -> Part:
        """Stores a stretch durably. Raises StoreFull."""
        return await self._blobs.put(data), len(data)

    async def read(self, parts: Sequence[Part]) -> AsyncIterator[bytes]:
        """The stretches one after the other. Raises BytesLost."""
        for sha256, size in parts:
            try:
                data = await self._blobs.get(sha256)
            except KeyError:
                raise BytesLost from None
            if len(data) != size:
                raise BytesLost
            yield data

    async def digest(self, parts: Sequence[Part], into: Any) -> None:
        """Feeds the stretches to a hash, beside the event loop. Raises BytesLost."""
        async for data in self.read(parts):
            await asyncio.to_thread(into.update, data)

    async def sweep(self, idle: float = _IDLE) -> int:
        """Removes what no file and no upload refers to any more; answers how many blobs."""
        # Uploads first: one that becomes a file meanwhile is seen as the one or as the other.
        uploads = await self._rows.every(UploadRow)
        rows = [*uploads, *await self._rows.every(FileRow)]
        living = {sha256 for row in rows for sha256, _ in row.kept.parts}
        for other in self.others:
            living |= await other()
        orphans = [name for name in await self._blobs.names(idle=idle) if name not in living]
        for name in orphans:
            await self._blobs.remove(name, idle=idle)
        return len(orphans)
