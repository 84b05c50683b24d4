"""What is kept of search stores and of their documents: records of the store."""

from __future__ import annotations

import re
import secrets
import string
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import msgspec

from interplay.contracts.records import Record, Records, Stale
from interplay.files.rows import Part, moment
from interplay.wire.search_store import (
    CustomMetadata,
    Document,
    DocumentState,
    FileSearchStore,
    Operation,
    OperationError,
)

STORE, DOCUMENT = "search_store", "document"
"""Kinds of records. The id of a document is the store's id, a slash, and its own."""

_LETTERS = string.ascii_lowercase + string.digits
_TRIES = 100
_PAGE = 500


class Chunking(msgspec.Struct):
    """How a document is cut, in words."""

    size: int = 200
    overlap: int = 40


class KeptStore(msgspec.Struct, kw_only=True, omit_defaults=True):
    """The document of a store. The record's version counts the changes of what is in it."""

    name: str | None = None


class KeptDocument(msgspec.Struct, kw_only=True, omit_defaults=True):
    """The document of a document. Its state is the record's; while it is pending, `due` says when
    its job is to be looked for."""

    title: str
    size: int
    mime_type: str
    source: list[Part] = []
    """The bytes, until it is indexed."""
    index: list[Part] = []
    """Its passages, once it is."""
    embedder: str = ""
    """Who made its vectors; see interplay.contracts.embedder.EmbedderFacts.name."""
    dims: int = 0
    vectors: list[Part] = []
    """Its vectors as far as they are made, float16, in the order of its passages."""
    metadata: list[CustomMetadata] = []
    chunking: Chunking = msgspec.field(default_factory=Chunking)
    passages: int = 0
    percent: int = 0
    tries: int = 0
    error: str | None = None
    told: bool = False
    """Every index knows that it has to look again; before that its end is not shown."""

    @property
    def embedded(self) -> int:
        """Bytes of vectors that are made."""
        return sum(size for _, size in self.vectors)

    @property
    def blobs(self) -> list[Part]:
        """All it refers to."""
        return [*self.source, *self.index, *self.vectors]


class StoreRow(msgspec.Struct):
    """A store as it was read."""

    record: Record
    kept: KeptStore

    def resource(
        self, documents: Sequence[DocumentRow] | None = None, *, embedder: str = ""
    ) -> FileSearchStore:
        """The store on the wire, with counts of its documents where they are given, and with the
        embedder in force."""
        record = self.record
        made = FileSearchStore(
            name=f"fileSearchStores/{record.id}",
            display_name=self.kept.name,
            create_time=moment(record.created),
            update_time=moment(record.updated),
            embedding_model=f"models/{embedder}" if embedder else None,
        )
        if documents is not None:
            states = [row.state for row in documents]
            made.active_documents_count = str(states.count("STATE_ACTIVE"))
            made.pending_documents_count = str(states.count("STATE_PENDING"))
            made.failed_documents_count = str(states.count("STATE_FAILED"))
            made.size_bytes = str(sum(row.kept.size for row in documents))
        return made


