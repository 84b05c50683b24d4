"""ManualClock: a clock that stands still until the test moves it."""

from __future__ import annotations


class ManualClock:
    """Unix seconds that only `advance` moves."""

    def __init__(self, start: float = 1_800_000_000.0) -> None:
        self._now = start

    def now(self) -> float:
        """The time in Unix seconds."""
        return self._now

    __call__ = now

    def advance(self, seconds: float) -> float:
        """Moves the clock forward and answers the new time; backwards is a ValueError."""
        if seconds < 0:
            raise ValueError("A clock does not go back.")
        self._now += seconds
        return self._now
