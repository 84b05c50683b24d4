"""`/files` and `/upload/.../files`: parse, call, answer."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import msgspec

from interplay.contracts.failure import Failure
from interplay.files import protocol
from interplay.files.exchange import (
    Endpoint,
    Receive,
    Scope,
    Send,
    answer,
    body_of,
    gathered,
    headers_of,
    host_of,
    paging,
    query_of,
    read_object,
    version_of,
)
from interplay.files.multipart import Multipart
from interplay.files.rows import FileRow
from interplay.files.service import FileService
from interplay.files.uploads import Announced, Uploads
from interplay.wire.file import ListFilesResponse, UploadedFile

_encode = msgspec.json.Encoder().encode
_METADATA_BYTES = 64 * 1024


class FileRoutes:
    """The handlers, as ASGI apps; `owner_of` tells whose request it is, or raises a refusal."""

    def __init__(self, service: FileService, uploads: Uploads, owner_of: Any) -> None:
        self._service, self._uploads, self._owner_of = service, uploads, owner_of

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
        return [("/files", self.upload, "POST"), ("/files", self.upload, "PUT")]

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

    async def upload(self, scope: Scope, receive: Receive, send: Send) -> None:
        """POST /upload/{version}/files"""
        try:
            asked = protocol.asked_of(scope)
            if asked.upload is not None:
                await self._go_on(asked.upload, asked, scope, receive, send)
            elif asked.protocol == "resumable":
                await self._start(scope, receive, send)
            else:
                await self._at_once(asked, scope, receive, send)
        except Failure as failure:
            raise protocol.marked(failure) from None

    async def _start(self, scope: Scope, receive: Receive, send: Send) -> None:
        owner = self._owner_of(scope)
        raw = await gathered(body_of(receive), _METADATA_BYTES)
        row = await self._uploads.start(owner, protocol.announced(scope, read_object(raw)))
        path = f"/upload/{version_of(scope)}/files"
        url = f"{host_of(scope)}{path}?upload_id={row.record.id}&upload_protocol=resumable"
        await answer(send, b"", protocol.began(row, url))

    async def _go_on(
        self, id: str, asked: protocol.Asked, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """What follows a start asks for no key: the clients send none, the id is secret."""
        commands = asked.commands
        if "cancel" in commands:
            await self._uploads.cancel(id)
            await answer(send, b"", protocol.ended("cancelled"))
            return
        if "upload" in commands:
            last = "finalize" in commands
            row = await self._uploads.receive(id, asked.offset, body_of(receive), last=last)
        else:
            row = await self._uploads.query(id)
        if "finalize" in commands or row.record.state == "final":
            await self._finish(id, scope, send)
        else:
            await answer(send, b"", protocol.stands(row))

    async def _finish(self, id: str, scope: Scope, send: Send) -> None:
        file: FileRow = await self._uploads.finalize(id)
        body = _encode(UploadedFile(file=file.resource(_address(scope))))
        await answer(send, body, protocol.ended("final"))

    async def _at_once(
        self, asked: protocol.Asked, scope: Scope, receive: Receive, send: Send
    ) -> None:
        owner, stream = self._owner_of(scope), body_of(receive)
        kind = headers_of(scope).get("content-type")
        if asked.protocol == "multipart":
            parts = Multipart(kind or "", stream)
            given = protocol.announced(scope, read_object(await parts.metadata()))
            kind, stream = await parts.content_type(), parts.content()
        else:
            given = Announced(size=_length(scope))
        given.mime_type = given.mime_type or kind
        row = await self._uploads.start(owner, given)
        try:
            await self._uploads.receive(row.record.id, 0, stream, last=True)
            await self._finish(row.record.id, scope, send)
        except Failure:
            await self._uploads.cancel(row.record.id)
            raise


def _id(scope: Scope) -> str:
    return scope["path_params"]["id"]


def _address(scope: Scope) -> str:
    return f"{host_of(scope)}/{version_of(scope)}"


def _length(scope: Scope) -> int | None:
    text = headers_of(scope).get("content-length", "")
    return int(text) if text.isascii() and text.isdigit() else None
