"""A wire between a store and its database that a test can cut, or keep silent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit


class Wire:
    """Passes bytes on; `url` leads through it."""

    def __init__(self, database: str) -> None:
        parts = urlsplit(database)
        self._to = parts.hostname, parts.port
        self._path = f"{parts.username}@127.0.0.1:%d{parts.path}"
        self._lose: Callable[[bytes], bool] | None = None
        self._flows = asyncio.Event()
        self._flows.set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.lost = 0
        """How many answers were lost."""
        self.url = ""

    def lose_answer(self, to: bytes, *, starts: bool = False) -> None:
        """The next message that contains these bytes (begins with them) reaches the database;
        instead of its answer the connection breaks."""
        self._lose = (lambda data: data.startswith(to)) if starts else (lambda data: to in data)

    def silence(self, silent: bool = True) -> None:
        """Nothing goes through any more, and nobody is told."""
        if silent:
            self._flows.clear()
        else:
            self._flows.set()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            there, to = await asyncio.open_connection(*self._to)
            dumb = asyncio.Event()
            up = asyncio.create_task(self._up(reader, to, dumb))
            down = asyncio.create_task(self._down(there, writer, dumb))
            self._tasks |= {up, down}
            await asyncio.wait([up, down], return_when=asyncio.FIRST_COMPLETED)
            for task in (up, down):
                task.cancel()
            to.close()
        writer.close()

    async def _up(self, reader, writer, dumb) -> None:
        while data := await reader.read(65536):
            await self._flows.wait()
            if self._lose is not None and self._lose(data):
                self._lose = None
                self.lost += 1
                dumb.set()
            writer.write(data)
            await writer.drain()

    async def _down(self, reader, writer, dumb) -> None:
        while data := await reader.read(65536):
            await self._flows.wait()
            if dumb.is_set():
                return
            writer.write(data)
            await writer.drain()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Wire]:
        """Listens meanwhile."""
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.url = "postgresql://" + self._path % server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
