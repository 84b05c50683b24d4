"""Search stores and their documents: create, get, list, delete, import."""

from __future__ import annotations

import hashlib

from interplay.contracts.failure import Failure
from interplay.contracts.records import Record
from interplay.files.faults import QuotaSpent, TooLarge, Unusable
from interplay.files.rows import FileRow
from interplay.files.search.indexing import Indexing
from interplay.files.search.rows import (
    DOCUMENT,
    STORE,
    Chunking,
    DocumentRow,
    KeptDocument,
    KeptStore,
    SearchRows,
    StoreRow,
    new_id,
)
from interplay.settings import Files
from interplay.wire.search_store import CustomMetadata

_NAME_LETTERS = 512


class NoSuchStore(Failure):
    """There is no such store, or no such thing in it, for this key."""

    code = "not_found"


class NotEmpty(Failure):
    """A store that holds documents is deleted by force only."""

    code = "failed_precondition"


class StoresSpent(Failure):
    """A key has so many stores and no more."""

    code = "quota_exceeded"


def no_such_store(id: str) -> NoSuchStore:
    """A 404 that does not tell whether the id exists for someone else."""
    return NoSuchStore(
        f"There is no store 'fileSearchStores/{id[:80]}': it was never created, was deleted, or"
        " belongs to another key."
    )


class SearchService:
    """Stores of all owners; each sees only its own. Every method may raise StoreUnavailable."""

    def __init__(
        self, rows: SearchRows, indexing: Indexing, settings: Files, embedder: str = ""
    ) -> None:
        self._rows, self._indexing, self._settings = rows, indexing, settings
        self.embedder = embedder
        """The name of the embedder in force; "" where there is none."""

    async def create(self, owner: str, name: str | None) -> StoreRow:
        """Makes an empty store. Raises Unusable, StoresSpent."""
        if name is not None and len(name) > _NAME_LETTERS:
            raise Unusable(f"A name has at most {_NAME_LETTERS} characters at 'displayName'.")
        if await self._rows.records.count(STORE, owner) >= self._settings.stores_per_key:
            raise StoresSpent(
                f"This key has {self._settings.stores_per_key} search stores"
                " (files.stores_per_key); delete some."
            )
        now = self._rows.clock()
        record = Record(kind=STORE, id=new_id(name), owner=owner, created=now, updated=now, doc=b"")
        row = StoreRow(record, KeptStore(name=name))
        await self._rows.add(row)
        return row

    async def store(self, id: str, owner: str) -> StoreRow:
        """One store. Raises NoSuchStore."""
        row = await self._rows.get(StoreRow, id)
        if row is None or row.record.owner != owner:
            raise no_such_store(id)
        return row

    async def documents_of(self, id: str) -> list[DocumentRow]:
        """Every document of a store."""
        return await self._rows.documents(id)

    async def stores(
        self, owner: str, size: int, before: int | None
    ) -> tuple[list[StoreRow], int | None]:
        """A page of the owner's stores, newest first."""
        records, following = await self._rows.records.list(STORE, owner, size=size, before=before)
        return [self._rows.read(StoreRow, record) for record in records], following

    async def delete(self, id: str, owner: str, *, force: bool) -> None:
        """Removes a store, with `force` its documents too. Raises NoSuchStore, NotEmpty."""
        await self.store(id, owner)
        if not force:
            some, _ = await self._rows.records.list(DOCUMENT, owner, group=id, size=1)
            if some:
                raise NotEmpty("The store holds documents; delete them first, or with 'force'.")
        await self._rows.records.remove(DOCUMENT, id, group=True)
        await self._rows.records.remove(STORE, id)
        await self._rows.records.remove(DOCUMENT, id, group=True)  # what came meanwhile

    async def bring_in(
        self,
        store: str,
        owner: str,
        file: FileRow,
        *,
        title: str | None,
        metadata: list[CustomMetadata],
        chunking: Chunking,
        token: str = "",
    ) -> DocumentRow:
        """Makes a document of a file and has it indexed; with the same `token` it is made once.
        Raises NoSuchStore, TooLarge, QuotaSpent."""
        await self.store(store, owner)
        size, limit = file.kept.size, self._settings.document_bytes
        if size > limit:
            raise TooLarge(limit, "document", "files.document_bytes")
        title = title or file.kept.display_name or file.record.id
        id = hashlib.sha256(token.encode()).hexdigest()[:24] if token else new_id(title)
        earlier = await self._rows.get(DocumentRow, f"{store}/{id}")
        if earlier is not None:
            return earlier
        await self._room(owner, size)
        now = self._rows.clock()
        record = Record(
            kind=DOCUMENT,
            id=f"{store}/{id}",
            owner=owner,
            group=store,
            state="STATE_PENDING",
            due=now + 60,
            created=now,
            updated=now,
            doc=b"",
        )
        kept = KeptDocument(
            title=title,
            size=size,
            mime_type=file.kept.mime_type,
            source=file.kept.parts,
            metadata=metadata,
            chunking=chunking,
        )
        row = DocumentRow(record, kept)
        if not await self._rows.add(row):
            return await self.document(store, id, owner)
        await self._indexing.submit(row)
        return row

    async def _room(self, owner: str, size: int) -> None:
        has = sum(row.kept.size for row in await self._rows.documents(owner=owner))
        if has + size > self._settings.search_bytes:
            raise QuotaSpent(self._settings.search_bytes, "documents", "search_bytes")

    async def document(self, store: str, id: str, owner: str) -> DocumentRow:
        """One document. Raises NoSuchStore."""
        row = await self._rows.get(DocumentRow, f"{store}/{id}")
        if row is None or row.record.owner != owner:
            raise NoSuchStore(
                f"There is no document '{id[:80]}' in 'fileSearchStores/{store[:80]}' for this key."
            )
        return row

    async def documents(
        self, store: str, owner: str, size: int, before: int | None
    ) -> tuple[list[DocumentRow], int | None]:
        """A page of a store's documents, newest first. Raises NoSuchStore."""
        await self.store(store, owner)
        records, following = await self._rows.records.list(
            DOCUMENT, owner, group=store, size=size, before=before
        )
        return [self._rows.read(DocumentRow, record) for record in records], following

    async def remove(self, store: str, id: str, owner: str) -> None:
        """Removes a document; it is found no more from now on. Raises NoSuchStore."""
        row = await self.document(store, id, owner)
        await self._rows.records.remove(DOCUMENT, row.record.id)
        await self._rows.touch(store)
