"""`/fileSearchStores`: parse, call, answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from interplay.files import protocol
from interplay.files.exchange import (
    Endpoint,
    Receive,
    Scope,
    Send,
    answer,
    body_of,
    gathered,
    paging,
    query_of,
    read_object,
)
from interplay.files.faults import Unusable
from interplay.files.rows import FileRow, UploadRow
from interplay.files.search.rows import Chunking, DocumentRow, StoreRow
from interplay.files.search.service import SearchService
from interplay.files.service import FileService
from interplay.files.upload_route import UploadRoute
from interplay.files.uploads import Announced, Uploads
from interplay.wire.search_store import (
    CustomMetadata,
    FileSearchStore,
    ListDocumentsResponse,
    ListFileSearchStoresResponse,
    ListOperationsResponse,
)

_encode = msgspec.json.Encoder().encode
_BODY_BYTES = 1024 * 1024
_MOST_METADATA = 20
_LONGEST_CHUNK = 512


class SearchRoutes:
    """The handlers, as ASGI apps; `owner_of` tells whose request it is, or raises a refusal."""

    def __init__(
        self, service: SearchService, files: FileService, uploads: Uploads, owner_of: Any
    ) -> None:
        self._service, self._files, self._owner_of = service, files, owner_of
        self._upload = UploadRoute(uploads, owner_of, self)

    def table(self) -> list[tuple[str, Endpoint, str]]:
        """Path below the version, handler and method of each."""
        one = "/fileSearchStores/{id}"
        return [
            ("/fileSearchStores", self.create, "POST"),
            ("/fileSearchStores", self.list, "GET"),
            (one + ":importFile", self.import_file, "POST"),
            (one, self.get, "GET"),
            (one, self.delete, "DELETE"),
            (one + "/documents", self.documents, "GET"),
            (one + "/documents/{document}", self.document, "GET"),
            (one + "/documents/{document}", self.delete_document, "DELETE"),
            (one + "/operations", self.operations, "GET"),
            (one + "/operations/{document}", self.operation, "GET"),
            (one + "/upload/operations/{document}", self.upload_operation, "GET"),
        ]

    def upload_table(self) -> list[tuple[str, Endpoint, str]]:
        """The same, below `/upload` and the version."""
        path = "/fileSearchStores/{id}:uploadToFileSearchStore"
        return [(path, self._upload.upload, "POST"), (path, self._upload.upload, "PUT")]

    async def create(self, scope: Scope, receive: Receive, send: Send) -> None:
        """POST /{version}/fileSearchStores"""
        owner = self._owner_of(scope)
        body = read_object(await gathered(body_of(receive), _BODY_BYTES))
        name = body.get("displayName", body.get("display_name"))
        if name is not None and not isinstance(name, str):
            raise Unusable("Expected text at 'displayName'.")
        self._check_embedder(body.get("embeddingModel", body.get("embedding_model")))
        row = await self._service.create(owner, name)
        await answer(send, _encode(self._shown(row, [])))

    async def list(self, scope: Scope, receive: Receive, send: Send) -> None:
        """GET /{version}/fileSearchStores; without counts"""
        owner = self._owner_of(scope)
        rows, following = await self._service.stores(owner, *paging(query_of(scope)))
        page = ListFileSearchStoresResponse([self._shown(row) for row in rows], _token(following))
        await answer(send, _encode(page))

    async def get(self, scope: Scope, receive: Receive, send: Send) -> None:
        """GET /{version}/fileSearchStores/{id}"""
        row = await self._service.store(_id(scope), self._owner_of(scope))
        documents = await self._service.documents_of(row.record.id)
        await answer(send, _encode(self._shown(row, documents)))

    def _check_embedder(self, asked: Any) -> None:
        """A store has the server's embedder; a request may say that it counts on it."""
        has = self._service.embedder
        if asked is None or (has and asked in (has, f"models/{has}")):
            return
        there = f"'models/{has}' alone" if has else "no embedder"
        raise Unusable(f"This server has {there} (files.embedder) at 'embeddingModel'.")

    def _shown(
        self, row: StoreRow, documents: Sequence[DocumentRow] | None = None
    ) -> FileSearchStore:
        return row.resource(documents, embedder=self._service.embedder)

    async def delete(self, scope: Scope, receive: Receive, send: Send) -> None:
        """DELETE /{version}/fileSearchStores/{id}"""
        force = query_of(scope).get("force", "").lower() in ("true", "1")
        await self._service.delete(_id(scope), self._owner_of(scope), force=force)
        await answer(send, b"{}")

    async def import_file(self, scope: Scope, receive: Receive, send: Send) -> None:
        """POST /{version}/fileSearchStores/{id}:importFile"""
        owner = self._owner_of(scope)
        body = read_object(await gathered(body_of(receive), _BODY_BYTES))
        name = body.get("fileName", body.get("file_name"))
        if not isinstance(name, str) or not name:
            raise Unusable("Expected the name of a file, such as files/abc, at 'fileName'.")
        await self._service.store(_id(scope), owner)
        file = await self._files.get(name.removeprefix("files/"), owner)
        metadata, chunking = _about(body)
        row = await self._service.bring_in(
            _id(scope), owner, file, title=None, metadata=metadata, chunking=chunking
        )
        await answer(send, _encode(row.operation()))

    async def documents(self, scope: Scope, receive: Receive, send: Send) -> None:
        """GET /{version}/fileSearchStores/{id}/documents"""
        rows, following = await self._page(scope)
        page = ListDocumentsResponse([row.resource() for row in rows], _token(following))
        await answer(send, _encode(page))

    async def operations(self, scope: Scope, receive: Receive, send: Send) -> None:
        """GET /{version}/fileSearchStores/{id}/operations"""
        rows, following = await self._page(scope)
        page = ListOperationsResponse([row.operation() for row in rows], _token(following))
        await answer(send, _encode(page))

    async def _page(self, scope: Scope) -> Any:
        owner = self._owner_of(scope)
        return await self._service.documents(_id(scope), owner, *paging(query_of(scope)))

    async def document(self, scope: Scope, receive: Receive, send: Send) -> None:
        """GET /{version}/fileSearchStores/{id}/documents/{document}"""
        await answer(send, _encode((await self._document(scope)).resource()))

    async def operation(self, scope: Scope, receive: Receive, send: Send) -> None:
        """GET /{version}/fileSearchStores/{id}/operations/{document}"""
        await answer(send, _encode((await self._document(scope)).operation()))

    async def upload_operation(self, scope: Scope, receive: Receive, send: Send) -> None:
        """GET /{version}/fileSearchStores/{id}/upload/operations/{document}"""
        await answer(send, _encode((await self._document(scope)).operation(uploaded=True)))

    async def _document(self, scope: Scope) -> Any:
        id = scope["path_params"]["document"]
        return await self._service.document(_id(scope), id, self._owner_of(scope))

    async def delete_document(self, scope: Scope, receive: Receive, send: Send) -> None:
        """DELETE /{version}/fileSearchStores/{id}/documents/{document}"""
        id = scope["path_params"]["document"]
        await self._service.remove(_id(scope), id, self._owner_of(scope))
        await answer(send, b"{}")

    async def announced(self, scope: Scope, owner: str, body: dict[str, Any]) -> Announced:
        """What the body of an upload's start says of a document. Raises Unusable, NoSuchStore."""
        await self._service.store(_id(scope), owner)
        _about(body)  # a fault in it is told before anything is sent
        given = protocol.announced(scope, {**body, "name": None})
        given.target, given.note = self.target(scope), body
        return given

    def target(self, scope: Scope) -> str:
        """The store that what is uploaded goes to."""
        return _id(scope)

    async def finished(self, scope: Scope, upload: UploadRow, file: FileRow) -> bytes:
        """The operation that makes a document of what was uploaded."""
        metadata, chunking = _about(upload.kept.note)
        row = await self._service.bring_in(
            upload.kept.target,
            upload.record.owner,
            file,
            title=upload.kept.display_name,
            metadata=metadata,
            chunking=chunking,
            token=upload.record.id,
        )
        return _encode(row.operation(uploaded=True))


