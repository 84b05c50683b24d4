"""The work that makes a document searchable: durable, and begun anew after a crash."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import msgspec

from interplay.contracts.dispatcher import Dispatcher
from interplay.contracts.failpoint import reached
from interplay.contracts.failure import Failure
from interplay.contracts.store import StoreUnavailable
from interplay.files.faults import Unusable
from interplay.files.parts import PART_BYTES, Parts
from interplay.files.rows import Part
from interplay.files.search.embedding import Embedding
from interplay.files.search.pages import Pages
from interplay.files.search.passages import Page, Passage, passages_of
from interplay.files.search.rows import DOCUMENT, Chunking, DocumentRow, SearchRows

INDEX = "index"
"""The kind of job; its id is the document's."""

_TRIES = 5
_AGAIN = 600.0
"""Seconds after which the job of a pending document is looked for."""
_DUE = 100


class Indexing:
    """Does the jobs, and finds documents whose job a crash forgot."""

    def __init__(
        self,
        rows: SearchRows,
        parts: Parts,
        dispatcher: Dispatcher,
        pages: Pages,
        embedding: Embedding | None = None,
    ) -> None:
        self._rows, self._parts, self._dispatcher = rows, parts, dispatcher
        self._pages, self._embedding = pages, embedding

    async def submit(self, row: DocumentRow) -> None:
        """Hands a document over; without its job it is found by the sweep."""
        with suppress(StoreUnavailable):
            await self._dispatcher.submit(INDEX, row.record.id)

    async def sweep(self) -> None:
        """Hands over what waits for its job."""
        for record in await self._rows.records.due(DOCUMENT, self._rows.clock(), _DUE):
            await self._dispatcher.submit(INDEX, record.id)
            await self._rows.change(DocumentRow, record.id, self._wait)

    async def index(self, id: str) -> float | None:
        """Reads a document, cuts it, keeps its passages. Done again, it ends at once."""
        row = await self._rows.change(DocumentRow, id, self._begin)
        if row is None or row.record.state != "STATE_PENDING":
            await self._tell(row)  # an attempt may have died before it did
            return None
        reached("index-begun")
        try:
            kept = row.kept
            read = await self._pages.read(kept.source, kept.mime_type)
            found = await asyncio.to_thread(_cut, read, kept.chunking)
            index = await self._put(found)
            vectors = await self._embedding.at_once(found) if self._embedding is not None else []
        except StoreUnavailable:
            raise
        except Failure as failure:
            await self._end(row, "STATE_FAILED", failure.message, [], [], 0)
            return None
        reached("index-made")
        await self._end(row, "STATE_ACTIVE", None, index, vectors, len(found))
        return None

    def _wait(self, row: DocumentRow) -> bool:
        if row.kept.told:
            return False
        row.record.due = self._rows.clock() + _AGAIN
        return True

    def _begin(self, row: DocumentRow) -> bool:
        if row.record.state != "STATE_PENDING":
            return False
        self._wait(row)
        row.kept.tries += 1
        row.kept.percent = 10
        if row.kept.tries > _TRIES:  # it takes the process down with it
            row.record.state, row.kept.source = "STATE_FAILED", []
            row.kept.error = f"It was given up after {_TRIES} attempts that did not come to an end."
        return True

    async def _put(self, passages: list[Passage]) -> list[Part]:
        raw = await asyncio.to_thread(msgspec.msgpack.encode, passages)
        return [
            await self._parts.put(raw[start : start + PART_BYTES])
            for start in range(0, len(raw), PART_BYTES)
        ]

    async def _end(
        self,
        row: DocumentRow,
        state: str,
        error: str | None,
        index: list[Part],
        vectors: list[Part],
        count: int,
    ) -> None:
        def apply(row: DocumentRow) -> bool:
            if row.record.state != "STATE_PENDING":
                return False
            row.record.state = state
            row.kept.source, row.kept.index, row.kept.vectors = [], index, vectors
            if self._embedding is not None and vectors:
                facts = self._embedding.facts
                row.kept.embedder, row.kept.dims = facts.name, facts.dims
            row.kept.error, row.kept.passages, row.kept.percent = error, count, 100
            return True

        await self._tell(await self._rows.change(DocumentRow, row.record.id, apply))

    async def _tell(self, row: DocumentRow | None) -> None:
        """Has every index look again, and only then shows the end."""
        if row is None or row.kept.told:
            return
        reached("index-untold")
        await self._rows.touch(row.record.group)
        row = await self._rows.change(DocumentRow, row.record.id, _told)
        if row is not None and row.record.state == "STATE_ACTIVE" and self._embedding is not None:
            await self._embedding.submit(row)


def _told(row: DocumentRow) -> bool:
    if row.kept.told:
        return False
    row.kept.told, row.record.due = True, None
    return True


def _cut(pages: list[Page], chunking: Chunking) -> list[Passage]:
    found = passages_of(pages, chunking)
    if not found:
        raise Unusable("The document holds no text; scanned pages would have to be read first.")
    return found
