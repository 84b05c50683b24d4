"""Who does what next: a list of work that processes share, kept in the store."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Protocol

import msgspec


class Job(msgspec.Struct, kw_only=True):
    """Something to do, named by kind and id. It says nothing about how: that stands elsewhere."""

    kind: str
    id: str
    due: float = 0.0
    """Unix seconds; not before."""
    tier: int = 1
    """Of those that are due, the lowest tier goes first, then the longest due."""
    tries: int = 0
    """How often it was taken."""


class Jobs(Protocol):
    """Jobs of all processes. Each method is one transaction; a job is taken by one executor."""

    async def put(self, job: Job) -> bool:
        """Adds a job; False, and nothing changes, when (kind, id) is there already, waiting or
        taken."""
        ...

    async def take(self, places: Mapping[str, int], executor: str, now: float) -> list[Job]:
        """Takes jobs that are due and nobody's, of each kind at most as many as it has places;
        counts a try."""
        ...

    async def done(self, kind: str, id: str, executor: str) -> None:
        """Removes a job this executor has taken; silent when it is no longer its own."""
        ...

    async def again(self, kind: str, id: str, executor: str, due: float) -> None:
        """Gives a job this executor has taken back, for a time; silent when it is no longer its
        own."""
        ...

    async def free(self, executors: Collection[str]) -> int:
        """Makes everything these executors have taken nobody's again; answers how many."""
        ...

    async def drop(self, kind: str, id: str) -> None:
        """Removes a job, whoever has it."""
        ...

    async def next(self, kinds: Collection[str]) -> float | None:
        """When the next job of these kinds that is nobody's is due; None when there is none."""
        ...

    async def takers(self) -> set[str]:
        """The executors that have jobs."""
        ...

    async def waiting(self, kind: str) -> int:
        """How many jobs of a kind are nobody's."""
        ...
