"""The work that gives passages their vectors: durable, and gone on with after a crash."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

import msgspec

from interplay.contracts.dispatcher import Dispatcher
from interplay.contracts.embedder import Embedder
from interplay.contracts.failure import Failure
from interplay.files.parts import Parts
from interplay.files.rows import Part
from interplay.files.search.passages import Passage
from interplay.files.search.rows import DocumentRow, SearchRows
from interplay.files.search.vectors import halved

log = logging.getLogger("interplay.files")

EMBED = "embed"
"""The kind of job; its id is the document's."""

_STRETCH = 1_024
"""Passages whose vectors are kept together; as many are embedded again after a crash."""
_AT_ONCE = 256
"""A document of so few passages gets its vectors before it is active."""
_PAUSE = 60.0
_EVERY = 600.0
"""Seconds between two looks at every document for one without vectors of this embedder."""


class Embedding:
    """Vectors by one embedder. Those of another are never used beside them: their documents are
    embedded again, and found by their words until then."""

    def __init__(
        self, rows: SearchRows, parts: Parts, dispatcher: Dispatcher, embedder: Embedder
    ) -> None:
        self._rows, self._parts, self._dispatcher = rows, parts, dispatcher
        self._embedder, self.facts = embedder, embedder.facts
        self._looked = 0.0

    async def at_once(self, passages: Sequence[Passage]) -> list[Part]:
        """The vectors of a small document; none of a larger one, or when the embedder fails: both
        have a job."""
        if len(passages) > _AT_ONCE:
            return []
        try:
            return [await self._stretch(passages)]
        except Failure as failure:
            log.warning("%s fails, documents get their vectors later: %s", self.facts.name, failure)
            return []

    async def submit(self, row: DocumentRow) -> None:
        """Hands a document over whose vectors are missing."""
        if not row.embedded(self.facts.name, self.facts.dims):
            await self._dispatcher.submit(EMBED, row.record.id)

    async def sweep(self) -> None:
        """Hands over what was indexed before, or by another embedder."""
        now = self._rows.clock()
        if now < self._looked + _EVERY:
            return
        self._looked = now
        for row in await self._rows.documents():
            if row.record.state == "STATE_ACTIVE" and row.kept.told:
                await self.submit(row)

    async def embed(self, id: str) -> float | None:
        """Gives a document its vectors, stretch by stretch. Done again, it ends at once."""
        row = await self._rows.change(DocumentRow, id, self._begin)
        if row is None or row.record.state != "STATE_ACTIVE":
            return None
        if row.embedded(self.facts.name, self.facts.dims):
            await self._rows.touch(row.record.group)  # an attempt may have died before it did
            return None
        raw = b"".join([data async for data in self._parts.read(row.kept.index)])
        passages = await asyncio.to_thread(_decode, raw)
        done = row.kept.embedded // (2 * self.facts.dims)
        try:
            while done < len(passages):
                stretch = passages[done : done + _STRETCH]
                if not await self._keep(id, done, await self._stretch(stretch)):
                    return None  # someone else is further, or it is gone
                done += len(stretch)
        except Failure as failure:
            log.warning("%s fails, %s waits for its vectors: %s", self.facts.name, id, failure)
            return self._rows.clock() + (failure.retry_after or _PAUSE)
        await self._rows.touch(row.record.group)
        return None

    async def _stretch(self, passages: Sequence[Passage]) -> Part:
        floats = await self._embedder.embed([one.text for one in passages], "passage")
        return await self._parts.put(await asyncio.to_thread(halved, floats))

    def _begin(self, row: DocumentRow) -> bool:
        kept, mine = row.kept, (self.facts.name, self.facts.dims)
        if row.record.state != "STATE_ACTIVE" or (kept.embedder, kept.dims) == mine:
            return False
        (kept.embedder, kept.dims), kept.vectors = mine, []
        return True

    async def _keep(self, id: str, done: int, part: Part) -> bool:
        kept = False

        def apply(row: DocumentRow) -> bool:
            nonlocal kept
            there = row.kept.embedded == done * 2 * self.facts.dims
            kept = there and row.kept.embedder == self.facts.name
            if kept:
                row.kept.vectors.append(part)
            return kept

        row = await self._rows.change(DocumentRow, id, apply)
        return row is not None and kept


_decode = msgspec.msgpack.Decoder(list[Passage]).decode
