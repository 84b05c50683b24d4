"""Statements sent to the database, with patience while it is away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import Any

import asyncpg  # pyright: ignore[reportMissingTypeStubs]

from interplay.contracts.store import StoreAway, StoreUnusable
from interplay.plugins.dispatchers.dbos.statements import SQL

pg: Any = asyncpg
"""asyncpg comes without types."""
AWAY: tuple[type[BaseException], ...] = (
    OSError,
    TimeoutError,
    pg.InterfaceError,
    pg.PostgresConnectionError,
    pg.CannotConnectNowError,
    pg.AdminShutdownError,
    pg.CrashShutdownError,
    pg.TooManyConnectionsError,
    pg.QueryCanceledError,
    pg.DeadlockDetectedError,
    pg.SerializationError,
)
"""What a database says that restarts, is busy, or is not there."""
SETTINGS = {
    "application_name": "interplay dispatch",
    "tcp_keepalives_idle": "3",
    "tcp_keepalives_interval": "1",
    "tcp_keepalives_count": "3",
}
"""So that the server notices within seconds that a machine is gone."""


async def _as_it_is(connection: Any) -> None:
    """Nothing here changes a session, so a round trip to clean it up is spared."""


class Link:
    """A few connections, made when they are needed.

    `patience` is how many seconds a call waits for a database that is away before StoreAway.
    Every statement that goes through here may be sent twice.
    """

    def __init__(self, url: str, *, connections: int = 6, patience: float = 10.0) -> None:
        self.url = url
        self.patience = patience
        self._connections = connections
        self._pool: Any = None

    async def open(self) -> None:
        """Makes the first connection. Raises StoreUnusable when none can be had."""
        deadline = asyncio.get_running_loop().time() + self.patience
        while True:
            try:
                async with asyncio.timeout(self.patience):
                    self._pool = await pg.create_pool(
                        self.url,
                        min_size=1,
                        max_size=self._connections,
                        command_timeout=self.patience,
                        max_inactive_connection_lifetime=60.0,
                        reset=_as_it_is,
                        server_settings=SETTINGS,
                    )
                return
            except AWAY as error:
                if asyncio.get_running_loop().time() > deadline:
                    raise StoreUnusable(f"The database cannot be reached: {error}") from error
                await asyncio.sleep(0.2)
            except (pg.PostgresError, ValueError) as error:
                raise StoreUnusable(f"The database cannot be used: {error}") from error

    async def close(self) -> None:
        """Lets go of every connection, at once."""
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.terminate()

    async def script(self, name: str) -> None:
        """Sends several statements at once, without arguments."""
        async with self._taken().acquire() as connection:
            await connection.execute(SQL[name])

    async def fetch(self, name: str, *given: Any, patience: float | None = None) -> list[Any]:
        """Sends a statement and answers its rows. Raises StoreAway."""
        clock = asyncio.get_running_loop().time
        deadline = clock() + (self.patience if patience is None else patience)
        pause = 0.02
        while True:
            try:
                async with asyncio.timeout_at(max(deadline, clock() + 0.05)):
                    async with self._taken().acquire() as connection:
                        return await connection.fetch(SQL[name], *given)
            except AWAY as error:
                if self._pool is None or clock() + pause > deadline:
                    raise StoreAway(f"The database is away: {error}") from error
            await asyncio.sleep(pause)
            pause = min(pause * 2, 0.5)

    @asynccontextmanager
    async def alone(self, key: int) -> AsyncGenerator[bool]:
        """Whether nobody else is inside with this key meanwhile. Raises StoreAway.

        The database ends the turn of one who sends it nothing for ten seconds: a frozen process
        must not keep others out.
        """
        try:
            connection = await self._taken().acquire(timeout=self.patience)
        except AWAY as error:
            raise StoreAway(f"The database is away: {error}") from error
        try:
            try:
                await connection.execute(SQL["turn"])
                taken: bool = await connection.fetchval(SQL["take_turn"], key)
            except AWAY as error:
                raise StoreAway(f"The database is away: {error}") from error
            yield taken
        finally:
            with suppress(*AWAY, pg.PostgresError):
                await connection.execute("ROLLBACK")
            if self._pool is not None:
                await self._pool.release(connection)

    def _taken(self) -> Any:
        if self._pool is None:
            raise StoreAway("The dispatcher is closed.")
        return self._pool
