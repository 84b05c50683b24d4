"""The dispatcher: takes jobs from the store's list while there are places, and does them."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Mapping
from pathlib import Path

from interplay.contracts.dispatcher import Handler
from interplay.contracts.jobs import Job, Jobs
from interplay.contracts.store import StoreAway, StoreUnavailable
from interplay.plugins.dispatchers.local.doing import Doing

log = logging.getLogger("interplay.dispatcher")

_POLL_SECONDS = 0.1
_REAP_SECONDS = 0.5
_MISSED_SECONDS = 0.02
_LONGEST_REST_SECONDS = 30.0
"""A wall clock that was set forward makes a job late by no more than this."""
_STORE_PAUSE, _STORE_LONGEST_PAUSE = 0.1, 2.0
_FAILED_PAUSE, _FAILED_LONGEST_PAUSE = 0.25, 60.0
_KNOWN_FAILURES = 1_000


class LocalDispatcher:
    """Jobs of the processes that share one store on one machine.

    Alone (`shared` is false) it rests until something is submitted or due, and whoever took a job
    before is dead, as the store has one process at a time. Shared, it looks for jobs of others
    every tenth of a second and for dead processes every half.
    """

    def __init__(
        self,
        *,
        jobs: Jobs,
        folder: Path,
        database: str = "",
        shared: bool = False,
        silence: float = 30.0,
    ) -> None:
        self.executor = f"{os.getpid()}-{secrets.token_hex(6)}"
        self._jobs, self._shared, self._silence = jobs, shared, silence
        self._executors = None
        if shared:
            # Not there on every system, and without others nobody asks.
            from interplay.plugins.dispatchers.local.executors import Executors

            self._executors = Executors(folder / "executors", self.executor, silence)
        self._handlers: Mapping[str, Handler] = {}
        self._places: Mapping[str, int] = {}
        self._taken: Counter[str] = Counter()
        self._doing: dict[tuple[str, str], Doing] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._failures: dict[tuple[str, str], int] = {}
        self._wake, self._stopped = asyncio.Event(), asyncio.Event()
        self._taking = asyncio.Lock()
        self._in_doubt = False
        self._reaped = 0.0
        self._life: asyncio.Task[None] | None = None
        self._pulse: asyncio.TimerHandle | None = None

    async def open(self) -> None:
        """Makes this executor known, where others look. Raises StoreUnusable."""
        if self._executors is not None:
            self._executors.open()
            self._beat()

    def work(self, handlers: Mapping[str, Handler], places: Mapping[str, int]) -> None:
        """Begins to take jobs."""
        if self._life is not None:
            raise RuntimeError("This dispatcher works already.")
        self._handlers, self._places = dict(handlers), dict(places)
        self._life = asyncio.get_running_loop().create_task(self._live())

    def occupy(self, kind: str, places: int) -> None:
        """Counts work that is done without a job."""
        self._taken[kind] += places
        if places < 0:
            self._wake.set()

    async def submit(self, kind: str, id: str, *, due: float = 0.0, tier: int = 1) -> None:
        """Hands over a job. Raises StoreUnavailable."""
        if await self._jobs.put(Job(kind=kind, id=id, due=due, tier=tier)):
            self._wake.set()

    async def cancel(self, kind: str, id: str) -> None:
        """Forgets a job, and stops it when it is being done here. Raises StoreUnavailable."""
        async with self._taking:  # no job is between the store and its handler
            await self._jobs.drop(kind, id)
            doing = self._doing.get((kind, id))
            if doing is not None:
                doing.stop()

    async def waiting(self, kind: str) -> int:
        """How many jobs of a kind nobody has taken. Raises StoreUnavailable."""
        return await self._jobs.waiting(kind)

    async def dead(self, executors: Collection[str]) -> set[str]:
        """Those that run no more."""
        others = set(executors) - {"", self.executor}
        return others if self._executors is None else self._executors.dead(others)

    async def drain(self) -> None:
        """Takes no more jobs and hands back what is being done here."""
        self._stopped.set()
        self._wake.set()
        if self._life is None:
            return
        alone = await _within(0.4, self._taking.acquire())
        try:
            for doing in self._doing.values():
                doing.stop()
            if self._tasks:
                await asyncio.wait(self._tasks, timeout=1.0)
            if not await _within(0.5, self._free_mine()):
                log.warning("jobs could not be handed back; others take them when this has ended")
        finally:
            if alone:
                self._taking.release()

    async def close(self) -> None:
        """Drains, and counts as dead from now on."""
        if not self._stopped.is_set():
            await self.drain()
        if self._life is not None:
            self._life.cancel()
            await asyncio.wait([self._life])
        if self._pulse is not None:
            self._pulse.cancel()
        if self._executors is not None:
            self._executors.close()

    def _beat(self) -> None:
        assert self._executors is not None
        try:
            self._executors.beat()
        except OSError as error:
            log.warning("no sign of life could be given: %s", error)
        self._pulse = asyncio.get_running_loop().call_later(self._silence / 6, self._beat)

    async def _live(self) -> None:
        pause = _STORE_PAUSE
        while not self._stopped.is_set():
            try:
                await self._rest(await self._round())
                pause = _STORE_PAUSE
                continue
            except StoreUnavailable as error:
                log.warning("no jobs can be taken: %s", error)
            except Exception:
                # A fault here must not end it: nothing would be done from then on.
                log.exception("taking jobs failed")
            await _within(pause, self._stopped.wait())
            pause = min(pause * 2, _STORE_LONGEST_PAUSE)

    async def _rest(self, seconds: float | None) -> None:
        if seconds is None:
            await self._wake.wait()
        elif seconds > 0:
            await _within(seconds, self._wake.wait())

    async def _round(self) -> float | None:
        """Takes what can be taken; answers the seconds until there may be more (None: until
        something happens here)."""
        self._wake.clear()
        await self._reap()
        wait = _POLL_SECONDS if self._shared else None
        free = self._free()
        due = await self._jobs.next(free) if free else None
        if due is None:
            return wait
        now = time.time()
        if due > now:
            until = min(due - now, _LONGEST_REST_SECONDS)
            return until if wait is None else min(until, wait)
        return 0.0 if await self._take(free, now) else _MISSED_SECONDS

    def _free(self) -> dict[str, int]:
        free = {kind: places - self._taken[kind] for kind, places in self._places.items()}
        return {kind: count for kind, count in free.items() if count > 0}

    async def _take(self, free: Mapping[str, int], now: float) -> int:
        async with self._taking:
            if self._stopped.is_set():
                return 0
            try:
                jobs = await self._jobs.take(free, self.executor, now)
            except StoreAway:
                self._in_doubt = True
                raise
            if self._stopped.is_set():
                await self._free_mine()
                return 0
            for job in jobs:
                self._begin(job)
            return len(jobs)

    async def _reap(self) -> None:
        """Frees the jobs of the dead, and all own ones when some may be taken and not known here:
        those that are being done here are just taken again."""
        if self._in_doubt:
            await self._jobs.free([self.executor])
            self._in_doubt = False
        now = time.monotonic()
        if self._reaped and (not self._shared or now - self._reaped < _REAP_SECONDS):
            return
        takers = await self._jobs.takers() - {self.executor}
        gone = await self.dead(takers) if takers else set[str]()
        if gone:
            freed = await self._jobs.free(gone)
            log.info("%d jobs of processes that ended are free again", freed)
        self._reaped = now

    async def _free_mine(self) -> None:
        await _insist(lambda: self._jobs.free([self.executor]))

    def _begin(self, job: Job) -> None:
        before = self._doing.get((job.kind, job.id))
        if before is not None and not before.stopped:
            return  # others took this process for dead; now the job is its own again
        doing = Doing()
        self._doing[job.kind, job.id] = doing
        self._taken[job.kind] += 1
        task = asyncio.get_running_loop().create_task(self._do(job, doing, before))
        doing.task = task
        self._tasks.add(task)
        # Not inside the task: one that is cancelled before its first step runs nothing at all.
        task.add_done_callback(lambda task: self._left(job, doing, task))

    def _left(self, job: Job, doing: Doing, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if self._doing.get((job.kind, job.id)) is doing:
            del self._doing[job.kind, job.id]
        self._taken[job.kind] -= 1
        self._wake.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a job was not given back: %r", error, exc_info=error)
            self._in_doubt = True

    async def _do(self, job: Job, doing: Doing, before: Doing | None) -> None:
        if before is not None and before.task is not None:
            await asyncio.wait([before.task])
        due = await self._call(job, doing)
        if doing.stopped:
            return
        if due is None:
            await _insist(lambda: self._jobs.done(job.kind, job.id, self.executor))
        else:
            await _insist(lambda: self._jobs.again(job.kind, job.id, self.executor, due))

    async def _call(self, job: Job, doing: Doing) -> float | None:
        key = (job.kind, job.id)
        try:
            due = await self._handlers[job.kind](job.id)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if doing.stopped or (task is not None and task.cancelling()):
                raise
            log.warning("a job stopped itself", extra={"kind": job.kind, "id": job.id})
        except Exception:
            # The boundary of a job: whatever broke in it concerns no other.
            log.exception("a job failed", extra={"kind": job.kind, "id": job.id})
        else:
            self._failures.pop(key, None)
            return due
        failures = self._failures.pop(key, 0)
        self._failures[key] = failures + 1
        if len(self._failures) > _KNOWN_FAILURES:
            del self._failures[next(iter(self._failures))]
        return time.time() + min(_FAILED_PAUSE * 2 ** min(failures, 16), _FAILED_LONGEST_PAUSE)


async def _insist(call: Callable[[], Awaitable[object]]) -> None:
    """Makes a call until the store is there: a job that is not given back is stuck."""
    pause = _STORE_PAUSE
    while True:
        try:
            await call()
            return
        except StoreUnavailable as error:
            log.warning("a job cannot be given back yet: %s", error)
        await asyncio.sleep(pause)
        pause = min(pause * 2, _STORE_LONGEST_PAUSE)


async def _within(seconds: float, waiting: Awaitable[object]) -> bool:
    """Whether it came to its end in this time; what did not is cancelled."""
    try:
        async with asyncio.timeout(seconds):
            await waiting
    except TimeoutError:
        return False
    return True
