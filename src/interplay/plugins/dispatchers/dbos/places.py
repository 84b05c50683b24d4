"""How many jobs of each kind may be done here at a time."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Mapping


class NoPlace(Exception):
    """No place came free in time, or none will: the job is for others."""


class Places:
    """Places of each kind, and who waits for one. All but `free` belongs to the event loop."""

    def __init__(self) -> None:
        self._places: Mapping[str, int] = {}
        self._taken: Counter[str] = Counter()
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}

    def begin(self, places: Mapping[str, int]) -> None:
        """There are so many places from now on."""
        self._places = dict(places)

    def end(self) -> None:
        """There are no places any more, and who waits for one need not wait on."""
        self._places = {}
        for waiting in self._waiting.values():
            for future in waiting:
                if not future.done():
                    future.set_exception(NoPlace())

    def free(self, kind: str) -> int:
        """How many more jobs of a kind may begin; may be asked from any thread."""
        waiting = len(self._waiting.get(kind, ()))
        return max(0, self._places.get(kind, 0) - self._taken[kind] - waiting)

    def occupy(self, kind: str, places: int) -> None:
        """Takes places without a job, or gives them back."""
        self._taken[kind] += places
        self._let_in(kind)

    async def take(self, kind: str, seconds: float) -> None:
        """Takes one place. Raises NoPlace when none comes free in so many seconds."""
        waiting = self._waiting.setdefault(kind, deque())
        if not waiting and self._taken[kind] < self._places.get(kind, 0):
            self._taken[kind] += 1
            return
        if kind not in self._places:
            raise NoPlace
        future = asyncio.get_running_loop().create_future()
        waiting.append(future)
        try:
            async with asyncio.timeout(seconds):
                await future
        except (TimeoutError, asyncio.CancelledError) as error:
            if future.done() and not future.cancelled() and future.exception() is None:
                self.occupy(kind, -1)
            if isinstance(error, TimeoutError):
                raise NoPlace from error
            raise
        finally:
            if future in waiting:
                waiting.remove(future)

    def _let_in(self, kind: str) -> None:
        waiting = self._waiting.get(kind, ())
        while waiting and self._taken[kind] < self._places.get(kind, 0):
            future = waiting.popleft()  # pyright: ignore
            if not future.done():
                self._taken[kind] += 1
                future.set_result(None)
