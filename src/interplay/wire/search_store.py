"""Search stores on the wire: stores, their documents, and the operations that fill them."""

from __future__ import annotations

from typing import Any, Literal

from interplay.wire.record import Record

DocumentState = Literal["STATE_PENDING", "STATE_ACTIVE", "STATE_FAILED"]


class FileSearchStore(Record, rename="camel"):
    """A collection of documents that can be searched. Counts and sizes are texts, as int64."""

    name: str
    """`fileSearchStores/` and the id."""
    create_time: str
    update_time: str
    display_name: str | None = None
    active_documents_count: str | None = None
    pending_documents_count: str | None = None
    failed_documents_count: str | None = None
    size_bytes: str | None = None
    embedding_model: str | None = None
    """`models/` and the server's embedder; absent where documents are found by words alone."""


class ListFileSearchStoresResponse(Record, rename="camel"):
    """A page of stores, newest first."""

    file_search_stores: list[FileSearchStore] = []
    next_page_token: str | None = None


class StringList(Record):
    """Several texts as one value."""

    values: list[str] = []


class CustomMetadata(Record, rename="camel"):
    """One value a caller gave to a document."""

    key: str
    string_value: str | None = None
    numeric_value: float | None = None
    string_list_value: StringList | None = None


class Document(Record, rename="camel"):
    """A document of a store."""

    name: str
    """The store's name, `/documents/` and the id."""
    display_name: str
    state: DocumentState
    size_bytes: str
    mime_type: str
    create_time: str
    update_time: str
    custom_metadata: list[CustomMetadata] = []


class ListDocumentsResponse(Record, rename="camel"):
    """A page of documents, newest first."""

    documents: list[Document] = []
    next_page_token: str | None = None


class OperationError(Record):
    """Why an operation failed."""

    code: int
    message: str


class Operation(Record):
    """Something that goes on after the answer; ask again until it is `done`."""

    name: str
    metadata: dict[str, Any] = {}
    done: bool | None = None
    error: OperationError | None = None
    response: dict[str, Any] | None = None


class ListOperationsResponse(Record, rename="camel"):
    """A page of operations, newest first."""

    operations: list[Operation] = []
    next_page_token: str | None = None
