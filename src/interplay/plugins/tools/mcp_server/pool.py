"""Connections by target: shared while they are used, closed when idle, bounded in number."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from interplay.contracts.failure import Busy
from interplay.plugins.tools.mcp_server.config import Config
from interplay.plugins.tools.mcp_server.connection import Connection
from interplay.plugins.tools.mcp_server.target import Target
from interplay.plugins.tools.mcp_server.transport import Dial


class _Place:
    """A target's connection and who uses it."""

    def __init__(self) -> None:
        self.connection: Connection | None = None
        self.opening = asyncio.Lock()
        self.users = 0
        self.timer: asyncio.TimerHandle | None = None


class Pool:
    """Every connection of this process; those used last stand last."""

    def __init__(self, dial: Dial, config: Config) -> None:
        self._dial, self._config = dial, config
        self._places: dict[Target, _Place] = {}
        self._closing: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._places)

    @asynccontextmanager
    async def connection(self, target: Target) -> AsyncGenerator[Connection]:
        """The connection to a target, opened if there is none. Raises Failure."""
        place = self._taken(target)
        place.users += 1
        try:
            yield await self._open(place, target)
        finally:
            place.users -= 1
            if not place.users and self._places.get(target) is place:
                self._rest(target, place)

    def _taken(self, target: Target) -> _Place:
        place = self._places.pop(target, None)
        if place is None:
            place = _Place()
            if len(self._places) >= self._config.connections:
                self._make_room()
        if place.timer is not None:
            place.timer.cancel()
            place.timer = None
        self._places[target] = place
        return place

    def _make_room(self) -> None:
        idle = next((key for key, place in self._places.items() if not place.users), None)
        if idle is None:
            raise Busy(
                f"all {self._config.connections} connections to MCP servers are in use"
                " (tools.mcp_server.connections)",
                retry_after=5,
            )
        self._drop(idle, self._places[idle])

    async def _open(self, place: _Place, target: Target) -> Connection:
        connection = place.connection
        if connection is not None and connection.alive:
            return connection
        async with place.opening:
            if place.connection is None or not place.connection.alive:
                place.connection = None
                connection = Connection(target, self._dial, self._config)
                await connection.open()
                place.connection = connection
            return place.connection

    def _rest(self, target: Target, place: _Place) -> None:
        if place.connection is None or not place.connection.alive:
            self._drop(target, place)
            return
        loop = asyncio.get_running_loop()
        place.timer = loop.call_later(self._config.idle_seconds, self._drop, target, place)

    def _drop(self, target: Target, place: _Place) -> None:
        if self._places.get(target) is place:
            del self._places[target]
        if place.timer is not None:
            place.timer.cancel()
        if place.connection is not None:
            self._close(place.connection)

    def forget(self, target: Target, connection: Connection) -> None:
        """The next use of the target gets a new connection; this one is closed."""
        place = self._places.get(target)
        if place is not None and place.connection is connection:
            place.connection = None
            self._close(connection)

    def _close(self, connection: Connection) -> None:
        task = asyncio.get_running_loop().create_task(connection.close())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def close(self) -> None:
        """Closes everything."""
        for target, place in list(self._places.items()):
            self._drop(target, place)
        await asyncio.gather(*self._closing)
        await self._dial.close()
