"""A library with documents in it, without a server around it."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec

from interplay.contracts import registry
from interplay.contracts.documents.parsers import Parsers
from interplay.contracts.records import Record
from interplay.files.parts import Parts
from interplay.files.rows import Rows
from interplay.files.search.embedding import Embedding
from interplay.files.search.indexing import Indexing
from interplay.files.search.library import Library
from interplay.files.search.pages import Pages
from interplay.files.search.rows import DocumentRow, KeptDocument, KeptStore, SearchRows, StoreRow
from interplay.wire.search_store import CustomMetadata


class LongestFirst:
    """A reranker that prefers long passages."""

    class Config(msgspec.Struct):
        """Nothing to set."""

    name = "longest-first"

    def __init__(self, config: Any = None, surroundings: Any = None) -> None:
        del config, surroundings

    async def scores(self, query: str, texts: Any) -> list[float]:
        return [float(len(text)) for text in texts]

    async def close(self) -> None:
        """Nothing is held."""


class Shelf:
    """One store, `fileSearchStores/s`, of the owner ""."""

    name = "fileSearchStores/s"

    def __init__(
        self,
        records: Any,
        dispatcher: Any,
        folder: Path,
        embedder: Any = None,
        reranker: Any = None,
        *,
        memory: int = 1 << 30,
        seconds: float = 120.0,
    ) -> None:
        self.rows = SearchRows(records, time.time)
        blobs: Any = registry.load("interplay.blobs", "files")(folder / "files")
        self.parts = Parts(blobs, Rows(records, time.time))
        self.embedding = (
            Embedding(self.rows, self.parts, dispatcher, embedder) if embedder else None
        )
        self.pages = Pages(self.parts, Parsers(1, memory), seconds)
        self.indexing = Indexing(self.rows, self.parts, dispatcher, self.pages, self.embedding)
        self.library = Library(self.rows, self.parts, folder / "search", embedder, reranker)

    async def put(
        self, title: str, data: bytes, kind: str = "text/plain", *given: CustomMetadata
    ) -> None:
        """Adds a document and indexes it."""
        now = time.time()
        if await self.rows.get(StoreRow, "s") is None:
            store = Record(kind="search_store", id="s", created=now, updated=now, doc=b"")
            await self.rows.add(StoreRow(store, KeptStore()))
        id = f"s/{title.lower()}"
        record = Record(
            kind="document",
            id=id,
            group="s",
            state="STATE_PENDING",
            created=now,
            updated=now,
            doc=b"",
        )
        source = [await self.parts.put(data)]
        kept = KeptDocument(
            title=title, size=len(data), mime_type=kind, source=source, metadata=list(given)
        )
        await self.rows.add(DocumentRow(record, kept))
        await self.indexing.index(id)


@asynccontextmanager
async def shelf(folder: Path, *plugins: Any, **limits: Any) -> AsyncGenerator[Shelf]:
    """Opens a shelf over a folder, with an embedder and a reranker where they are given."""
    kind: Any = registry.load("interplay.stores", "sqlite")
    store = kind(
        folder=folder, durability="normal", database="", shared=False, connections=1, patience=5.0
    )
    local: Any = registry.load("interplay.dispatchers", "local")
    dispatcher = local(jobs=store.jobs, folder=folder, database="", shared=False, silence=30.0)
    await store.open()
    try:
        made = Shelf(store.records, dispatcher, folder, *plugins, **limits)
        try:
            yield made
        finally:
            await made.pages.close()
    finally:
        await store.close()
