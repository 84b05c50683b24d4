"""The store: the contract's methods, over one pool of connections."""

from __future__ import annotations

import builtins
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from interplay.contracts.store import (
    ChainLink,
    Ending,
    Filter,
    NewInteraction,
    StoredInteraction,
)
from interplay.contracts.transfer import Phase
from interplay.plugins.stores.postgres import reads, schema, writes
from interplay.plugins.stores.postgres.appends import Appends
from interplay.plugins.stores.postgres.jobs import PostgresJobs
from interplay.plugins.stores.postgres.link import Link
from interplay.plugins.stores.postgres.news import News
from interplay.plugins.stores.postgres.records import PostgresRecords
from interplay.plugins.stores.postgres.rows import millis
from interplay.plugins.stores.postgres.transfer import PostgresTransfer
from interplay.wire.usage import InteractionStatus


class PostgresStore:
    """Interactions in a PostgreSQL database (`database`, its URL) that any number of processes
    share.

    Up to `connections` are held: one for news, the others for reads and writes, made when they
    are needed. A call waits `patience` seconds for a database that restarts, is busy or has no
    connection left, then raises StoreAway. Commits are as durable as the server is told to make
    them (its setting `synchronous_commit`, by default flushed), whatever `durability` says: what
    is lost when only the server crashes would be lost to clients that have seen it. `folder` is
    not used. Times are kept to the millisecond; `clock` gives Unix seconds and decides what has
    expired.
    """

    def __init__(
        self,
        folder: Path | None = None,
        *,
        durability: str = "normal",
        database: str = "",
        shared: bool = True,
        connections: int = 16,
        patience: float = 10.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.shared = True
        self._url = database
        self._clock = clock
        self._link = Link(database, connections - 1, patience)
        self._news = News(self._link)
        self._appends = Appends(self._link)
        self._events = reads.Events(self._link)
        self.records = PostgresRecords(self._link, self._now)
        self.jobs = PostgresJobs(self._link)
        self.transfer = PostgresTransfer(self._link)

    async def open(self) -> None:
        """Connects, and brings the schema up to date as far as older processes can stand it.

        Raises StoreUnusable, NewerSchema among them.
        """
        if self._link.is_open:
            return
        await self._link.open()
        try:
            await self._migrate(("pre",))
            await self._news.open()
        except BaseException:
            await self._link.close()
            raise

    async def close(self) -> None:
        """Finishes the writes under way and lets go."""
        if self._link.is_open:
            await self._appends.close()
            await self._events.close()
            await self._news.close()
            await self._link.close()

    async def migrate(self, phases: tuple[Phase, ...]) -> builtins.list[str]:
        """Applies what is missing in these phases, to a store that is not open; the names of what
        was applied. Raises StoreUnusable."""
        await self._link.open()
        try:
            return await self._migrate(phases)
        finally:
            await self._link.close()

    async def _migrate(self, phases: tuple[Phase, ...]) -> builtins.list[str]:
        async def work() -> builtins.list[str]:
            async with self._link.connection() as connection:
                known = schema.scripts()
                return await schema.bring_up_to_date(connection, self._url, known, phases)

        return await self._link.patient(work)

    async def create(self, new: NewInteraction, ending: Ending | None = None) -> None:
        """Adds a row; see the contract. Raises ValueError when the id exists."""
        await writes.create(self._link, self._now(), new, ending)

    async def claim(self, id: str, worker: str = "") -> StoredInteraction:
        """Takes the next epoch for an executor."""
        return await writes.claim(self._link, id, worker)

    async def release(self, id: str, epoch: int) -> None:
        """Makes a row nobody's, if this epoch still holds it."""
        await writes.release(self._link, id, epoch)

    async def append(
        self,
        id: str,
        epoch: int,
        last: int,
        events: builtins.list[bytes],
        *,
        status: InteractionStatus | None = None,
        ending: Ending | None = None,
    ) -> None:
        """Commits events behind the fence, or the end."""
        if ending is not None:
            writes.check_status(ending.status, ending)
            await self._appends.finish(id, epoch, last, ending)
        else:
            if status is not None:
                writes.check_status(status, None)
            await self._appends.append(id, epoch, last, events, status)
        self._news.tell(id)

    async def get(self, id: str) -> StoredInteraction | None:
        """One living row."""
        return await reads.get(self._link, self._now(), id)

    async def events(self, id: str, after: int = -1) -> builtins.list[bytes]:
        """Events above a number."""
        return await self._events.after(id, after)

    async def chain(self, id: str) -> builtins.list[ChainLink]:
        """The living turns from the root to `id`; empty when `id` itself is not there."""
        return await reads.chain(self._link, self._now(), id)

    async def list(
        self, owner: str, filter: Filter, *, size: int, before: int | None
    ) -> tuple[builtins.list[StoredInteraction], int | None]:
        """A page, newest first."""
        return await reads.list(self._link, self._now(), owner, filter, size, before)

    async def find_key(self, owner: str, idempotency_key: str) -> StoredInteraction | None:
        """The living row created under this key."""
        return await reads.find_key(self._link, self._now(), owner, idempotency_key)

    async def delete(self, id: str) -> builtins.list[str]:
        """Removes a row; the blobs nobody refers to any more."""
        blobs = await writes.delete(self._link, id)
        self._news.tell(id)
        return blobs

    async def workers(self) -> set[str]:
        """The executors that hold unended rows."""
        return await reads.workers(self._link)

    async def held(self, worker: str, before: float, limit: int) -> builtins.list[str]:
        """Unended rows of an executor created before a time, oldest first."""
        return await reads.held(self._link, worker, before, limit)

    async def lost(self, held: Mapping[str, int]) -> builtins.list[str]:
        """Those of these that have ended, are gone, or were claimed by another."""
        return await reads.lost(self._link, held) if held else []

    def watch(self, seen: Callable[[str | None], None]) -> None:
        """Tells of commits: of its own at once, of those of other processes within some
        thousandths of a second, and with None when it may have missed some."""
        self._news.watch(seen)

    async def expired(self, now: float, limit: int) -> builtins.list[str]:
        """Ids of ended rows past their time."""
        return await reads.expired(self._link, now, limit)

    async def unreferenced(self, sha256s: builtins.list[str]) -> builtins.list[str]:
        """Those of these blobs that no row refers to."""
        return await reads.unreferenced(self._link, sha256s)

    async def remember(self, id: str, key: str, value: bytes, *, epoch: int | None = None) -> None:
        """Keeps a memo; a later value under the same key takes its place."""
        await writes.remember(self._link, id, key, value, epoch)

    async def recall(self, id: str) -> dict[str, bytes]:
        """Every memo of one interaction."""
        return await reads.recall(self._link, id)

    def _now(self) -> int:
        return millis(self._clock())
