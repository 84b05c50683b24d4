"""Jobs in the same database as the interactions."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any
from uuid import uuid4

from interplay.contracts.jobs import Job
from interplay.plugins.stores.postgres.link import Link
from interplay.plugins.stores.postgres.rows import SQL, millis, stored, told


class PostgresJobs:
    """See the contract. Who takes jobs locks their rows; what others are just taking is skipped."""

    def __init__(self, link: Link) -> None:
        self._link = link

    async def put(self, job: Job) -> bool:
        """Adds a job; False when it is there."""
        values = stored(job.kind), stored(job.id), millis(job.due), job.tier, job.tries
        return bool(await self._link.fetch(SQL["put_job"], *values))

    async def take(self, places: Mapping[str, int], executor: str, now: float) -> list[Job]:
        """Takes jobs that are due."""
        wanted = {stored(kind): free for kind, free in places.items() if free > 0}
        if not wanted:
            return []
        holder, ticket = stored(executor), uuid4().hex
        given = [*wanted], [*wanted.values()], holder, millis(now), ticket

        async def work(connection: Any, again: bool) -> list[Job]:
            if again:
                rows = await connection.fetch(SQL["taken_with"], holder, ticket)
                if rows:
                    return [_job(row) for row in rows]
            return [_job(row) for row in await connection.fetch(SQL["take_jobs"], *given)]

        # The rows come back in any order.
        return sorted(await self._link.do(work), key=lambda job: (job.kind, job.tier, job.due))

    async def done(self, kind: str, id: str, executor: str) -> None:
        """Removes one's own job."""
        await self._link.fetch(SQL["delete_own_job"], stored(kind), stored(id), stored(executor))

    async def again(self, kind: str, id: str, executor: str, due: float) -> None:
        """Gives one's own job back for a time."""
        own = stored(kind), stored(id), stored(executor)
        await self._link.fetch(SQL["give_back_job"], *own, millis(due))

    async def free(self, executors: Collection[str]) -> int:
        """Makes what these have taken nobody's."""
        if not executors:
            return 0
        return len(await self._link.fetch(SQL["free_jobs"], [stored(one) for one in executors]))

    async def drop(self, kind: str, id: str) -> None:
        """Removes a job."""
        await self._link.fetch(SQL["delete_job"], stored(kind), stored(id))

    async def next(self, kinds: Collection[str]) -> float | None:
        """When the first free job of these kinds is due."""
        if not kinds:
            return None
        due = (await self._link.fetch(SQL["next_due"], [stored(kind) for kind in kinds]))[0][0]
        return None if due is None else due / 1000

    async def takers(self) -> set[str]:
        """Who has jobs."""
        return {told(row[0]) for row in await self._link.fetch(SQL["takers"])}

    async def waiting(self, kind: str) -> int:
        """How many jobs of a kind are nobody's."""
        return (await self._link.fetch(SQL["count_waiting"], stored(kind)))[0][0]


def _job(row: Any) -> Job:
    kind, id, due, tier, tries = row
    return Job(kind=told(kind), id=told(id), due=due / 1000, tier=tier, tries=tries)
