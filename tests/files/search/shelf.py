"""A library with documents in it, without a server around it."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from interplay.contracts import registry
from interplay.contracts.records import Record
from interplay.files.parts import Parts
from interplay.files.rows import Rows
from interplay.files.search.indexing import Indexing
from interplay.files.search.library import Library
from interplay.files.search.rows import DocumentRow, KeptDocument, KeptStore, SearchRows, StoreRow
from interplay.wire.search_store import CustomMetadata


class Shelf:
    """One store, `fileSearchStores/s`, of the owner ""."""

    name = "fileSearchStores/s"

    def __init__(self, records: Any, dispatcher: Any, folder: Path) -> None:
        self.rows = SearchRows(records, time.time)
        blobs: Any = registry.load("interplay.blobs", "files")(folder / "files")
        self.parts = Parts(blobs, Rows(records, time.time))
        self.indexing = Indexing(self.rows, self.parts, dispatcher)
        self.library = Library(self.rows, self.parts, folder / "search")

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
async def shelf(folder: Path) -> AsyncGenerator[Shelf]:
    """Opens a shelf over a folder."""
    kind: Any = registry.load("interplay.stores", "sqlite")
    store = kind(
        folder=folder, durability="normal", database="", shared=False, connections=1, patience=5.0
    )
    local: Any = registry.load("interplay.dispatchers", "local")
    dispatcher = local(jobs=store.jobs, folder=folder, database="", shared=False, silence=30.0)
    await store.open()
    try:
        yield Shelf(store.records, dispatcher, folder)
    finally:
        await store.close()
