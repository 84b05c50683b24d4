"""Natural batching: while one statement runs, the next ones collect and go together."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from interplay.contracts.store import StoreUnavailable, StoreUnusable

Item = TypeVar("Item")

_BATCH = 1_000
_BATCH_BYTES = 16 * 1024 * 1024

Outcome = Exception | None
Run = Callable[[list[Item], float], Awaitable[list[Outcome]]]
"""Does these, and answers what came of each, in their order; is given the time of the event loop
at which the first of them was asked for."""


class Lane(Generic[Item]):
    """Calls that share statements; no timer is involved, and a lone call goes at once.

    Of items with the same key one goes in a batch, the others follow in their order. What a batch
    raises, other than that the database is away or full, may be the fault of one: each of them is
    then tried alone.
    """

    def __init__(
        self, run: Run[Item], key: Callable[[Item], str], size: Callable[[Item], int]
    ) -> None:
        self._run, self._key, self._size = run, key, size
        self._waiting: deque[tuple[Item, float, asyncio.Future[None]]] = deque()
        self._work: asyncio.Task[None] | None = None

    async def do(self, item: Item) -> None:
        """Returns when the item's batch is committed, or raises what came of the item."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        self._waiting.append((item, loop.time(), future))
        if self._work is None:
            self._work = loop.create_task(self._drain())
        await future

    async def close(self) -> None:
        """Returns when nothing is under way any more."""
        while self._work is not None:
            await asyncio.wait([self._work])

    async def _drain(self) -> None:
        batch: list[tuple[Item, float, asyncio.Future[None]]] = []
        try:
            while self._waiting:
                batch = self._take()
                outcomes = await self._outcomes([item for item, _, _ in batch], batch[0][1])
                for (_, _, future), outcome in zip(batch, outcomes, strict=True):
                    if future.done():
                        continue
                    if outcome is None:
                        future.set_result(None)
                    else:
                        future.set_exception(outcome)
        finally:
            self._work = None
            for _, _, future in (*batch, *self._waiting):
                if not future.done():
                    future.set_exception(StoreUnusable("The store was closed."))
            self._waiting.clear()

    def _take(self) -> list[tuple[Item, float, asyncio.Future[None]]]:
        """The next batch: whatever waits, each key once, nobody before another of his key."""
        batch: list[tuple[Item, float, asyncio.Future[None]]] = []
        later: list[tuple[Item, float, asyncio.Future[None]]] = []
        keys: set[str] = set()
        size = 0
        while self._waiting and len(batch) < _BATCH and size < _BATCH_BYTES:
            one = self._waiting.popleft()
            if one[2].done():
                continue  # its caller has given up
            key = self._key(one[0])
            if key in keys:
                later.append(one)
            else:
                keys.add(key)
                batch.append(one)
                size += self._size(one[0])
        self._waiting.extendleft(reversed(later))
        return batch

    async def _outcomes(self, items: list[Item], since: float) -> list[Outcome]:
        try:
            return await self._run(items, since) if items else []
        except StoreUnavailable as error:
            return [type(error)(*error.args).with_traceback(error.__traceback__) for _ in items]
        # The boundary between callers: the fault may be that of one of them alone.
        except Exception as error:  # noqa: BLE001 - handed on to its caller
            if len(items) == 1:
                return [error]
        return [outcome for item in items for outcome in await self._outcomes([item], since)]