def _about(body: dict[str, Any]) -> tuple[list[CustomMetadata], Chunking]:
    """Metadata and chunking as a body has them, its names in camel or snake case."""
    raw: Any = body.get("customMetadata", body.get("custom_metadata")) or []
    try:
        metadata = msgspec.convert(_camel(raw), list[CustomMetadata])
    except msgspec.ValidationError as error:
        raise Unusable(f"{error} at 'customMetadata'.") from error
    if len(metadata) > _MOST_METADATA:
        raise Unusable(f"A document has at most {_MOST_METADATA} values at 'customMetadata'.")
    given: Any = _camel(body.get("chunkingConfig", body.get("chunking_config")) or {})
    words: Any = given.get("whiteSpaceConfig") or {} if isinstance(given, dict) else None  # pyright: ignore
    if not isinstance(words, dict):
        raise Unusable("Expected object at 'chunkingConfig.whiteSpaceConfig'.")
    found = Chunking()
    size: Any = words.get("maxTokensPerChunk", found.size)  # pyright: ignore
    if not isinstance(size, int) or not 1 <= size <= _LONGEST_CHUNK:
        raise Unusable(f"Expected number from 1 to {_LONGEST_CHUNK} at 'maxTokensPerChunk'.")
    overlap: Any = words.get("maxOverlapTokens", min(found.overlap, size // 5))  # pyright: ignore
    if not isinstance(overlap, int) or not 0 <= overlap < size:
        raise Unusable("Expected number from 0 to below maxTokensPerChunk at 'maxOverlapTokens'.")
    return metadata, Chunking(size, overlap)


def _camel(given: Any) -> Any:
    if isinstance(given, list):
        return [_camel(one) for one in given]  # pyright: ignore
    if not isinstance(given, dict):
        return given
    return {_camel_word(str(name)): _camel(value) for name, value in given.items()}  # pyright: ignore


def _camel_word(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.title() for word in rest)


def _id(scope: Scope) -> str:
    return scope["path_params"]["id"]


def _token(following: int | None) -> str | None:
    return str(following) if following is not None else None
