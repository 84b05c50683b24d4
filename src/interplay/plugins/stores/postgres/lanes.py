"""Natural batching: while one statement runs, the next ones collect and go together."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from interplay.contracts.store import StoreUnavailable, StoreUnusable

Item = TypeVar("Item")
Answer = TypeVar("Answer")

_BATCH = 1_000
_BATCH_BYTES = 16 * 1024 * 1024

Run = Callable[[list[Item], float], Awaitable[list[Answer | Exception]]]
"""Does these, and answers what came of each, in their order; is given the time of the event loop
at which the first of them was asked for."""


class _Call(Generic[Item, Answer]):
    __slots__ = ("future", "item", "since")

    def __init__(self, item: Item, since: float, future: asyncio.Future[Answer]) -> None:
        self.item, self.since, self.future = item, since, future


class Lane(Generic[Item, Answer]):
    """Calls that share statements; no timer is involved, and a lone call goes at once.

    Of items with the same key one goes in a batch, the others follow in their order. What a batch
    raises, other than that the database is away or full, may be the fault of one: each of them is
    then tried alone.
    """

    def __init__(
        self, run: Run[Item, Answer], key: Callable[[Item], str], size: Callable[[Item], int]
    ) -> None:
        self._run, self._key, self._size = run, key, size
        self._waiting: deque[_Call[Item, Answer]] = deque()
        self._work: asyncio.Task[None] | None = None

    async def do(self, item: Item) -> Answer:
        """What came of the item, once its batch is committed."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Answer] = loop.create_future()
        self._waiting.append(_Call(item, loop.time(), future))
        if self._work is None:
            self._work = loop.create_task(self._drain())
        return await future

    async def close(self) -> None:
        """Returns when nothing is under way any more."""
        while self._work is not None:
            await asyncio.wait([self._work])

    async def _drain(self) -> None:
        batch: list[_Call[Item, Answer]] = []
        try:
            while self._waiting:
                batch = self._take()
                outcomes = await self._outcomes(batch)
                for call, outcome in zip(batch, outcomes, strict=True):
                    if call.future.done():
                        continue
                    if isinstance(outcome, Exception):
                        call.future.set_exception(outcome)
                    else:
                        call.future.set_result(outcome)
        finally:
            self._work = None
            for call in (*batch, *self._waiting):
                if not call.future.done():
                    call.future.set_exception(StoreUnusable("The store was closed."))
            self._waiting.clear()

    def _take(self) -> list[_Call[Item, Answer]]:
        """The next batch: whatever waits, each key once, nobody before another of his key."""
        batch: list[_Call[Item, Answer]] = []
        later: list[_Call[Item, Answer]] = []
        keys: set[str] = set()
        size = 0
        while self._waiting and len(batch) < _BATCH and size < _BATCH_BYTES:
            call = self._waiting.popleft()
            if call.future.done():
                continue  # its caller has given up
            key = self._key(call.item)
            if key in keys:
                later.append(call)
            else:
                keys.add(key)
                batch.append(call)
                size += self._size(call.item)
        self._waiting.extendleft(reversed(later))
        return batch

    async def _outcomes(self, batch: list[_Call[Item, Answer]]) -> list[Answer | Exception]:
        if not batch:
            return []
        try:
            return await self._run([call.item for call in batch], batch[0].since)
        except StoreUnavailable as error:
            return [type(error)(*error.args).with_traceback(error.__traceback__) for _ in batch]
        # The boundary between callers: the fault may be that of one of them alone.
        except Exception as error:  # noqa: BLE001 - handed on to its caller
            if len(batch) == 1:
                return [error]
        return [outcome for call in batch for outcome in await self._outcomes([call])]
