"""Searching in stores: the index of each is brought up to date, asked, and its hits checked."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import msgspec

from interplay.contracts import library
from interplay.files.parts import Parts
from interplay.files.search.filters import Matches, metadata_of, parsed
from interplay.files.search.index import Hit, Index
from interplay.files.search.passages import Passage
from interplay.files.search.rows import DocumentRow, SearchRows, StoreRow, store_id
from interplay.files.search.service import no_such_store

_decode = msgspec.msgpack.Decoder(list[Passage]).decode
_SPARE = 10
"""Hits asked for beyond those wanted: some may be of documents deleted meanwhile."""


class Library:
    """See interplay.contracts.library. `folder` holds this machine's indexes."""

    def __init__(self, rows: SearchRows, parts: Parts, folder: Path) -> None:
        self._rows, self._parts, self._folder = rows, parts, folder
        self._locks: dict[str, asyncio.Lock] = {}

    async def search(
        self, owner: str, stores: Sequence[str], text: str, *, count: int, filter: str | None = None
    ) -> list[library.Passage]:
        """The best passages of these stores. Raises NoSuchStore, Unusable, BytesLost."""
        matches = parsed(filter)
        ranked = [
            await self._ranked(owner, store_id(name), text, count + _SPARE, matches, filter)
            for name in dict.fromkeys(stores)
        ]
        merged = [
            (rank, place, hit) for place, hits in enumerate(ranked) for rank, hit in enumerate(hits)
        ]
        merged.sort(key=lambda one: one[:2])  # of several stores the best of each come first
        found: list[library.Passage] = []
        for _, _, hit in merged:
            row = await self._rows.get(DocumentRow, hit.document)
            if row is not None and len(found) < count:
                found.append(_passage(row, hit))
        return found

    async def _ranked(
        self, owner: str, id: str, text: str, count: int, matches: Matches, filter: str | None
    ) -> list[Hit]:
        row = await self._rows.get(StoreRow, id)
        if row is None or row.record.owner != owner:
            raise no_such_store(id)
        index = Index(self._path(id))
        async with self._locks.setdefault(id, asyncio.Lock()):
            await self._refresh(index, row)
        among = None
        if filter:
            known = await asyncio.to_thread(index.metadata)
            among = [document for document, given in known.items() if matches(given)]
        return await asyncio.to_thread(index.search, text, count, among)

    async def _refresh(self, index: Index, store: StoreRow) -> None:
        if await asyncio.to_thread(index.version) == store.record.version:
            return
        rows = await self._rows.documents(store.record.id)
        wanted = {row.record.id: row for row in rows if row.record.state == "STATE_ACTIVE"}
        known = await asyncio.to_thread(index.known)
        for id in known - wanted.keys():
            await asyncio.to_thread(index.remove, id)
        for id in wanted.keys() - known:
            kept = wanted[id].kept
            raw = b"".join([data async for data in self._parts.read(kept.index)])
            passages = await asyncio.to_thread(_decode, raw)
            await asyncio.to_thread(index.add, id, kept.title, metadata_of(kept.metadata), passages)
        await asyncio.to_thread(index.reached, store.record.version)

    async def sweep(self) -> int:
        """Removes this machine's indexes of stores that are gone; answers how many."""
        gone = [
            path
            for path in await asyncio.to_thread(lambda: list(self._folder.glob("*.sqlite")))
            if await self._rows.get(StoreRow, path.stem) is None
        ]
        for path in gone:
            await asyncio.to_thread(_unlink, path)
            self._locks.pop(path.stem, None)
        return len(gone)

    def _path(self, id: str) -> Path:
        return self._folder / f"{id}.sqlite"


def _unlink(path: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)


def _passage(row: DocumentRow, hit: Hit) -> library.Passage:
    return library.Passage(
        store=row.parent,
        document=row.name,
        title=hit.title,
        text=hit.text,
        page=hit.page,
        metadata=hit.metadata,
    )
