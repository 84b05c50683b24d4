"""The three threads of the store: one writes, one reads, one moves the log into the file.

SQLite takes one writer at a time, so all writes go through one thread and share commits: while
one commit runs the next batch collects. No timer is involved; a lone write is committed at once.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sqlite3
import sys
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from time import perf_counter
from typing import Any, TypeVar, TypeVarTuple

from interplay.contracts.store import StoreUnusable
from interplay.plugins.stores.sqlite.faults import told

Ts = TypeVarTuple("Ts")
T = TypeVar("T")

_HAND_OUT_SECONDS = 0.002
_PACE_SECONDS = 0.5
_LONG_LOG_PAGES = 8_000
_TOO_LONG_LOG_PAGES = 128_000
_PASSES = 5
_SHORT_PASS_SECONDS = 0.01

_log = logging.getLogger(__name__)


_Job = tuple[Callable[..., Any], tuple[Any, ...], asyncio.Future[Any]]
"""The work, its arguments behind the connection, who waits."""
_Outcome = tuple[asyncio.Future[Any], bool, Any]


class _Queued(ABC):
    """A thread with one connection that works through a queue of jobs."""

    def __init__(self, db: sqlite3.Connection, name: str) -> None:
        self._db = db
        self._cursor = db.cursor()
        self._queue: SimpleQueue[_Job | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._live, name=name, daemon=True)
        self._closed = False
        self._door = threading.Lock()

    def start(self) -> None:
        """Begins to work."""
        self._thread.start()

    def close(self) -> None:
        """Finishes what is queued, then lets go of the connection. Blocks."""
        with self._door:
            self._closed = True
            self._queue.put(None)
        self._thread.join()
        self._db.close()

    async def do(self, work: Callable[[sqlite3.Cursor, *Ts], T], *args: *Ts) -> T:
        """Runs `work` on this thread's connection; its result or what it raised."""
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        # A job behind the end of the queue would never be answered.
        with self._door:
            if self._closed:
                raise StoreUnusable("The store is closed.")
            self._queue.put((work, args, future))
        return await future

    def _take(self) -> tuple[list[_Job], bool]:
        """All jobs there are, at least one or the end; and whether the end was among them."""
        job = self._queue.get()
        batch: list[_Job] = []
        try:
            while job is not None:
                batch.append(job)
                job = self._queue.get_nowait()
        except Empty:
            return batch, False
        return batch, True

    def _live(self) -> None:
        ended = False
        while not ended:
            batch, ended = self._take()
            if batch:
                self._work(batch)

    @abstractmethod
    def _work(self, batch: list[_Job]) -> None:
        """Does these jobs and wakes their callers."""


class Writer(_Queued):
    """Runs each batch of writes in one transaction."""

    def __init__(self, db: sqlite3.Connection, log: LogFolder) -> None:
        super().__init__(db, "interplay-store-writer")
        self._log = log

    def _work(self, batch: list[_Job]) -> None:
        outcomes = self._transaction(batch)
        if outcomes is None:
            # One of them spoilt the transaction they shared: each gets its own.
            outcomes = [one for job in batch for one in self._transaction([job]) or ()]
        _hand_out(outcomes)
        self._log.wrote(self._db)

    def _transaction(self, batch: list[_Job]) -> list[_Outcome] | None:
        """What came of each job; None when a batch of many was rolled back."""
        db = self._db
        cursor = self._cursor
        outcomes: list[_Outcome] = []
        try:
            cursor.execute("BEGIN IMMEDIATE")
            for work, args, future in batch:
                before = db.total_changes
                try:
                    outcomes.append((future, True, work(cursor, *args)))
                # The boundary between callers: what one of them raised is his alone, as long as
                # he left nothing behind.
                except Exception as error:
                    if isinstance(error, sqlite3.Error) or db.total_changes != before:
                        raise
                    outcomes.append((future, False, error))
            cursor.execute("COMMIT")
        except Exception as error:  # noqa: BLE001 - handed on to the callers, here or alone
            self._roll_back()
            if len(batch) > 1:
                return None
            return [(batch[0][2], False, told(error, writing=True))]
        return outcomes

    def _roll_back(self) -> None:
        # A full disk may have ended the transaction already, or take the rollback down with it.
        if self._db.in_transaction:
            with suppress(sqlite3.OperationalError):
                self._cursor.execute("ROLLBACK")


