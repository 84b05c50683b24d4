"""Connections that are made when they are needed and used again."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from interplay.contracts.store import StoreUnusable
from interplay.plugins.stores.postgres.faults import AWAY, pg

_PRESSED_SECONDS = 1.0
"""So long no further connection is asked for, once the server had none left."""


class Pool:
    """At most `limit` connections. Where the server gives fewer, those there are go round; a pool
    that insisted on its own number would fail calls while a connection of it lies idle."""

    def __init__(self, connect: Callable[[], Awaitable[Any]], limit: int) -> None:
        self._connect, self._limit = connect, limit
        self._free: list[Any] = []
        self._all: set[Any] = set()
        self._coming = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._pressed_until = 0.0
        self._closed = False

    async def acquire(self) -> Any:
        """A connection. Whoever takes one gives it to `release`."""
        while not self._closed:
            if self._free:
                connection = self._free.pop()
                if not connection.is_closed():
                    return connection
                self._all.discard(connection)
            elif self._may_connect():
                self._coming += 1
                try:
                    connection = await self._connect()
                except pg.TooManyConnectionsError:
                    if not self._all:
                        raise
                    self._pressed_until = asyncio.get_running_loop().time() + _PRESSED_SECONDS
                else:
                    self._all.add(connection)
                    return connection
                finally:
                    self._coming -= 1
                    self._wake()
            else:
                await self._wait()
        raise StoreUnusable("The store is closed.")

    def release(self, connection: Any) -> None:
        """Takes a connection back, broken or not."""
        if self._closed or connection.is_closed():
            connection.terminate()
            self._all.discard(connection)
        else:
            self._free.append(connection)
        self._wake()

    async def close(self, seconds: float) -> None:
        """Lets those in use be given back, at most so long, and ends every session."""
        self._closed = True
        for future in self._waiting:
            if not future.done():
                future.set_result(None)
        free, self._free = self._free, []
        with suppress(*AWAY):
            async with asyncio.timeout(seconds):
                await asyncio.gather(*(connection.close() for connection in free))
                self._all.difference_update(free)
                while self._all or self._coming:
                    await self._wait()
        for connection in self._all:
            connection.terminate()

    def _may_connect(self) -> bool:
        there = len(self._all) + self._coming
        if there and asyncio.get_running_loop().time() < self._pressed_until:
            return False
        return there < self._limit

    async def _wait(self) -> None:
        """Until there may be a connection, or a place for one."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        try:
            await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled():
                self._wake()  # it was meant for this one, who does not need it any more
            raise

    def _wake(self) -> None:
        while self._waiting:
            future = self._waiting.popleft()
            if not future.done():
                future.set_result(None)
                return
