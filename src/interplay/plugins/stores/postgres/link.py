"""Connections to the database, and patience while it is away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from interplay.contracts.store import StoreAway, StoreFull, StoreUnusable
from interplay.plugins.stores.postgres.faults import AWAY, away, pg, refused
from interplay.plugins.stores.postgres.pool import Pool

T = TypeVar("T")

_FIRST_PAUSE, _LAST_PAUSE = 0.02, 0.5
_LEAST_SECONDS = 0.25
"""Even who has no time left gets one try this long."""
_CLOSING_SECONDS = 5.0


class Link:
    """A pool of connections; those that break are made again.

    `patience`: seconds in which a call tries again before StoreAway. One try takes at most half
    of it, so that a connection that hangs is given up in time for another one.
    """

    def __init__(self, url: str, connections: int, patience: float) -> None:
        self.url = url
        self.patience = patience
        self.settings = {
            "application_name": "interplay",
            "statement_timeout": str(max(1, round(patience * 1000))),
            "idle_in_transaction_session_timeout": str(max(1000, round(patience * 1000))),
        }
        self._connections = max(1, connections)
        self._pool: Pool | None = None

    @property
    def is_open(self) -> bool:
        """Whether calls may be made."""
        return self._pool is not None

    async def open(self) -> None:
        """Makes the first connection. Raises StoreUnusable."""
        if not self.url.startswith(("postgresql://", "postgres://")):
            raise StoreUnusable(
                "The postgres store needs a database: set `database` to"
                " postgresql://user:password@host:5432/name."
            )
        pool = Pool(self._connect, self._connections)
        pool.release(await self.patient(pool.acquire))
        self._pool = pool

    async def _connect(self) -> Any:
        return await pg.connect(self.url, timeout=self.patience, server_settings=self.settings)

    async def patient(self, work: Callable[[], Awaitable[T]]) -> T:
        """Does something at the opening, again while the database is away. Raises
        StoreUnusable."""
        clock = asyncio.get_running_loop().time
        deadline = clock() + self.patience
        while True:
            try:
                async with asyncio.timeout_at(deadline):
                    return await work()
            except AWAY as error:
                if isinstance(error, ValueError) or clock() + 0.1 >= deadline:
                    raise refused(self.url, error) from error
            except (pg.PostgresError, ValueError) as error:
                raise refused(self.url, error) from error
            await asyncio.sleep(0.1)

    async def close(self) -> None:
        """Lets the calls under way finish, then goes."""
        pool, self._pool = self._pool, None
        if pool is not None:
            await pool.close(_CLOSING_SECONDS)

    async def fetch(self, sql: str, *given: Any) -> list[Any]:
        """Rows of one statement that may be made twice. Raises StoreAway, StoreFull."""

        async def work(connection: Any, again: bool) -> list[Any]:
            return await connection.fetch(sql, *given)

        return await self.do(work)

    async def do(
        self, work: Callable[[Any, bool], Awaitable[T]], *, deadline: float | None = None
    ) -> T:
        """Does something on a connection; from the second time on it is told that it may have
        been committed before.

        Raises StoreAway once `patience` is over (or `deadline`, a time of the event loop),
        StoreFull, ValueError for a value the database does not take, StoreUnusable; and what
        `work` raises.
        """
        clock = asyncio.get_running_loop().time
        if deadline is None:
            deadline = clock() + self.patience
        again, pause = False, _FIRST_PAUSE
        while True:
            sent = False
            try:
                limit = min(max(deadline, clock() + _LEAST_SECONDS), clock() + self.patience / 2)
                async with asyncio.timeout_at(limit), self.connection() as connection:
                    sent = True
                    return await work(connection, again)
            except pg.exceptions.DataError as error:
                raise ValueError(f"the database does not take this value: {error}") from error
            except AWAY as error:
                again = again or sent
                if not self.is_open or clock() + pause >= deadline:
                    raise StoreAway(away(self.url, error)) from error
            except pg.DiskFullError as error:
                raise StoreFull(f"The disk of the database is full: {error}.") from error
            except pg.IntegrityConstraintViolationError:
                raise
            except (pg.DataError, pg.ProgramLimitExceededError) as error:
                raise ValueError(f"the database does not take this value: {error}") from error
            except pg.PostgresError as error:
                raise StoreUnusable(f"The database refuses: {error}.") from error
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LAST_PAUSE)

    @asynccontextmanager
    async def connection(self) -> AsyncGenerator[Any]:
        """One of the connections; one that broke, or whose answer nobody awaited, is given up."""
        pool = self._pool
        if pool is None:
            raise StoreUnusable("The store is closed.")
        connection = await pool.acquire()
        try:
            yield connection
        except (*AWAY, asyncio.CancelledError):
            # Nobody knows what it is doing just now, and asking could take long.
            connection.terminate()
            raise
        finally:
            pool.release(connection)


@asynccontextmanager
async def transaction(connection: Any) -> AsyncGenerator[None]:
    """Several statements that see what others have committed before each of them."""
    await connection.execute("BEGIN ISOLATION LEVEL READ COMMITTED")
    try:
        yield
    except (*AWAY, asyncio.CancelledError):
        raise  # the connection goes, and the transaction with it
    except BaseException:
        await connection.execute("ROLLBACK")
        raise
    await connection.execute("COMMIT")
