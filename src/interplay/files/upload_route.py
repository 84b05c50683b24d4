"""One address that files are uploaded to, resumable or in one request."""

from __future__ import annotations

from typing import Any, Protocol

from interplay.contracts.failure import Failure
from interplay.files import protocol
from interplay.files.exchange import (
    Receive,
    Scope,
    Send,
    answer,
    body_of,
    gathered,
    headers_of,
    host_of,
    read_object,
)
from interplay.files.faults import NoSuchUpload
from interplay.files.multipart import Multipart
from interplay.files.rows import FileRow, UploadRow
from interplay.files.uploads import Announced, Uploads

_METADATA_BYTES = 64 * 1024


class Purpose(Protocol):
    """What is uploaded to an address, and what becomes of it."""

    async def announced(self, scope: Scope, owner: str, body: dict[str, Any]) -> Announced:
        """What the body of a start says of the file. May raise Failure."""
        ...

    def target(self, scope: Scope) -> str:
        """The `target` of every upload to this address."""
        ...

    async def finished(self, scope: Scope, upload: UploadRow, file: FileRow) -> bytes:
        """The answer to the end of an upload, the same when it is asked again."""
        ...


class UploadRoute:
    """The handler, as an ASGI app; `owner_of` tells whose request it is, or raises a refusal."""

    def __init__(self, uploads: Uploads, owner_of: Any, purpose: Purpose) -> None:
        self._uploads, self._owner_of, self._purpose = uploads, owner_of, purpose

    async def upload(self, scope: Scope, receive: Receive, send: Send) -> None:
        """POST and PUT"""
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
        given = await self._purpose.announced(scope, owner, read_object(raw))
        row = await self._uploads.start(owner, given)
        url = f"{host_of(scope)}{scope['path']}?upload_id={row.record.id}&upload_protocol=resumable"
        await answer(send, b"", protocol.began(row, url))

    async def _go_on(
        self, id: str, asked: protocol.Asked, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """What follows a start asks for no key: the clients send none, the id is secret."""
        commands = asked.commands
        if "cancel" not in commands:
            row = await self._uploads.query(id)
            if row.kept.target != self._purpose.target(scope):
                raise NoSuchUpload
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
        file = await self._uploads.finalize(id)
        upload = await self._uploads.query(id)
        body = await self._purpose.finished(scope, upload, file)
        await answer(send, body, protocol.ended("final"))

    async def _at_once(
        self, asked: protocol.Asked, scope: Scope, receive: Receive, send: Send
    ) -> None:
        owner, stream = self._owner_of(scope), body_of(receive)
        kind = headers_of(scope).get("content-type")
        if asked.protocol == "multipart":
            parts = Multipart(kind or "", stream)
            said = read_object(await parts.metadata())
            given = await self._purpose.announced(scope, owner, said)
            kind, stream = await parts.content_type(), parts.content()
        else:
            given = await self._purpose.announced(scope, owner, {})
            given.size = _length(scope)
        given.mime_type = given.mime_type or kind
        row = await self._uploads.start(owner, given)
        try:
            await self._uploads.receive(row.record.id, 0, stream, last=True)
            await self._finish(row.record.id, scope, send)
        except Failure:
            await self._uploads.cancel(row.record.id)
            raise


def _length(scope: Scope) -> int | None:
    text = headers_of(scope).get("content-length", "")
    return int(text) if text.isascii() and text.isdigit() else None
