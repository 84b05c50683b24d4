"""Jobs in memory that can be told to fail, for what no real store does when asked."""

from collections.abc import Collection, Mapping

import msgspec

from interplay.contracts.jobs import Job
from interplay.contracts.store import StoreAway


class Entry(msgspec.Struct):
    """A job and who has it."""

    job: Job
    taker: str = ""


class MemoryJobs:
    """One list, for dispatchers of one event loop.

    `away` makes every call fail; `unanswered` lets so many takes be committed and not answered;
    `fault` is raised by the next take.
    """

    def __init__(self) -> None:
        self.entries: dict[tuple[str, str], Entry] = {}
        self.calls = 0
        self.away = False
        self.unanswered = 0
        self.fault: Exception | None = None

    def _called(self) -> None:
        self.calls += 1
        if self.away:
            raise StoreAway("told to be away")

    def _owned(self, kind: str, id: str, executor: str) -> Entry | None:
        entry = self.entries.get((kind, id))
        return entry if entry is not None and entry.taker == executor else None

    def taker(self, id: str) -> str | None:
        """Who has the job `run` of this id; None when there is none."""
        entry = self.entries.get(("run", id))
        return entry.taker if entry is not None else None

    async def put(self, job: Job) -> bool:
        self._called()
        return self.entries.setdefault((job.kind, job.id), entry := Entry(job)) is entry

    async def take(self, places: Mapping[str, int], executor: str, now: float) -> list[Job]:
        self._called()
        if self.fault is not None:
            fault, self.fault = self.fault, None
            raise fault
        free = [entry for entry in self.entries.values() if not entry.taker]
        free = sorted((e for e in free if e.job.due <= now), key=lambda e: (e.job.tier, e.job.due))
        taken: list[Job] = []
        for kind, count in places.items():
            for entry in [entry for entry in free if entry.job.kind == kind][:count]:
                entry.taker = executor
                entry.job.tries += 1
                taken.append(entry.job)
        if self.unanswered:
            self.unanswered -= 1
            raise StoreAway("told not to answer")
        return taken

    async def done(self, kind: str, id: str, executor: str) -> None:
        self._called()
        if self._owned(kind, id, executor):
            del self.entries[kind, id]

    async def again(self, kind: str, id: str, executor: str, due: float) -> None:
        self._called()
        if entry := self._owned(kind, id, executor):
            entry.taker, entry.job.due = "", due

    async def free(self, executors: Collection[str]) -> int:
        self._called()
        theirs = [entry for entry in self.entries.values() if entry.taker in executors]
        for entry in theirs:
            entry.taker = ""
        return len(theirs)

    async def drop(self, kind: str, id: str) -> None:
        self._called()
        self.entries.pop((kind, id), None)

    async def next(self, kinds: Collection[str]) -> float | None:
        self._called()
        free = (entry.job for entry in self.entries.values() if not entry.taker)
        return min((job.due for job in free if job.kind in kinds), default=None)

    async def takers(self) -> set[str]:
        self._called()
        return {entry.taker for entry in self.entries.values() if entry.taker}

    async def waiting(self, kind: str) -> int:
        self._called()
        return sum(e.job.kind == kind and not e.taker for e in self.entries.values())
