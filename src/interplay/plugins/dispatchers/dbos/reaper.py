"""Takes over what the dead have left, and clears away what nobody needs."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Collection
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from interplay.contracts.store import StoreAway
from interplay.plugins.dispatchers.dbos.ledger import Ledger
from interplay.plugins.dispatchers.dbos.link import Link
from interplay.plugins.dispatchers.dbos.presence import Presence
from interplay.plugins.dispatchers.dbos.statements import CLEANER, REAPER

if TYPE_CHECKING:
    from interplay.plugins.dispatchers.dbos.engine import Engine

LOOK = 0.2
"""Seconds between two looks for the dead, and for what became due."""
SOON = 0.1
"""The same while somebody seems to be dead."""
AUDIT = 5.0
"""Seconds between two looks at everything DBOS believes to run."""
CLEAN = 10.0
"""Seconds between two times that what has ended is cleared away."""
STRAYED = 30.0
"""Seconds after which work DBOS gave to this process, and that does not run here, is freed."""
KEPT = 600.0
"""Seconds for which ended workflows are kept."""
LOST = 600.0
"""Seconds after which a job is looked at, whether something still carries it."""
BATCH = 1_000
BATCHES = 10
"""So many of what has ended go in one turn at most: a thousand jobs a second."""

_log = logging.getLogger("interplay.dispatch")


class Reaper:
    """Of one dispatcher that works. Where there are many, one at a time takes over."""

    def __init__(
        self,
        link: Link,
        ledger: Ledger,
        presence: Presence,
        engine: Engine,
        kinds: Collection[str],
    ) -> None:
        self._link, self._ledger, self._presence = link, ledger, presence
        self._engine, self._kinds = engine, kinds
        self._strayed: dict[str, float] = {}

    async def run(self) -> None:
        """Looks until DBOS ends here, or until cancelled."""
        await asyncio.gather(
            self._every(lambda: SOON if self._presence.doubts else LOOK, self.look),
            self._every(lambda: AUDIT, self.audit),
            self._every(lambda: CLEAN, self.clean),
        )

    async def look(self) -> None:
        """Finds what became due, and the dead."""
        for kind in await self._ledger.ripe(self._kinds):
            self._engine.gate.look(kind)
        await self.take_over()

    async def _every(self, pause: Callable[[], float], do: Callable[[], Awaitable[None]]) -> None:
        while not self._engine.ended:
            try:
                await do()
            except StoreAway as error:
                _log.warning("nobody looks after the dead: %s", error)
            except Exception:  # noqa: BLE001 - jobs of the dead would wait for ever
                _log.exception("looking after the dead failed")
            await asyncio.sleep(pause())

    async def take_over(self) -> int:
        """Makes nobody's what the dead had; answers how much."""
        dead = await self._presence.gone()
        if not dead:
            return 0
        async with self._link.alone(REAPER) as alone:
            if not alone:
                return 0
            taken = await self._free(dead)
            await self._link.fetch("leave", list(dead))
        return taken

    async def audit(self) -> None:
        """Frees what runs in executors nobody knows, and what strayed here."""
        mine = await self._engine.pending([self._engine.executor])
        now, running = time.monotonic(), self._engine.running()
        idle = {id: kind for id, kind in mine.items() if id not in running}
        self._strayed = {id: self._strayed.get(id, now) for id in idle}
        strayed = {id: idle[id] for id, since in self._strayed.items() if now - since > STRAYED}
        if strayed:
            _log.warning("%d jobs that were taken here do not run", len(strayed))
            await self._engine.resume(strayed)
        async with self._link.alone(REAPER) as alone:
            if alone:
                owners = await self._engine.owners() - {self._engine.executor}
                dead = await self._presence.dead(owners)
                if dead:
                    await self._free(dead)

    async def clean(self) -> None:
        """Clears away what was cancelled and what has ended, and mends jobs nothing carries."""
        async with self._link.alone(CLEANER) as alone:
            if not alone:
                return
            if dropped := await self._ledger.undropped(BATCH):
                await self._engine.cancel(dropped)
            before = datetime.fromtimestamp(time.time() - KEPT, UTC).isoformat()
            for _ in range(BATCHES):
                if await self._engine.sweep(before, BATCH) < BATCH:
                    break
            jobs = await self._ledger.unlooked(LOST, BATCH)
            lost = await self._engine.lost({job.workflow for job in jobs}) if jobs else set[str]()
            for job in jobs:
                if job.workflow in lost:
                    _log.warning("%s %s was carried by nothing", job.kind, job.id)
                    await self._ledger.recarry(job)

    async def _free(self, dead: Collection[str]) -> int:
        left = await self._engine.pending(dead)
        if left:
            await self._engine.resume(left)
            _log.warning("%d jobs of %d dead processes are for others", len(left), len(dead))
        await self._ledger.freed(dead)
        for kind in set(left.values()):
            self._presence.tell(kind)
            self._engine.gate.look(kind)
        return len(left)
