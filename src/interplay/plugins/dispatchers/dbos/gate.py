"""When DBOS looks for work: when there is some.

DBOS asks for work of each kind several times a second, which costs more than it brings while
nobody has any. So it is told that there is no place, unless it pays to look.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import ClassVar

LOOK = 2.0
"""Seconds between two looks without news."""
SHUT_SECONDS = 1.0
"""The last look of each kind is over after this, unless the database is away."""


def _none(kind: str) -> int:
    """The free places of who takes no more work."""
    return 0


class Gate:
    """Stands between the places and DBOS, which asks from threads of its own. News come from
    whoever submits, and from the reaper for what became due."""

    LIMITLESS: ClassVar[int] = 1_000_000
    """How many jobs of a kind DBOS may run in a process as far as its queues say."""

    def __init__(self, free: Callable[[str], int]) -> None:
        self._free = free
        self._next: dict[str, float] = {}
        self._looking: set[str] = set()

    def look(self, kind: str | None) -> None:
        """There may be work of a kind, or a place; None: of any."""
        for name in list(self._next) if kind is None else [kind]:
            self._next[name] = 0.0

    def count(self, kind: str) -> int:
        """What DBOS is told to run already of a kind: asked once before each look."""
        now = time.monotonic()
        if now < self._next.get(kind, 0.0):
            free = 0
        else:
            self._next[kind] = now + LOOK
            free = max(0, self._free(kind))
        (self._looking.add if free else self._looking.discard)(kind)
        return self.LIMITLESS - free

    async def shut(self) -> None:
        """There are no places any more; returns when the last look is over. What was taken by a
        look would hang when DBOS ended meanwhile."""
        self._free = _none
        deadline = time.monotonic() + SHUT_SECONDS
        while self._looking and time.monotonic() < deadline:  # noqa: ASYNC110 - asked by threads
            await asyncio.sleep(0.02)