class DocumentRow(msgspec.Struct):
    """A document as it was read."""

    record: Record
    kept: KeptDocument

    @property
    def parent(self) -> str:
        """The full name of its store."""
        return f"fileSearchStores/{self.record.group}"

    @property
    def name(self) -> str:
        """Its full name."""
        return f"{self.parent}/documents/{self.record.id.rpartition('/')[2]}"

    @property
    def state(self) -> DocumentState:
        """What a caller sees of its state: who is told of the end can find it."""
        state: Any = self.record.state
        return state if self.kept.told else "STATE_PENDING"

    def embedded(self, embedder: str, dims: int) -> bool:
        """Whether every passage has its vector of this embedder."""
        kept = self.kept
        same = (kept.embedder, kept.dims) == (embedder, dims)
        return same and kept.embedded == kept.passages * dims * 2

    def resource(self) -> Document:
        """The document on the wire."""
        record, kept = self.record, self.kept
        return Document(
            name=self.name,
            display_name=kept.title,
            state=self.state,
            size_bytes=str(kept.size),
            mime_type=kept.mime_type,
            create_time=moment(record.created),
            update_time=moment(record.updated),
            custom_metadata=kept.metadata,
        )

    def operation(self, *, uploaded: bool = False) -> Operation:
        """How far the work is that makes it searchable."""
        kept, id = self.kept, self.record.id.rpartition("/")[2]
        middle = "upload/operations" if uploaded else "operations"
        state = self.state
        made = Operation(
            name=f"{self.parent}/{middle}/{id}",
            metadata={
                "document": self.name,
                "state": state,
                "progressPercent": kept.percent,
                "passages": kept.passages,
                "embedded": bool(kept.vectors) and self.embedded(kept.embedder, kept.dims),
            },
        )
        if state == "STATE_PENDING":
            return made
        made.done = True
        if state == "STATE_FAILED":
            made.error = OperationError(code=9, message=kept.error or "It cannot be indexed.")
        else:
            made.response = {"parent": self.parent, "documentName": self.name}
        return made


Row = TypeVar("Row", StoreRow, DocumentRow)
_DOCUMENTS: dict[type[Any], tuple[str, type[Any]]] = {
    StoreRow: (STORE, KeptStore),
    DocumentRow: (DOCUMENT, KeptDocument),
}


class SearchRows:
    """Stores and documents by id. Whatever the store of records raises goes through."""

    def __init__(self, records: Records, clock: Callable[[], float]) -> None:
        self.records, self.clock = records, clock

    @staticmethod
    def read(kind: type[Row], record: Record) -> Row:
        """A record as what it is."""
        return kind(record, msgspec.json.decode(record.doc, type=_DOCUMENTS[kind][1]))

    async def get(self, kind: type[Row], id: str) -> Row | None:
        """A store or a document."""
        record = await self.records.get(_DOCUMENTS[kind][0], id)
        return self.read(kind, record) if record is not None else None

    async def add(self, row: StoreRow | DocumentRow) -> bool:
        """Adds it; False, and nothing changes, when its id is there."""
        row.record.doc = msgspec.json.encode(row.kept)
        try:
            await self.records.add(row.record)
        except KeyError:
            return False
        return True

    async def change(self, kind: type[Row], id: str, apply: Callable[[Row], bool]) -> Row | None:
        """Reads, applies and writes until no other change came between; `apply` answers whether
        there is anything to write. None when it is gone."""
        for _ in range(_TRIES):
            row = await self.get(kind, id)
            if row is None or not apply(row):
                return row
            row.record.doc = msgspec.json.encode(row.kept)
            row.record.updated = self.clock()
            try:
                row.record = await self.records.replace(row.record)
            except Stale:
                continue
            return row
        raise Stale(f"The {_DOCUMENTS[kind][0]} {id} changes all the time.")

    async def touch(self, store: str) -> None:
        """Tells every index of this store that its documents are others now."""
        await self.change(StoreRow, store, lambda _: True)

    async def documents(
        self, store: str | None = None, owner: str | None = None
    ) -> list[DocumentRow]:
        """All documents of one store, of one owner or of everyone."""
        found: list[DocumentRow] = []
        before: int | None = None
        while True:
            page, before = await self.records.list(
                DOCUMENT, owner, group=store, size=_PAGE, before=before
            )
            found += [self.read(DocumentRow, record) for record in page]
            if before is None:
                return found

    async def living(self) -> set[str]:
        """The blobs that documents refer to."""
        rows = await self.documents()
        return {part[0] for row in rows for part in row.kept.blobs}


def new_id(title: str | None) -> str:
    """An id that tells what it is about, and is nobody else's."""
    tail = "".join(secrets.choice(_LETTERS) for _ in range(12))
    words = re.sub("[^a-z0-9]+", "-", (title or "").lower()).strip("-")[:27].strip("-")
    return f"{words}-{tail}" if words else tail


def store_id(name: str) -> str:
    """`fileSearchStores/x` or `x` -> x."""
    return name.removeprefix("fileSearchStores/")
