"""Which jobs there are: one row for each kind and id, and what carries it."""

from __future__ import annotations

import uuid
from collections.abc import Collection

import msgspec

from interplay.plugins.dispatchers.dbos.link import Link

LONGEST_PAUSE = 300.0
"""Seconds between two tries of a job whose handler raises, at most."""


def pause_after(tries: int) -> float:
    """Seconds to wait after so many tries in a row that raised."""
    return min(LONGEST_PAUSE, 2.0 * 2 ** (min(tries, 30) - 1))


class Carried(msgspec.Struct, frozen=True):
    """A job, and the workflow of DBOS that carries it."""

    kind: str
    id: str
    workflow: str


class Ledger:
    """The rows, over a link. A workflow counts only while the row names it, and an executor may
    change the row only while it is the one that took the job: whoever was superseded changes
    nothing."""

    def __init__(self, link: Link, executor: str) -> None:
        self._link = link
        self._executor = executor

    async def put(self, kind: str, id: str, *, due: float, tier: int) -> None:
        """Adds a job, unless it is there. Raises StoreAway."""
        await self._link.fetch("put", kind, id, str(uuid.uuid4()), tier, due)

    async def begin(self, job: Carried) -> int | None:
        """Takes a job; answers how often it was tried with this time, or None when it is not to
        be done (any more) by this workflow."""
        rows = await self._link.fetch("begin", job.kind, job.id, job.workflow, self._executor)
        return rows[0]["tries"] if rows else None

    async def done(self, job: Carried) -> None:
        """Removes a job that was taken here."""
        await self._link.fetch("done", job.kind, job.id, job.workflow, self._executor)

    async def again(self, job: Carried, due: float, tries: int, workflow: str) -> None:
        """Has a job that was taken here carried by another workflow, at a time."""
        await self._link.fetch(
            "again", job.kind, job.id, job.workflow, self._executor, workflow, due, tries
        )

    async def drop(self, kind: str, id: str) -> None:
        """Removes a job, whoever has it. Raises StoreAway."""
        await self._link.fetch("drop", kind, id)

    async def waiting(self, kind: str) -> int:
        """How many jobs of a kind only lack a place. Raises StoreAway."""
        return (await self._link.fetch("waiting", kind))[0][0]

    async def ripe(self, kinds: Collection[str]) -> list[str]:
        """Those of these kinds of which a job only lacks a place. Raises StoreAway."""
        return [row["kind"] for row in await self._link.fetch("ripe", list(kinds))]

    async def handed_back(self, workflows: Collection[str]) -> None:
        """What was taken here is nobody's, and does not count as tried."""
        await self._link.fetch("handed_back", self._executor, list(workflows), patience=0.5)

    async def freed(self, executors: Collection[str]) -> None:
        """What these executors have taken is nobody's."""
        await self._link.fetch("freed", list(executors))

    async def undropped(self, limit: int) -> list[str]:
        """Workflows of dropped jobs, which are to be cancelled; each is told once."""
        return [row["workflow"] for row in await self._link.fetch("undropped", limit)]

    async def unlooked(self, seconds: float, limit: int) -> list[Carried]:
        """Jobs that were not looked at for so long; now they are."""
        rows = await self._link.fetch("unlooked", seconds, limit)
        return [Carried(row["kind"], row["id"], row["workflow"]) for row in rows]

    async def recarry(self, job: Carried) -> None:
        """Has a job carried by another workflow, in place of one that is lost."""
        await self._link.fetch("recarry", job.kind, job.id, job.workflow, str(uuid.uuid4()))
