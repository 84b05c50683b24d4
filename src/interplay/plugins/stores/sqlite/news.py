"""What other processes have committed, told to those who watch."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Collection
from contextlib import suppress
from time import perf_counter, thread_time

from interplay.plugins.stores.sqlite.rows import SQL

Seen = Callable[[str | None], None]

_BUSY_PACE_SECONDS, _QUIET_PACE_SECONDS = 0.01, 0.03
_QUIET_AFTER_SECONDS = 1.0
_SHARE_OF_TIME = 0.05
"""However many rows there are, looking takes no more than this of the time."""


class News:
    """Looks at the file's own count of changes, which costs next to nothing, and only when it has
    moved at where the unended rows stand.

    The looks are made on the connection that writes: its own commits do not move its count.
    """

    def __init__(self) -> None:
        self._watching: list[tuple[asyncio.AbstractEventLoop, Seen]] = []
        self._version = -1
        self._standing: set[tuple[str, int]] = set()
        self._newest = 0
        self._looked = self._moved = -1e9
        self._cost = 0.0

    @property
    def watched(self) -> bool:
        """Whether anyone wants to know."""
        return bool(self._watching)

    @property
    def pause(self) -> float:
        """Seconds until the next look is due; none are left when it is."""
        now = perf_counter()
        quiet = now - self._moved > _QUIET_AFTER_SECONDS
        pace = _QUIET_PACE_SECONDS if quiet else _BUSY_PACE_SECONDS
        return max(0.0, self._looked + max(pace, self._cost / _SHARE_OF_TIME) - now)

    def watch(self, seen: Seen) -> None:
        """Adds one who wants to know, on the event loop that runs."""
        self._watching.append((asyncio.get_running_loop(), seen))

    def forget(self) -> None:
        """Nobody is told anything any more."""
        self._watching = []

    def tell(self, id: str) -> None:
        """News of this process itself; on an event loop."""
        for loop, seen in self._watching:
            if loop is asyncio.get_running_loop():
                seen(id)
            else:
                loop.call_soon_threadsafe(seen, id)

    def look(self, db: sqlite3.Cursor) -> None:
        """Tells of what has changed since the last look. In a thread."""
        # Time spent waiting for others is not what the look costs.
        began = thread_time()
        try:
            changed = self._changed(db)
        except sqlite3.OperationalError:
            # Another process is in the way: something may well have changed.
            changed = {None}
        now = perf_counter()
        if changed is not None:
            self._moved, self._cost = now, thread_time() - began
            for loop, seen in self._watching:
                # A loop that has closed has nobody left who watches.
                with suppress(RuntimeError):
                    loop.call_soon_threadsafe(_tell, seen, changed)
        self._looked = now

    def _changed(self, db: sqlite3.Cursor) -> Collection[str | None] | None:
        """Of whom there is news: of anyone at the first look; None when nobody else wrote."""
        version = db.execute(SQL["data_version"]).fetchall()[0][0]
        if version == self._version:
            return None
        first = self._version == -1
        standing = set(db.execute(SQL["standing"]).fetchall())
        # One that began and ended between two looks stood nowhere.
        newer = [] if first else db.execute(SQL["newer"], (self._newest,)).fetchall()
        changed: set[str | None] = {id for id, _ in standing ^ self._standing}
        changed.update(id for _, id in newer)
        if first:
            self._newest = db.execute(SQL["newest"]).fetchall()[0][0]
        elif newer:
            self._newest = newer[-1][0]
        self._version, self._standing = version, standing
        return {None} if first else changed


def _tell(seen: Seen, ids: Collection[str | None]) -> None:
    for id in ids:
        seen(id)
