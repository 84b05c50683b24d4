"""Who runs what: work handed to whichever process takes it, once, also after a crash."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Protocol

Handler = Callable[[str], Awaitable[float | None]]
"""Does the job with this id, and answers when it wants to be called again (Unix seconds), or
None when the job is done. What it raises gives the job back: it is called again after a pause
that grows. It must be safe to call twice, even at the same time: the truth about the work is in
the store, behind its own fences, and a dispatcher only decides who looks at it."""


class Dispatcher(Protocol):
    """Shares work between processes. Jobs are named by kind ("run", "delivery", "trigger", ...)
    and id.

    Built with keywords: `jobs` (interplay.contracts.jobs.Jobs of the store), `folder` (on this
    machine), `database` (its URL, "" for none), `shared` (whether other processes take part) and
    `silence` (seconds without a sign of life after which a process counts as dead); it may leave
    unused what means nothing to it.
    """

    executor: str
    """The name of this process, new at every start and never used again."""

    async def open(self) -> None:
        """Makes this executor known as alive. The store is open. Raises StoreUnusable."""
        ...

    def work(self, handlers: Mapping[str, Handler], places: Mapping[str, int]) -> None:
        """Begins to take jobs of these kinds, of each at most so many at a time; called once, on
        the event loop. A process that never calls it only submits."""
        ...

    def occupy(self, kind: str, places: int) -> None:
        """Work of this kind that is done here without a job takes so many places (negative: gives
        them back); no job is taken while none is left."""
        ...

    async def submit(self, kind: str, id: str, *, due: float = 0.0, tier: int = 1) -> None:
        """Hands over a job, to be done by any process, not before `due` (Unix seconds; those of a
        lower `tier` go first). Durable when it returns. Nothing happens when a job of this kind
        and id waits or is being done. May raise StoreUnavailable."""
        ...

    async def cancel(self, kind: str, id: str) -> None:
        """Forgets a job that waits; one that is being done here gets a CancelledError."""
        ...

    async def waiting(self, kind: str) -> int:
        """How many jobs of a kind wait for a place."""
        ...

    async def dead(self, executors: Collection[str]) -> set[str]:
        """Those of these executors that are known to run no more: their process has ended, or has
        given no sign of life for `silence` seconds. "" is nobody and never among them. A process
        may be alive after all (frozen, cut off): what it writes must meet a fence."""
        ...

    async def drain(self) -> None:
        """Takes no more jobs, cancels those being done here and hands them back, so that others
        can take them at once. Ends within two seconds."""
        ...

    async def close(self) -> None:
        """Lets go: this executor counts as dead from now on."""
        ...
