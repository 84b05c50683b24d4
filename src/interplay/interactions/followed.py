"""An interaction that runs in another process, or in none yet, as its readers here see it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from interplay.contracts.store import Store, StoredInteraction, StoreUnavailable
from interplay.interactions.changes import Changes
from interplay.interactions.frames import framed
from interplay.interactions.journal import Reader

_BACKSTOP_SECONDS = 0.5
"""News may be late or lost: this often one looks anyway."""

Replayed = Callable[[StoredInteraction], Awaitable[list[bytes]]]


class Followed:
    """Its frames as the store gets them, in the form in which a Journal shows its own.

    It looks into the store as long as it has readers. `lost` means that the interaction is gone.
    """

    def __init__(
        self,
        row: StoredInteraction,
        start: int,
        store: Store,
        changes: Changes,
        replayed: Replayed,
        over: Callable[[str], None],
    ) -> None:
        self.row = row
        self.base = start
        self.frames: list[bytes] = []
        self.readers: set[Reader] = set()
        self.ended = self.lost = False
        self._store, self._changes = store, changes
        self._replayed, self._over = replayed, over
        self._waiting: list[asyncio.Future[None]] = []
        self._pump: asyncio.Task[None] | None = None

    def observe(self) -> bool:
        """Begins to look."""
        if self._pump is None:
            self._pump = asyncio.create_task(self._run())
        return True

    async def wait_end(self) -> None:
        """Returns when the interaction has ended, or is gone."""
        self.observe()
        if not self.ended:
            future = asyncio.get_running_loop().create_future()
            self._waiting.append(future)
            await future

    async def _run(self) -> None:
        alone = False
        try:
            while not self.ended and not alone:
                news = self._changes.expect(self.row.id)
                try:
                    moved = await self._look()
                except StoreUnavailable:
                    moved = False  # it may be back soon; the reader waits meanwhile
                if moved:
                    self._tell()
                if not moved:
                    await self._changes.wait(news, self.row.id, _BACKSTOP_SECONDS)
                # Asked last: who comes while it waits is not left behind.
                alone = not self.readers and not self._waiting
        finally:
            self._over(self.row.id)
            if not self.ended:
                self.ended = self.lost = True
            self._tell()

    async def _look(self) -> bool:
        """Takes what is new; whether there was anything."""
        following = self.base + len(self.frames)
        events = await self._store.events(self.row.id, following - 1)
        if events:
            self.frames += [framed(data) for data in events]
            self._trim()
            return True
        stored = await self._store.get(self.row.id)
        if stored is None:
            self.ended = self.lost = True
        elif stored.steps is not None:
            self.frames += (await self._replayed(stored))[following:]
            # Who saw more of a foreground stream than was ever stored is told its end.
            terminal = self.base + len(self.frames) - 1
            for reader in self.readers:
                reader.position = min(reader.position, terminal)
            self.ended = True
        return self.ended

    def _trim(self) -> None:
        """Lets go of what everyone here has read; the store has it."""
        passed = min((reader.position for reader in self.readers), default=self.base)
        passed = min(passed, self.base + len(self.frames))  # one may wait for what is not there
        if passed > self.base:
            del self.frames[: passed - self.base]
            self.base = passed

    def _tell(self) -> None:
        for reader in self.readers:
            reader.ready()
        if self.ended:
            waiting, self._waiting = self._waiting, []
            for future in waiting:
                if not future.done():
                    future.set_result(None)
