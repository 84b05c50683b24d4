"""`/files` and `/upload/.../files`: parse, call, answer."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import msgspec

from interplay.files import protocol
from interplay.files.exchange import (
    Endpoint,
    Receive,
    Scope,
    Send,
    answer,
    host_of,
    paging,
    query_of,
    version_of,
)
from interplay.files.faults import Unusable
from interplay.files.rows import FileRow, UploadRow
from interplay.files.service import FileService
from interplay.files.upload_route import UploadRoute
from interplay.files.uploads import Announced, Uploads
from interplay.wire.file import ListFilesResponse, UploadedFile

_encode = msgspec.json.Encoder().encode


class FileRoutes:
    """The handlers, as ASGI apps; `owner_of` tells whose request it is, or raises a refusal."""

    def __init__(self, service: FileService, uploads: Uploads, owner_of: Any) -> None:
        self._service, self._owner_of = service, owner_of
        self._upload = UploadRoute(uploads, owner_of, self)

    def table(self) -> list[tuple[str, Endpoint, str]]:
        """Path below the version, handler and method of each."""
        return [
            ("/files", self.list, "GET"),
            ("/files/{id}:download", self.download, "GET"),
            ("/files/{id}", self.get, "GET"),
            ("/files/{id}", self.delete, "DELETE"),
        ]

    def upload_table(self) -> list[tuple[str, Endpoint, str]]:
        """The same, below `/upload` and the version."""
        upload = self._upload.upload
        return [("/files", upload, "POST"), ("/files", upload, "PUT")]

    async def list(self, scope: Scope, receive: Receive, send: Send) -> None:
        """GET /{version}/files"""
        owner = self._owner_of(scope)
        rows, following = await self._service.list(owner, *paging(query_of(scope)))
        page = ListFilesResponse(
            files=[row.resource(_address(scope)) for row in rows],
            next_page_token=str(following) if following is not None else None,
        )
        await answer(send, _encode(page))

    async def get(self, scope: Scope, receive: Receive, send: Send) -> None:
        """GET /{version}/files/{id}; with `?alt=media` its bytes"""
        if query_of(scope).get("alt") == "media":
            await self.download(scope, receive, send)
            return
        row = await self._service.get(_id(scope), self._owner_of(scope))
        await answer(send, _encode(row.resource(_address(scope))))

    async def delete(self, scope: Scope, receive: Receive, send: Send) -> None:
        """DELETE /{version}/files/{id}"""
        await self._service.delete(_id(scope), self._owner_of(scope))
        await answer(send, b"{}")

    async def download(self, scope: Scope, receive: Receive, send: Send) -> None:
        """GET /{version}/files/{id}:download"""
        row = await self._service.get(_id(scope), self._owner_of(scope))
        content = self._service.content(row)
        first = await anext(content, b"")  # before the head: lost bytes are a 404, not a break
        name = quote(row.kept.display_name or row.record.id)
        headers = [
            (b"content-type", row.kept.mime_type.encode()),
            (b"content-length", str(row.kept.size).encode()),
            # What a caller uploaded must not run as a page of this server.
            (b"content-disposition", f"attachment; filename*=UTF-8''{name}".encode()),
            (b"x-content-type-options", b"nosniff"),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": first, "more_body": True})
        async for data in content:
            await send({"type": "http.response.body", "body": data, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    async def announced(self, scope: Scope, owner: str, body: dict[str, Any]) -> Announced:
        """What the body of an upload's start says of the file. Raises Unusable."""
        said: Any = body.get("file") or {}
        if not isinstance(said, dict):
            raise Unusable("Expected object at 'file'.")
        return protocol.announced(scope, said)  # pyright: ignore[reportUnknownArgumentType]

    def target(self, scope: Scope) -> str:
        """Where what is uploaded goes: nowhere but to the files."""
        return ""

    async def finished(self, scope: Scope, upload: UploadRow, file: FileRow) -> bytes:
        """The answer to the end of an upload."""
        return _encode(UploadedFile(file=file.resource(_address(scope))))


def _id(scope: Scope) -> str:
    return scope["path_params"]["id"]


def _address(scope: Scope) -> str:
    return f"{host_of(scope)}/{version_of(scope)}"
