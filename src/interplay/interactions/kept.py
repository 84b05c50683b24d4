"""The row of one interaction in the store, as its one writer holds it."""

from __future__ import annotations

from interplay.contracts.store import Ending, Gone, NewInteraction, Store
from interplay.interactions.fold import Fold
from interplay.interactions.frames import data_of
from interplay.interactions.media import Media
from interplay.wire.usage import InteractionStatus


class Kept:
    """Created once, then appended to behind the fence of its epoch.

    What the store raises goes through: Fenced, Gone, StoreUnavailable.
    """

    def __init__(self, row: NewInteraction, store: Store, media: Media) -> None:
        self.row, self.store, self._media = row, store, media
        self.epoch, self.committed, self.there = 1, 0, False

    async def first(self) -> None:
        """Stores the row before anything else. Raises Gone, KeyError; nothing is kept then."""
        try:
            await self.store.create(self.row)
        finally:
            self.arrived()
        self.there = True

    async def append(self, batch: list[bytes], status: InteractionStatus | None) -> None:
        """Commits the frames that come next."""
        if not self.there:
            await self._create(None)
            self.there = True
        data = [data_of(frame) for frame in batch]
        await self.store.append(self.row.id, self.epoch, self.committed - 1, data, status=status)
        self.committed += len(batch)

    async def end(self, ending: Ending, fold: Fold, frames: list[bytes]) -> None:
        """Commits the end, with the frames that have not been committed."""
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
