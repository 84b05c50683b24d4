"""The row of one interaction in the store, as its one writer holds it."""

from __future__ import annotations

import asyncio

import msgspec

from interplay.contracts.failpoint import reached
from interplay.contracts.store import (
    Ending,
    Fenced,
    Gone,
    NewInteraction,
    Store,
    StoreAway,
    StoreUnavailable,
)
from interplay.interactions.fold import Fold
from interplay.interactions.frames import data_of
from interplay.interactions.media import Media
from interplay.interactions.outbox import Outbox
from interplay.wire.errors import Error
from interplay.wire.usage import InteractionStatus

PAUSE, LONGEST_PAUSE = 0.05, 2.0
"""Seconds between two tries while the store takes nothing."""


class Kept:
    """Created once, then appended to behind the fence of its epoch.

    What the store raises goes through: Fenced, Gone, StoreUnavailable.
    """

    def __init__(
        self, row: NewInteraction, store: Store, media: Media, outbox: Outbox | None = None
    ) -> None:
        self.row, self.store, self._media, self._outbox = row, store, media, outbox
        self.epoch, self.committed, self.there = 1, 0, False
        self.in_doubt = False
        """A commit was not answered; see `landed`."""

    async def first(self) -> None:
        """Stores the row before anything else. Raises Gone, KeyError; nothing is kept then."""
        try:
            await self.store.create(self.row)
        except StoreAway:
            # Not answered is not refused: a row nobody was told of would be run by nobody.
            if await self.store.get(self.row.id) is None:
                raise
        finally:
            self.arrived()
        self.there = True

    async def append(self, batch: list[bytes], status: InteractionStatus | None) -> None:
        """Commits the frames that come next."""
        if not self.there:
            await self._create(None)
            self.there = True
        data, last = [data_of(frame) for frame in batch], self.committed - 1
        try:
            await self.store.append(self.row.id, self.epoch, last, data, status=status)
        except StoreAway:
            self.in_doubt = True
            raise
        self.committed += len(batch)

    async def landed(self) -> int:
        """After a commit that nobody answered: how many of the frames that come next are stored
        all the same. More may wait since, so that the same append cannot just be made again."""
        stored = await self.store.get(self.row.id)
        if stored is None:
            raise Gone(self.row.id)
        if stored.epoch != self.epoch:
            raise Fenced(self.row.id)
        self.in_doubt = False
        landed = stored.last + 1 - self.committed
        self.committed += landed
        return landed

    async def finish(
        self,
        ending: Ending,
        fold: Fold,
        frames: list[bytes],
        errors: list[Error],
        *,
        patient: bool,
    ) -> StoreUnavailable | None:
        """Commits the end, with the frames that have not been committed and what it sets off;
        answers why it could not. `patient`: there is a row that must not stay as it is, so it
        waits until it can."""
        delay = PAUSE
        while True:
            try:
                if self.in_doubt:
                    frames = frames[await self.landed() :]
                await self._finish(ending, fold, frames, errors)
            except StoreUnavailable as error:
                if not self.there:
                    self.arrived()
                if not patient:
                    return error
            else:
                return None
            await asyncio.sleep(delay)
            delay = min(delay * 2, LONGEST_PAUSE)

    async def _finish(
        self, ending: Ending, fold: Fold, frames: list[bytes], errors: list[Error]
    ) -> None:
        row, outbox = self.row, self._outbox if self.row.background else None
        records = []
        if outbox is not None:
            records = await outbox.records(row, ending.status, ending.updated, errors)
        if records or fold.media:  # the answer is made of the steps without references
            ending = msgspec.structs.replace(ending, records=records)
        reached("ending")
        await self._end(ending, fold, frames)
        reached("ended")
        if records and outbox is not None:
            outbox.committed(records)

    async def _end(self, ending: Ending, fold: Fold, frames: list[bytes]) -> None:
        blobs: list[str] = []
        try:
            if fold.media:
                ending.steps, blobs = await self._media.keep(fold.steps)
                ending.blobs = blobs
            if not self.there:
                await self._create(ending)
                return
            data = [data_of(frame) for frame in frames]
            last = self.committed - 1
            await self.store.append(
                self.row.id, self.epoch, last, data, status=ending.status, ending=ending
            )
        finally:
            self._media.release(blobs)

    async def _create(self, ending: Ending | None) -> None:
        try:
            await self.store.create(self.row, ending)
        except Gone:
            # The parent was deleted while this ran: what was made is kept, as a root.
            self.row.parent = None
            await self.store.create(self.row, ending)
        self.arrived()

    def arrived(self) -> None:
        """The input's blobs have a row that refers to them, or never will."""
        self._media.release(self.row.blobs)
        self.row.blobs = []
