"""LocalWeb: a web of one loopback address whose pages the test writes."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from types import TracebackType

import msgspec

from interplay.testing.gates import Gate, Gates
from interplay.testing.script import Hold

_REASONS = {200: "OK", 301: "Moved Permanently", 302: "Found", 404: "Not Found", 429: "Too Many"}


class Page(msgspec.Struct, kw_only=True):
    """What one path answers."""

    status: int = 200
    headers: Mapping[str, str] = {}
    body: bytes = b""
    chunks: Sequence[bytes | Hold] = ()
    """The body piece by piece, sent with chunked coding, with gates between."""
    raw: bytes | None = None
    """Sent as it stands in place of everything else, head included."""
    drop_after: int | None = None
    """The connection is reset after this many bytes of the body (of `raw`: of everything)."""
    never: bool = False
    """No byte is ever sent; the connection stays open until the client goes."""


class Request(msgspec.Struct, kw_only=True):
    """One request that came."""

    method: str
    target: str
    """Path and query, as sent."""
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes


class LocalWeb:
    """`async with LocalWeb() as web:` serves on 127.0.0.1; what is not written answers 404.

    `requests` holds what came, in order. A list of pages at one path is answered in turn, the
    last one for ever.
    """

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self._pages: dict[str, list[Page]] = {}
        self._gates = Gates()
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self._port = 0

    def on(self, path: str, *pages: Page) -> str:
        """Writes the pages of a path and answers its address."""
        self._pages[path] = list(pages)
        return self.url(path)

    def text(self, path: str, body: str, content_type: str = "text/html; charset=utf-8") -> str:
        """A plain page; answers its address."""
        return self.on(path, Page(headers={"content-type": content_type}, body=body.encode()))

    def redirect(self, path: str, to: str, status: int = 302) -> str:
        """A redirect to a path of this web or to any address; answers its own address."""
        return self.on(path, Page(status=status, headers={"location": to}))

    def url(self, path: str = "/") -> str:
        """The address of a path."""
        return f"http://127.0.0.1:{self._port}{path}"

    def gate(self, name: str) -> Gate:
        """The gate of this name."""
        return self._gates[name]

    async def __aenter__(self) -> LocalWeb:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self._port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._server is not None
        self._server.close()
        for connection in [*self._connections]:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            while request := await _read(reader):
                self.requests.append(request)
                if not await self._answer(self._page(request.target), reader, writer):
                    break
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self._connections.discard(task)
            writer.close()

    def _page(self, target: str) -> Page:
        path = target.partition("?")[0]
        pages = self._pages.get(target) or self._pages.get(path)
        if not pages:
            return Page(status=404, body=b"There is no such page in this LocalWeb.")
        return pages.pop(0) if len(pages) > 1 else pages[0]

    async def _answer(
        self, page: Page, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        """Sends a page; False when the connection ends with it."""
        if page.never:
            await reader.read()
            return False
        if page.raw is not None:
            writer.write(page.raw[: page.drop_after])
            await writer.drain()
            return False
        writer.write(_head(page))
        if page.drop_after is not None:
            writer.write(page.body[: page.drop_after])
            await writer.drain()
            writer.transport.abort()
            return False
        writer.write(page.body)
        await writer.drain()
        for chunk in page.chunks:
            if isinstance(chunk, Hold):
                await self._gates[chunk.hold].passing()
                continue
            writer.write(b"%x\r\n%b\r\n" % (len(chunk), chunk))
            await writer.drain()
        if page.chunks:
            writer.write(b"0\r\n\r\n")
            await writer.drain()
        return True


def _head(page: Page) -> bytes:
    lines = [f"HTTP/1.1 {page.status} {_REASONS.get(page.status, 'Scripted')}"]
    lines += [f"{name}: {value}" for name, value in page.headers.items()]
    given = {name.lower() for name in page.headers}
    if page.chunks:
        lines.append("transfer-encoding: chunked")
    elif "content-length" not in given:
        lines.append(f"content-length: {len(page.body)}")
    return "\r\n".join([*lines, "", ""]).encode()


async def _read(reader: asyncio.StreamReader) -> Request | None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.decode("latin-1").split("\r\n")[:-2]
    method, target, _ = first.split(" ", 2)
    headers = {
        name.lower(): value.strip() for name, _, value in (ln.partition(":") for ln in lines)
    }
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Request(method=method, target=target, headers=headers, body=body)
