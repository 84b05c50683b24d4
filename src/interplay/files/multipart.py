"""multipart/related: a JSON part that tells of a file, then the file, as one streaming body."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

from interplay.files.faults import Unusable

_BOUNDARY = re.compile(r'boundary=(?:"([^"]{1,200})"|([^\s;,"]{1,200}))', re.IGNORECASE)
_HEAD_BYTES = 64 * 1024


class Multipart:
    """One body of two parts: read `metadata`, then `content` to its end."""

    def __init__(self, content_type: str, stream: AsyncIterator[bytes]) -> None:
        """Raises Unusable when the header names no boundary."""
        found = _BOUNDARY.search(content_type)
        if found is None:
            raise Unusable("A multipart upload needs a boundary in its Content-Type.")
        self._mark = b"\r\n--" + (found[1] or found[2]).encode("latin-1")
        self._stream = stream
        self._held = b"\r\n"  # before the first boundary there need not be a line

    async def metadata(self) -> bytes:
        """The first part's content. Raises Unusable, Interrupted."""
        await self._until(self._mark)
        await self._headers()
        return await self._until(self._mark)

    async def content_type(self) -> str | None:
        """What the second part says it is; call it after `metadata`."""
        return (await self._headers()).get("content-type")

    async def content(self) -> AsyncIterator[bytes]:
        """The second part's content; call it after `content_type`. Raises Unusable, Interrupted."""
        while True:
            at = self._held.find(self._mark)
            if at >= 0:
                yield self._held[:at]
                return
            safe = len(self._held) - len(self._mark) + 1
            if safe > 0:
                yield self._held[:safe]
                self._held = self._held[safe:]
            await self._more()

    async def _headers(self) -> dict[str, str]:
        head = await self._until(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        pairs = [line.partition(":") for line in lines if ":" in line]
        return {name.strip().lower(): value.strip() for name, _, value in pairs}

    async def _until(self, mark: bytes) -> bytes:
        """What stands before a mark; the mark is passed."""
        while (at := self._held.find(mark)) < 0:
            if len(self._held) > _HEAD_BYTES:
                raise Unusable(f"What stands before the file has more than {_HEAD_BYTES} bytes.")
            await self._more()
        before, self._held = self._held[:at], self._held[at + len(mark) :]
        return before

    async def _more(self) -> None:
        async for data in self._stream:
            self._held += data
            return
        raise Unusable("The multipart body ends before its last boundary.")
