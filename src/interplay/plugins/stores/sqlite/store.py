"""The store: the contract's methods, each handed to the thread that does it."""

from __future__ import annotations

import asyncio
import builtins
import sqlite3
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar, TypeVarTuple

from interplay.contracts.store import (
    ChainLink,
    Ending,
    Filter,
    NewInteraction,
    StoredInteraction,
    StoreUnusable,
)
from interplay.plugins.stores.sqlite import reads, schema, writes
from interplay.plugins.stores.sqlite.jobs import SqliteJobs
from interplay.plugins.stores.sqlite.locks import FolderLock, Turns
from interplay.plugins.stores.sqlite.log import LogFolder, fold_log
from interplay.plugins.stores.sqlite.news import News
from interplay.plugins.stores.sqlite.records import SqliteRecords
from interplay.plugins.stores.sqlite.rows import millis
from interplay.plugins.stores.sqlite.threads import Reader, Writer
from interplay.plugins.stores.sqlite.transfer import SqliteTransfer
from interplay.wire.usage import InteractionStatus

FILE = "interactions.db"

Ts = TypeVarTuple("Ts")
T = TypeVar("T")


class SqliteStore:
    """Interactions in `folder`/interactions.db. One process owns the folder, or with `shared`
    several processes of one machine use it together.

    A write is answered when it is committed, together with those that came meanwhile. It waits
    `patience` seconds for other processes, then raises StoreAway.
    `durability`: normal survives a crash of the process, full also a power cut. Times are kept
    to the millisecond. `clock` gives Unix seconds and decides what has expired.
    """

    def __init__(
        self,
        folder: Path,
        *,
        durability: schema.Durability = "normal",
        database: str = "",
        shared: bool = False,
        connections: int = 0,
        patience: float = 10.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.file = folder / FILE
        """The database; the file alone is whole after `settle` or `close`."""
        self.shared = shared
        self._data = folder
        self._durability: schema.Durability = durability
        self._patience = patience
        self._clock = clock
        self._lock = FolderLock(folder, shared=shared)
        self._news = News()
        self._open = False
        self._writer: Writer
        self._reader: Reader
        self._folder: LogFolder
        self._turns: Turns | None = None
        self.records = SqliteRecords(self._write, self._read, self._now)
        self.jobs = SqliteJobs(self._write, self._read)
        self.transfer = SqliteTransfer(self._read)

    async def open(self) -> None:
        """Takes the folder, opens or creates the file and brings its schema up to date.

        Raises StoreUnusable: StoreLocked and NotShared when others have the folder, NewerSchema,
        DamagedStore.
        """
        if not self._open:
            await asyncio.to_thread(self._open_now)

    async def close(self) -> None:
        """Finishes the writes under way, empties the log and gives the folder back."""
        if self._open:
            self._open = False
            await asyncio.to_thread(self._close_now)

    async def create(self, new: NewInteraction, ending: Ending | None = None) -> None:
        """Adds a row; see the contract. Raises ValueError when the id exists."""
        await self._writer.do(writes.create, self._now(), new, ending)

    async def claim(self, id: str, worker: str = "") -> StoredInteraction:
        """Takes the next epoch for an executor."""
        return await self._writer.do(writes.claim, id, worker)

    async def release(self, id: str, epoch: int) -> None:
        """Makes a row nobody's, if this epoch still holds it."""
        await self._writer.do(writes.release, id, epoch)

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
        await self._writer.do(writes.append, id, epoch, last, events, status, ending)
        if self._news.watched:
            self._news.tell(id)

    async def get(self, id: str) -> StoredInteraction | None:
        """One living row."""
        return await self._reader.do(reads.get, self._now(), id)

    async def events(self, id: str, after: int = -1) -> builtins.list[bytes]:
        """Events above a number."""
        return await self._reader.do(reads.events, id, after)

    async def chain(self, id: str) -> builtins.list[ChainLink]:
        """The living turns from the root to `id`; empty when `id` itself is not there."""
        return await self._reader.do(reads.chain, self._now(), id)

    async def list(
        self, owner: str, filter: Filter, *, size: int, before: int | None
    ) -> tuple[builtins.list[StoredInteraction], int | None]:
        """A page, newest first."""
        return await self._reader.do(reads.list, self._now(), owner, filter, size, before)

    async def find_key(self, owner: str, idempotency_key: str) -> StoredInteraction | None:
        """The living row created under this key."""
        return await self._reader.do(reads.find_key, self._now(), owner, idempotency_key)

    async def delete(self, id: str) -> builtins.list[str]:
        """Removes a row; the blobs nobody refers to any more."""
        blobs = await self._writer.do(writes.delete, id)
        if self._news.watched:
            self._news.tell(id)
        return blobs

    async def workers(self) -> set[str]:
        """The executors that hold unended rows."""
        return await self._reader.do(reads.workers)

    async def held(self, worker: str, before: float, limit: int) -> builtins.list[str]:
        """Unended rows of an executor created before a time, oldest first."""
        return await self._reader.do(reads.held, worker, before, limit)

    async def lost(self, held: Mapping[str, int]) -> builtins.list[str]:
        """Those of these that have ended, are gone, or were claimed by another."""
        return await self._reader.do(reads.lost, dict(held)) if held else []

    def watch(self, seen: Callable[[str | None], None]) -> None:
        """Tells of commits: of its own at once, of those of other processes within some
        hundredths of a second. On the event loop."""
        if self.shared:
            self._news.watch(seen)
            if self._open:
                self._writer.wake()

    async def expired(self, now: float, limit: int) -> builtins.list[str]:
        """Ids of ended rows past their time."""
        return await self._reader.do(reads.expired, now, limit)

    async def unreferenced(self, sha256s: builtins.list[str]) -> builtins.list[str]:
        """Those of these blobs that no row refers to."""
        return await self._reader.do(reads.unreferenced, sha256s)

    async def remember(self, id: str, key: str, value: bytes, *, epoch: int | None = None) -> None:
        """Keeps a memo; a later value under the same key takes its place."""
        await self._writer.do(writes.remember, id, key, value, epoch)

    async def recall(self, id: str) -> dict[str, bytes]:
        """Every memo of one interaction."""
        return await self._reader.do(reads.recall, id)

    async def settle(self) -> None:
        """Moves everything into the file and empties the log, so that the file alone is whole
        and nothing deleted is left anywhere. Waits for reads under way."""
        await asyncio.to_thread(self._settle_now)

    async def _write(self, work: Callable[[sqlite3.Cursor, *Ts], T], *args: *Ts) -> T:
        return await self._writer.do(work, *args)

    async def _read(self, work: Callable[[sqlite3.Cursor, *Ts], T], *args: *Ts) -> T:
        return await self._reader.do(work, *args)

    def _now(self) -> int:
        return millis(self._clock())

    def _open_now(self) -> None:
        folder = self._data
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock.take()
            with self._lock.opening():
                self._start()
        except OSError as error:
            self._lock.release()
            raise StoreUnusable(f"The data folder {folder} cannot be used: {error}.") from error
        except BaseException:
            self._lock.release()
            raise
        self._open = True

    def _start(self) -> None:
        writing = schema.open_writer(self.file, self._durability)
        folding = schema.open_log_folder(self.file, self._durability)
        self._folder = LogFolder(folding, self.file, shared=self.shared)
        self._turns = Turns(self._data) if self.shared else None
        news = self._news if self.shared else None
        self._writer = Writer(writing, self._folder, self._patience, news, self._turns)
        self._reader = Reader(schema.open_reader(self.file, self._patience))
        for thread in (self._folder, self._writer, self._reader):
            thread.start()

    def _close_now(self) -> None:
        self._news.forget()
        self._writer.close()
        self._reader.close()
        self._folder.close()
        if self._turns is not None:
            self._turns.close()
        self._lock.release()

    def _settle_now(self) -> None:
        db = schema.connect(self.file)
        try:
            fold_log(db, "TRUNCATE")
        finally:
            db.close()
