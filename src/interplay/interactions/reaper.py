"""Finds runs whose process is gone, and runs here that were taken away."""

from __future__ import annotations

import asyncio
import logging
import time

from interplay.contracts.dispatcher import Dispatcher
from interplay.contracts.store import Store, StoreUnavailable
from interplay.interactions.runner import CANCEL, RUN, Runner

log = logging.getLogger("interplay.reaper")

_SHARED_SECONDS, _ALONE_SECONDS = 0.5, 5.0
_NOBODYS_SECONDS = 5.0
"""A row that is nobody's this long has lost its job in a crash."""
_BATCH = 500


class Reaper:
    """One pass every half second where others take part, every few seconds where none do.

    It only hands over: whoever takes the job claims the row, and the epoch decides.
    """

    def __init__(self, store: Store, dispatcher: Dispatcher, runner: Runner, *, works: bool):
        self._store, self._dispatcher, self._runner = store, dispatcher, runner
        self._works = works
        self._next_slow_look = 0.0
        self._adrift: set[str] = set()
        """Rows this process holds and did not run when it last looked."""

    async def run(self) -> None:
        """Looks until cancelled."""
        every = _SHARED_SECONDS if self._store.shared else _ALONE_SECONDS
        while True:
            await asyncio.sleep(every)
            try:
                await self.look()
            except StoreUnavailable as error:
                log.warning("unfinished interactions wait: %s", error)
            except Exception:
                # A fault here must not end it: runs would be lost from then on.
                log.exception("looking for unfinished interactions failed")

    async def look(self, *, at_start: bool = False) -> int:
        """One pass; answers how many runs it handed over. Raises StoreUnavailable."""
        if self._store.shared and self._runner.live:
            await self._let_go()
            await self._do_as_asked()
        if not self._works:
            return 0
        now, handed = time.time(), 0
        mine = self._dispatcher.executor
        workers = await self._store.workers()
        dead = await self._dispatcher.dead(workers - {"", mine}) if workers else set[str]()
        for worker in dead:
            handed += await self._hand_over(worker, now)
        steady = time.monotonic()  # a wall clock may be set back
        if not at_start and steady < self._next_slow_look:
            return handed
        # A long queue is nobody's too: it is not handed over anew at every pass.
        self._next_slow_look = steady + _NOBODYS_SECONDS
        if "" in workers:
            before = now + 1 if at_start and not self._store.shared else now - _NOBODYS_SECONDS
            handed += await self._hand_over("", before)
        if mine in workers:
            await self._hand_over_dropped(mine, now)
        return handed

    async def _hand_over_dropped(self, mine: str, now: float) -> None:
        """What this process holds and does not run, twice in a row, it has let fall: the store did
        not answer when it was claimed, or created."""
        held = await self._store.held(mine, now, _BATCH)
        adrift = {id for id in held if id not in self._runner.live}
        for id in adrift & self._adrift:
            await self._dispatcher.submit(RUN, id)
        self._adrift = adrift

    async def _hand_over(self, worker: str, before: float) -> int:
        ids = [
            id
            for id in await self._store.held(worker, before, _BATCH)
            if id not in self._runner.live
        ]
        for id in ids:
            await self._dispatcher.submit(RUN, id)
        return len(ids)

    async def _do_as_asked(self) -> None:
        """Cancels the runs here that another process was asked to cancel."""
        for asked in await self._store.records.due(CANCEL, time.time(), _BATCH):
            running = self._runner.live.get(asked.id)
            if running is not None:
                await self._runner.cancel(running)
                await self._store.records.remove(CANCEL, asked.id)

    async def _let_go(self) -> None:
        """Stops the runs here whose row someone else has ended, claimed or deleted."""
        live = self._runner.live
        held = {
            id: running.journal.epoch
            for id, running in live.items()
            if running.journal.kept.there and not running.journal.closing
        }
        for id in await self._store.lost(held):
            running = live.get(id)
            if running is None or running.journal.epoch != held[id]:
                continue
            if not running.journal.closing:
                log.info("taken away", extra={"interaction": id})
                running.journal.lose()
