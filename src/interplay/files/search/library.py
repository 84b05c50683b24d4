"""Searching in stores: the index of each is brought up to date, asked, and its hits checked."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import msgspec

from interplay.contracts import library
from interplay.contracts.embedder import Embedder
from interplay.contracts.reranker import Reranker
from interplay.files.parts import Parts
from interplay.files.rows import Part
from interplay.files.search.filters import Matches, metadata_of, parsed
from interplay.files.search.index import Hit, Index
from interplay.files.search.passages import Passage
from interplay.files.search.rows import DocumentRow, SearchRows, StoreRow, store_id
from interplay.files.search.service import no_such_store
from interplay.files.search.vectors import Near, Vectors

_decode = msgspec.msgpack.Decoder(list[Passage]).decode
_SPARE = 10
"""Hits asked for beyond those wanted: some may be of documents deleted meanwhile."""


class Library:
    """See interplay.contracts.library. `folder` holds this machine's indexes."""

    def __init__(
        self,
        rows: SearchRows,
        parts: Parts,
        folder: Path,
        embedder: Embedder | None = None,
        reranker: Reranker | None = None,
        *,
        reranked: int = 20,
    ) -> None:
        self._rows, self._parts, self._folder = rows, parts, folder
        self._embedder, self._reranker, self._reranked = embedder, reranker, reranked
        self._locks: dict[str, asyncio.Lock] = {}

    async def search(
        self, owner: str, stores: Sequence[str], text: str, *, count: int, filter: str | None = None
    ) -> list[library.Passage]:
        """The best passages of these stores. Raises NoSuchStore, Unusable, BytesLost, and what the
        embedder and the reranker raise."""
        asked = _Asked(text, parsed(filter) if filter else None, self._embedder)
        wanted = max(count, self._reranked) if self._reranker is not None else count
        ranked = [
            await self._ranked(owner, store_id(name), asked, wanted + _SPARE)
            for name in dict.fromkeys(stores)
        ]
        merged = [
            (rank, place, hit) for place, hits in enumerate(ranked) for rank, hit in enumerate(hits)
        ]
        merged.sort(key=lambda one: one[:2])  # of several stores the best of each come first
        found: list[library.Passage] = []
        for _, _, hit in merged:
            if len(found) == wanted:
                break
            row = await self._rows.get(DocumentRow, hit.document)
            if row is not None:
                found.append(_passage(row, hit))
        if self._reranker is not None and found:
            scores = await self._reranker.scores(text, [one.text for one in found])
            order = sorted(range(len(found)), key=lambda place: -scores[place])
            found = [found[place] for place in order]
        return found[:count]

    async def _ranked(self, owner: str, id: str, asked: _Asked, count: int) -> list[Hit]:
        row = await self._rows.get(StoreRow, id)
        if row is None or row.record.owner != owner:
            raise no_such_store(id)
        index = Index(self._path(id))
        async with self._locks.setdefault(id, asyncio.Lock()):
            await self._refresh(index, row)
        among = None
        if asked.matches is not None:
            matches, known = asked.matches, await asyncio.to_thread(index.metadata)
            among = [document for document, given in known.items() if matches(given)]
        near = await asked.near(index)
        return await asyncio.to_thread(index.search, asked.text, count, among, near)

    async def _refresh(self, index: Index, store: StoreRow) -> None:
        if await asyncio.to_thread(index.version) == store.record.version:
            return
        rows = await self._rows.documents(store.record.id)
        wanted = {row.record.id: row for row in rows if row.record.state == "STATE_ACTIVE"}
        known = await asyncio.to_thread(index.known)
        for id in known.keys() - wanted.keys():
            await asyncio.to_thread(index.remove, id)
        for id, row in wanted.items():
            embedder = self._embedder_of(row)
            if id in known and (not embedder or known[id] == embedder):
                continue
            passages = await asyncio.to_thread(_decode, await self._read(row.kept.index))
            vectors = await self._vectors(row) if embedder else None
            metadata = metadata_of(row.kept.metadata)
            await asyncio.to_thread(index.add, id, row.kept.title, metadata, passages, vectors)
        await asyncio.to_thread(index.reached, store.record.version)

    def _embedder_of(self, row: DocumentRow) -> str:
        """Whose vectors of a document are to be in the index; "" for none."""
        facts = self._embedder.facts if self._embedder is not None else None
        return facts.name if facts is not None and row.embedded(facts.name, facts.dims) else ""

    async def _vectors(self, row: DocumentRow) -> Vectors | None:
        if self._embedder is None:
            return None
        facts = self._embedder.facts
        halves = await self._read(row.kept.vectors)
        return Vectors(embedder=facts.name, dims=facts.dims, halves=halves)

    async def _read(self, parts: Sequence[Part]) -> bytes:
        return b"".join([data async for data in self._parts.read(parts)])

    async def sweep(self) -> int:
        """Removes this machine's indexes of stores that are gone; answers how many."""
        gone = [
            path
            for path in await asyncio.to_thread(lambda: list(self._folder.glob("*.sqlite")))
            if await self._rows.get(StoreRow, path.stem) is None
        ]
        for path in gone:
            await asyncio.to_thread(Index(path).unlink)
            self._locks.pop(path.stem, None)
        return len(gone)

    def _path(self, id: str) -> Path:
        return self._folder / f"{id}.sqlite"


class _Asked:
    """A question; its vector is made once, when the first store is asked that has vectors."""

    def __init__(self, text: str, matches: Matches | None, embedder: Embedder | None) -> None:
        self.text, self.matches, self._embedder = text, matches, embedder
        self._near: Near | None = None

    async def near(self, index: Index) -> Near | None:
        embedder = self._embedder
        if embedder is None or not self.text.strip():
            return None
        if not await asyncio.to_thread(index.embedded, embedder.facts.name):
            return None
        if self._near is None:
            vector = await embedder.embed([self.text], "query")
            self._near = Near(embedder=embedder.facts.name, vector=vector)
        return self._near


def _passage(row: DocumentRow, hit: Hit) -> library.Passage:
    return library.Passage(
        store=row.parent,
        document=row.name,
        title=hit.title,
        text=hit.text,
        page=hit.page,
        metadata=hit.metadata,
    )
