"""The dispatcher for many machines."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import socket
import time
import uuid
from collections.abc import Awaitable, Callable, Collection, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from interplay.contracts.dispatcher import Handler
from interplay.contracts.jobs import Jobs
from interplay.contracts.store import StoreAway, StoreUnusable
from interplay.plugins.dispatchers.dbos.employment import dismiss, employ, engine_here
from interplay.plugins.dispatchers.dbos.ledger import Carried, Ledger, pause_after
from interplay.plugins.dispatchers.dbos.link import Link
from interplay.plugins.dispatchers.dbos.places import NoPlace, Places
from interplay.plugins.dispatchers.dbos.presence import Presence
from interplay.plugins.dispatchers.dbos.reaper import Reaper
from interplay.plugins.dispatchers.dbos.tables import make_tables

if TYPE_CHECKING:
    from interplay.plugins.dispatchers.dbos.engine import Engine

PATIENCE = 10.0
"""Seconds a call waits for a database that is away, before StoreAway."""
PLACE_SECONDS = 1.0
"""How long a job waits here for a place somebody else took from it, before others may have it."""
DRAIN_SECONDS = 1.8
"""What drain takes at most."""

_log = logging.getLogger("interplay.dispatch")
T = TypeVar("T")


class _Doing:
    """A job whose handler runs here."""

    def __init__(self, job: Carried, task: asyncio.Task[float | None]) -> None:
        self.job, self.task = job, task
        self.dropped = False
        """Cancelled for good; else, when it is cancelled, others are to do it."""


class DbosDispatcher:
    """Shares jobs over DBOS and PostgreSQL; see interplay.contracts.dispatcher.

    A due time is met within about a second and a half, never before. `jobs`, `folder` and
    `shared` mean nothing to it.
    """

    def __init__(
        self,
        *,
        database: str,
        silence: float = 30.0,
        jobs: Jobs | None = None,
        folder: Path | None = None,
        shared: bool = True,
        patience: float = PATIENCE,
    ) -> None:
        if not database.startswith(("postgresql://", "postgres://")):
            raise StoreUnusable(
                "The dispatcher 'dbos' needs a PostgreSQL: set `database` to postgresql://..., or"
                " `dispatcher` to 'local'."
            )
        self.executor = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(6)}"
        self._link = Link(database, patience=patience)
        self._ledger = Ledger(self._link, self.executor)
        self._presence = Presence(self._link, self.executor, silence, self._heard)
        self._places = Places()
        self._handlers: dict[str, Handler] = {}
        self._doing: dict[str, _Doing] = {}
        self._engine: Engine | None = None
        self._carrying: set[asyncio.Task[None]] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._drained = self._closed = False

    async def open(self) -> None:
        """Makes the tables where there are none, and this executor known. Raises StoreUnusable."""
        await self._link.open()
        try:
            await make_tables(self._link)
            await self._presence.open()
        except StoreAway as error:
            await self._link.close()
            raise StoreUnusable(str(error)) from error
        except BaseException:
            await self._link.close()
            raise

    def work(self, handlers: Mapping[str, Handler], places: Mapping[str, int]) -> None:
        """Begins to take jobs. Raises StoreUnusable where another dispatcher of this process works
        over another database."""
        here = engine_here()
        if here is not None and here.url != self._link.url:
            raise StoreUnusable("DBOS serves one database in a process.")
        self._handlers = dict(handlers)
        self._places.begin({kind: places.get(kind, 0) for kind in handlers})
        self._keep(self._employed())

    def occupy(self, kind: str, places: int) -> None:
        """Takes places without a job, or gives them back."""
        self._places.occupy(kind, places)
        if places < 0 and self._engine is not None:
            self._engine.gate.look(kind)

    async def submit(self, kind: str, id: str, *, due: float = 0.0, tier: int = 1) -> None:
        """Hands over a job. Raises StoreAway."""
        await self._ledger.put(kind, id, due=due, tier=tier)
        if due <= time.time():
            self._tell(kind)

    async def cancel(self, kind: str, id: str) -> None:
        """Forgets a job. Raises StoreAway."""
        await self._ledger.drop(kind, id)
        for doing in self._doing.values():
            if (doing.job.kind, doing.job.id) == (kind, id):
                doing.dropped = True
                doing.task.cancel()

    async def waiting(self, kind: str) -> int:
        """How many jobs of a kind lack a place; those of a later time are not among them."""
        return await self._ledger.waiting(kind)

    async def dead(self, executors: Collection[str]) -> set[str]:
        """Those that run no more: half a second after their lock is free, but for the first
        seconds after the database itself was away. Raises StoreAway."""
        return await self._presence.dead(executors)

    async def drain(self) -> None:
        """Hands back what is being done here."""
        if self._drained:
            return
        self._drained = True
        self._places.end()
        doing = list(self._doing.values())
        for each in doing:
            each.task.cancel()
        if self._engine is None:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_SECONDS):
                await self._hand_back(self._engine, doing)

    async def close(self) -> None:
        """Lets go."""
        if self._closed:
            return
        self._closed = True
        await self.drain()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._engine is not None:
            await dismiss(self._engine, self)
        await self._presence.close()
        await self._link.close()

    def free(self, kind: str) -> int:
        """How many more jobs of a kind have a place here."""
        return self._places.free(kind)

    def dismissed(self) -> None:
        """DBOS has ended in this process, with another dispatcher of it."""
        self._engine = None
        if not self._drained:
            self._keep(self._employed())

    async def carry(self, job: Carried) -> None:
        """Does a job DBOS brings. A CancelledError hands it back."""
        if self._drained:
            raise asyncio.CancelledError
        own = asyncio.current_task()
        assert own is not None
        self._carrying.add(own)
        own.add_done_callback(self._carrying.discard)
        try:
            await self._places.take(job.kind, PLACE_SECONDS)
        except NoPlace as error:
            raise asyncio.CancelledError from error
        try:
            tries = await self._stubborn(lambda: self._ledger.begin(job))
            if self._drained:
                await self._not_tried([job.workflow])
                raise asyncio.CancelledError
            if tries is not None:
                await self._do(job, tries)
        finally:
            self.occupy(job.kind, -1)

    async def _do(self, job: Carried, tries: int) -> None:
        task = asyncio.ensure_future(self._handlers[job.kind](job.id))
        doing = self._doing[job.workflow] = _Doing(job, task)
        try:
            again = await task
            tries = 0
        except asyncio.CancelledError:
            if doing.dropped:
                return
            own = asyncio.current_task()
            if self._drained or (own is not None and own.cancelling()):
                raise
            again = time.time() + pause_after(tries)
            _log.warning("%s %s was cancelled by itself", job.kind, job.id)
        except Exception:  # noqa: BLE001 - whatever a handler raises gives its job back
            again = time.time() + pause_after(tries)
            _log.exception("%s %s failed, time %d", job.kind, job.id, tries)
        finally:
            del self._doing[job.workflow]
        if again is None:
            await self._stubborn(lambda: self._ledger.done(job))
            return
        carrier = str(uuid.uuid4())
        await self._stubborn(lambda: self._ledger.again(job, again, tries, carrier))
        if again <= time.time():
            self._tell(job.kind)

    async def _hand_back(self, engine: Engine, doing: Collection[_Doing]) -> None:
        """Waits a second for the handlers to end; who clings is not waited for."""
        if self._carrying:
            await asyncio.wait(self._carrying, timeout=1.0)
        for each in doing:
            if not each.task.done():
                engine.give_back(each.job)
        await self._not_tried([each.job.workflow for each in doing])
        await engine.given_back()
        for kind in self._handlers:
            self._tell(kind)

    async def _not_tried(self, workflows: Collection[str]) -> None:
        with suppress(StoreAway):
            await self._ledger.handed_back(workflows)

    async def _stubborn(self, call: Callable[[], Awaitable[T]]) -> T:
        """Tries on while the database is away: what a job did must not be done again for that."""
        while True:
            try:
                return await call()
            except StoreAway as error:
                if self._drained:
                    raise asyncio.CancelledError from error
                _log.warning("%s", error)
                await asyncio.sleep(0.2)

    async def _employed(self) -> None:
        employing = asyncio.create_task(employ(self._link.url, self, self._handlers))
        try:
            while not employing.done():
                await asyncio.wait([employing], timeout=0.2)
                with suppress(StoreAway):
                    await self._presence.gone()  # so that who died meanwhile is dead by then
        except asyncio.CancelledError:
            employing.cancel()
            await asyncio.wait([employing])
            raise
        finally:
            if employing.done() and not employing.cancelled():
                self._engine = employing.result()
        assert self._engine is not None
        await Reaper(self._link, self._ledger, self._presence, self._engine, self._handlers).run()

    def _keep(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _tell(self, kind: str) -> None:
        self._presence.tell(kind)
        self._heard(kind)

    def _heard(self, kind: str | None) -> None:
        if self._engine is not None:
            self._engine.gate.look(kind)