class Reader(_Queued):
    """Runs reads one after the other."""

    def __init__(self, db: sqlite3.Connection) -> None:
        super().__init__(db, "interplay-store-reader")

    def _work(self, batch: list[_Job]) -> None:
        outcomes: list[_Outcome] = []
        began = perf_counter()
        for work, args, future in batch:
            outcomes.append(self._read(work, args, future))
            if perf_counter() - began > _HAND_OUT_SECONDS:
                # A quick read does not wait for the long one behind it.
                _hand_out(outcomes)
                outcomes = []
                began = perf_counter()
        _hand_out(outcomes)

    def _read(self, work: Callable[..., Any], args: Any, future: asyncio.Future[Any]) -> _Outcome:
        try:
            return future, True, work(self._cursor, *args)
        except Exception as error:  # noqa: BLE001 - handed on to the caller
            return future, False, told(error, writing=False)


class LogFolder:
    """Moves the write-ahead log into the file beside the writer, so that no commit waits for it.

    A long log is moved while writes go on, and the writer asked to finish it between two batches,
    which lets the log begin anew. When writes pause it is emptied, so that nothing deleted stays
    in it.
    """

    def __init__(self, db: sqlite3.Connection, file: Path) -> None:
        self._db = db
        self._index = open(f"{file}-shm", "rb", buffering=0)  # noqa: SIM115 - open until close
        self._folding = threading.Lock()
        self._short_enough = False
        self._dirty = threading.Event()
        self._hurry = threading.Event()
        self._closing = False
        self.emptied = threading.Event()
        """Set while the log is empty as far as this thread knows."""
        self._thread = threading.Thread(target=self._live, name="interplay-store-log", daemon=True)

    def start(self) -> None:
        """Begins to work."""
        self._thread.start()

    def wrote(self, db: sqlite3.Connection) -> None:
        """The writer's own part, between two batches, where no write is in its way."""
        if not self._dirty.is_set():
            self.emptied.clear()
            self._dirty.set()
        pages = self.pages()
        if pages > _LONG_LOG_PAGES:
            self._hurry.set()
        if self._short_enough or pages > _TOO_LONG_LOG_PAGES:
            # The second is for a disk that cannot follow: writes then wait for it.
            with self._folding:
                self._short_enough = False
                fold_log(db, "PASSIVE")

    def close(self) -> None:
        """Empties the log and lets go of the connection. Blocks."""
        self._closing = True
        self._dirty.set()
        self._hurry.set()
        self._thread.join()
        fold_log(self._db, "TRUNCATE")
        self._index.close()
        self._db.close()

    def _live(self) -> None:
        while not self._closing:
            self._dirty.wait()
            self._dirty.clear()
            if self._hurry.wait(_PACE_SECONDS):
                self._hurry.clear()
                self._shorten()
                self._dirty.set()
            elif not self._dirty.is_set():
                self._empty()

    def pages(self) -> int:
        """The length of the log, from the header of its index (SQLite's "WAL-index format")."""
        header = os.pread(self._index.fileno(), 20, 0)
        return int.from_bytes(header[16:20], sys.byteorder)

    def _empty(self) -> None:
        with self._folding:
            # Most of it without the lock that a write would wait for.
            fold_log(self._db, "PASSIVE")
            if not fold_log(self._db, "TRUNCATE"):
                self._dirty.set()
            elif not self._dirty.is_set():
                self.emptied.set()

    def _shorten(self) -> None:
        """Catches up with the writer until the rest is short enough for him to finish."""
        for _ in range(_PASSES):
            began = perf_counter()
            with self._folding:
                fold_log(self._db, "PASSIVE")
            if perf_counter() - began < _SHORT_PASS_SECONDS:
                break
        self._short_enough = True


def fold_log(db: sqlite3.Connection, how: str) -> bool:
    """Checkpoints; False when others were in the way. A failure loses nothing: the log keeps
    the pages."""
    try:
        busy, _, _ = db.execute(f"PRAGMA wal_checkpoint({how})").fetchall()[0]
    except sqlite3.DatabaseError as error:
        _log.warning("the write-ahead log could not be moved into the database: %s", error)
        return False
    return not busy


def _hand_out(outcomes: list[_Outcome]) -> None:
    """Wakes the callers: one call into each of their loops."""
    loops: dict[asyncio.AbstractEventLoop, list[_Outcome]] = {}
    for outcome in outcomes:
        loops.setdefault(outcome[0].get_loop(), []).append(outcome)
    for loop, its_own in loops.items():
        # A loop that has closed has nobody left who waits.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(_resolve, its_own)


def _resolve(outcomes: list[_Outcome]) -> None:
    for future, good, value in outcomes:
        if future.done():
            continue
        if good:
            future.set_result(value)
        else:
            future.set_exception(value)
