"""Keeps the promise of how long interactions are kept, and sweeps what is left over."""

from __future__ import annotations

import asyncio
import logging
import time

from interplay.contracts.store import Gone, Store, StoreFull
from interplay.interactions.history import History
from interplay.interactions.media import Media
from interplay.interactions.retries import Retries

log = logging.getLogger("interplay.retention")

_BATCH = 200


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
        while True:
            await asyncio.sleep(self._seconds)
            self._retries.sweep()
            try:
                await self.sweep(time.time())
            except StoreFull:
                log.warning("disk full: expired interactions stay for now")

    async def sweep(self, now: float) -> int:
        """Deletes what has expired by `now` (Unix seconds); answers how many."""
        count = 0
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
