"""Small resources beside interactions: triggers, webhooks, deliveries and what comes after them."""

from __future__ import annotations

from typing import Protocol

import msgspec


class Stale(Exception):
    """The record was changed or removed by someone else since it was read."""


class Record(msgspec.Struct, kw_only=True):
    """One resource: what every store can filter by, and a document that it never looks into.

    `kind` and `id` name it. Times are Unix seconds, kept to the millisecond.
    """

    kind: str
    id: str
    owner: str = ""
    group: str = ""
    """What it belongs to: the trigger of an execution, the webhook of a delivery."""
    state: str = ""
    due: float | None = None
    """When something is to be done with it."""
    expires: float | None = None
    """When it is swept away."""
    created: float
    updated: float
    version: int = 1
    """Counts the changes; a change is refused when it was made to an older version."""
    doc: bytes
    """JSON."""


class Records(Protocol):
    """Records by kind and id. All methods may be called concurrently; each is one transaction.
    What they may raise beside what is said here: see Store."""

    async def add(self, record: Record) -> None:
        """Adds a record. Raises KeyError when (kind, id) is there."""
        ...

    async def get(self, kind: str, id: str) -> Record | None:
        """One record; an expired one is not there."""
        ...

    async def replace(self, record: Record) -> Record:
        """Puts a record in the place of the version it was read as; answers it with its new
        version. Raises Stale. Repeating a replacement that was committed raises Stale too."""
        ...

    async def remove(self, kind: str, id: str, *, group: bool = False) -> bool:
        """Removes a record, with `group` all records of this kind in the group `id`; False when
        there was none."""
        ...

    async def list(
        self,
        kind: str,
        owner: str | None = None,
        *,
        group: str | None = None,
        state: str | None = None,
        size: int = 100,
        before: int | None = None,
    ) -> tuple[list[Record], int | None]:
        """A page, newest first, and the position for the next page (None at the end). None as a
        filter means any."""
        ...

    async def due(self, kind: str, now: float, limit: int) -> list[Record]:
        """Records whose `due` has come, the longest overdue first."""
        ...

    async def count(self, kind: str, owner: str) -> int:
        """How many living records of a kind an owner has."""
        ...

    async def sweep(self, now: float, limit: int) -> int:
        """Removes expired records of every kind, at most `limit`; answers how many."""
        ...
