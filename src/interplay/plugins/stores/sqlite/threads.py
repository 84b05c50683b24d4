"""Two threads of the store: one writes, one reads. (The third is in log.py.)

SQLite takes one writer at a time, so all writes go through one thread and share commits: while
one commit runs the next batch collects. No timer is involved; a lone write is committed at once.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from time import perf_counter
from typing import Any, Protocol, TypeVar, TypeVarTuple

from interplay.contracts.store import StoreUnusable
from interplay.plugins.stores.sqlite.faults import is_busy, told
from interplay.plugins.stores.sqlite.locks import Turns
from interplay.plugins.stores.sqlite.log import LogFolder
from interplay.plugins.stores.sqlite.news import News

Ts = TypeVarTuple("Ts")
T = TypeVar("T")

_HAND_OUT_SECONDS = 0.002
_FIRST_RETRY_SECONDS, _LAST_RETRY_SECONDS = 0.0002, 0.002
"""How soon to try again while another process writes. SQLite's own waits grow to tenths of a
second, and who waits long would lose every gap to those who come back at once."""


class Do(Protocol):
    """Runs `work` on the connection of one of the threads; its result or what it raised."""

    async def __call__(self, work: Callable[[sqlite3.Cursor, *Ts], T], *args: *Ts) -> T: ...


_Job = tuple[Callable[..., Any], tuple[Any, ...], asyncio.Future[Any]]
"""The work, its arguments behind the connection, who waits."""
_Outcome = tuple[asyncio.Future[Any], bool, Any]
_WAKE: tuple[()] = ()
"""Nothing to do, but a reason to look again at what there is to wait for."""


class _Queued(ABC):
    """A thread with one connection that works through a queue of jobs."""

    def __init__(self, db: sqlite3.Connection, name: str) -> None:
        self._db = db
        self._cursor = db.cursor()
        self._queue: SimpleQueue[_Job | tuple[()] | None] = SimpleQueue()
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
        job = self._wait()
        batch: list[_Job] = []
        while job is not None:
            if job:
                batch.append(job)
            if self._queue.empty():
                return batch, False
            job = self._queue.get_nowait()
        return batch, True

    def _wait(self) -> _Job | tuple[()] | None:
        """The first of what comes next."""
        return self._queue.get()

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
    """Runs each batch of writes in one transaction.

    `patience`: seconds in which another process must let it write. `news`: what others commit is
    told to those who watch there. `turns`: where several processes write.
    """

    def __init__(
        self,
        db: sqlite3.Connection,
        log: LogFolder,
        patience: float,
        news: News | None = None,
        turns: Turns | None = None,
    ) -> None:
        super().__init__(db, "interplay-store-writer")
        self._log = log
        self._patience = patience
        self._news = news
        self._turns = turns

    def wake(self) -> None:
        """Someone began to watch."""
        self._queue.put(_WAKE)

    def _wait(self) -> _Job | tuple[()] | None:
        news = self._news
        while news is not None and news.watched:
            with suppress(Empty):
                pause = news.pause
                return self._queue.get(timeout=pause) if pause else self._queue.get_nowait()
            news.look(self._cursor)
        return self._queue.get()

    def _work(self, batch: list[_Job]) -> None:
        outcomes = self._transaction(batch)
        if outcomes is None:
            # One of them spoilt the transaction they shared: each gets its own.
            outcomes = [one for job in batch for one in self._transaction([job]) or ()]
        _hand_out(outcomes)
        self._log.wrote(self._db)
        news = self._news
        if news is not None and news.watched and not news.pause:
            news.look(self._cursor)

    def _transaction(self, batch: list[_Job]) -> list[_Outcome] | None:
        """What came of each job; None when a batch of many was rolled back."""
        db = self._db
        cursor = self._cursor
        outcomes: list[_Outcome] = []
        try:
            self._begin()
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
            if is_busy(error):
                # Nobody else has a better chance.
                away = told(error, writing=True)
                return [(future, False, away) for _, _, future in batch]
            if len(batch) > 1:
                return None
            return [(batch[0][2], False, told(error, writing=True))]
        return outcomes

    def _begin(self) -> None:
        """Begins to write as soon as nobody else does."""
        turns = self._turns
        if turns is None or not turns.take():
            self._begin_now()
            return
        try:
            self._begin_now()
        finally:
            turns.give()

    def _begin_now(self) -> None:
        pause, deadline = _FIRST_RETRY_SECONDS, perf_counter() + self._patience
        while True:
            try:
                self._cursor.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if not is_busy(error) or perf_counter() >= deadline:
                    raise
            else:
                return
            time.sleep(pause)
            pause = min(pause * 2, _LAST_RETRY_SECONDS)

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
