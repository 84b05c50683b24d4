"""Jobs in the same file as the interactions, behind the same threads."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator, Mapping

from interplay.contracts.jobs import Job
from interplay.plugins.stores.sqlite.rows import SQL, millis
from interplay.plugins.stores.sqlite.threads import Do


class SqliteJobs:
    """See the contract. Each write runs in a transaction that no other process shares its time
    with, so a job that is seen free is taken by nobody else."""

    def __init__(self, write: Do, read: Do) -> None:
        self._write, self._read = write, read

    async def put(self, job: Job) -> bool:
        """Adds a job; False when it is there."""
        return await self._write(put, job)

    async def take(self, places: Mapping[str, int], executor: str, now: float) -> list[Job]:
        """Takes jobs that are due."""
        return await self._write(take, dict(places), executor, now)

    async def done(self, kind: str, id: str, executor: str) -> None:
        """Removes one's own job."""
        await self._write(done, kind, id, executor)

    async def again(self, kind: str, id: str, executor: str, due: float) -> None:
        """Gives one's own job back for a time."""
        await self._write(again, kind, id, executor, due)

    async def free(self, executors: Collection[str]) -> int:
        """Makes what these have taken nobody's."""
        return await self._write(free, list(executors)) if executors else 0

    async def drop(self, kind: str, id: str) -> None:
        """Removes a job."""
        await self._write(drop, kind, id)

    async def next(self, kinds: Collection[str]) -> float | None:
        """When the first free job of these kinds is due."""
        return await self._read(next_due, list(kinds))

    async def takers(self) -> set[str]:
        """Who has jobs."""
        return await self._read(takers)

    async def waiting(self, kind: str) -> int:
        """How many jobs of a kind are nobody's."""
        return await self._read(waiting, kind)


def put(db: sqlite3.Cursor, job: Job) -> bool:
    """Adds a job; False when it is there."""
    values = (job.kind, job.id, millis(job.due), job.tier, job.tries)
    return db.execute(SQL["put_job"], values).rowcount > 0


def take(db: sqlite3.Cursor, places: dict[str, int], executor: str, now: float) -> list[Job]:
    """Takes jobs that are due and nobody's."""
    taken: list[Job] = []
    for kind, free in places.items():
        for tier in _tiers(db, kind):
            if free <= 0:
                break
            rows = db.execute(SQL["due_jobs"], (kind, tier, millis(now), free)).fetchall()
            free -= len(rows)
            for id, due, tries in rows:
                db.execute(SQL["take_job"], (executor, kind, id))
                job = Job(kind=kind, id=id, due=due / 1000, tier=tier, tries=tries + 1)
                taken.append(job)
    return taken


def done(db: sqlite3.Cursor, kind: str, id: str, executor: str) -> None:
    """Removes a job of this executor."""
    db.execute(SQL["delete_own_job"], (kind, id, executor))


def again(db: sqlite3.Cursor, kind: str, id: str, executor: str, due: float) -> None:
    """Makes a job of this executor nobody's, for a time."""
    db.execute(SQL["give_back_job"], (millis(due), kind, id, executor))


def free(db: sqlite3.Cursor, executors: list[str]) -> int:
    """Makes the jobs of these executors nobody's; how many."""
    return sum(db.execute(SQL["free_jobs"], (one,)).rowcount for one in executors)


def drop(db: sqlite3.Cursor, kind: str, id: str) -> None:
    """Removes a job."""
    db.execute(SQL["delete_job"], (kind, id))


def next_due(db: sqlite3.Cursor, kinds: list[str]) -> float | None:
    """When the first free job of these kinds is due, in Unix seconds."""
    firsts = [db.execute(SQL["next_due"], {"kind": kind}).fetchall()[0][0] for kind in kinds]
    dues = [due for due in firsts if due is not None]
    return min(dues) / 1000 if dues else None


def takers(db: sqlite3.Cursor) -> set[str]:
    """Who has jobs."""
    return {row[0] for row in db.execute(SQL["takers"]).fetchall()}


def waiting(db: sqlite3.Cursor, kind: str) -> int:
    """How many jobs of a kind are nobody's."""
    return db.execute(SQL["count_waiting"], (kind,)).fetchall()[0][0]


def _tiers(db: sqlite3.Cursor, kind: str) -> Iterator[int]:
    """The tiers with free jobs, lowest first: each is a range of the index of its own, so that
    jobs of later times are not walked over."""
    tier = -(2**63)
    while True:
        tier = db.execute(SQL["first_tier"], (kind, tier)).fetchall()[0][0]
        if tier is None:
            return
        yield tier
