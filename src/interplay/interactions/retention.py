"""Keeps the promise of how long interactions are kept, and sweeps what is left over."""

from __future__ import annotations

import asyncio
import logging
import time

from interplay.contracts.failure import Failure
from interplay.contracts.store import Gone, Store, StoreUnavailable, StoreUnusable
from interplay.interactions.history import History
from interplay.interactions.media import Media
from interplay.interactions.retries import Retries

log = logging.getLogger("interplay.retention")

_BATCH = 200
_BLOBS_FIRST, _BLOBS_EVERY = 60.0, 3_600.0
_BLOB_IDLE = 3_600.0
"""A blob nobody refers to stays this long: its row may be on the way. All in seconds."""


class Retention:
    """The sweeper: one pass every `seconds`."""

    def __init__(
        self,
        store: Store,
        media: Media,
        history: History,
        retries: Retries,
        seconds: float = 10.0,
    ) -> None:
        self._store, self._media = store, media
        self._history, self._retries = history, retries
        self._seconds = seconds

    async def run(self) -> None:
        """Sweeps until cancelled."""
        next_blobs = time.monotonic() + _BLOBS_FIRST
        while True:
            await asyncio.sleep(self._seconds)
            self._retries.sweep()
            try:
                await self.sweep(time.time())
                if time.monotonic() >= next_blobs:
                    next_blobs = time.monotonic() + _BLOBS_EVERY
                    await self.sweep_blobs()
            except StoreUnavailable as error:
                log.warning("expired interactions stay for now: %s", error)
            except (StoreUnusable, Failure) as error:
                log.error("expired interactions stay for now: %s", error)

    async def sweep(self, now: float) -> int:
        """Deletes what has expired by `now` (Unix seconds); answers how many interactions."""
        count = 0
        while await self._store.records.sweep(now, _BATCH) == _BATCH:
            pass
        while True:
            expired = await self._store.expired(now, _BATCH)
            for id in expired:
                try:
                    await self._media.forget(await self._store.delete(id))
                    count += 1
                except Gone:
                    continue
            if expired:
                self._history.clear()
            if len(expired) < _BATCH:
                return count

    async def sweep_blobs(self, idle: float = _BLOB_IDLE) -> int:
        """Removes blobs without a row, left by a process that died between the two; answers how
        many."""
        count = 0
        names = await self._media.names(idle)
        for start in range(0, len(names), _BATCH):
            orphans = await self._store.unreferenced(names[start : start + _BATCH])
            await self._media.forget(orphans, idle=idle)
            count += len(orphans)
        return count
