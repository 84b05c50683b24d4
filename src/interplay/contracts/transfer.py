"""What a store offers to those who look after it: moving to another one, and new schemas."""

from __future__ import annotations

from typing import Literal, Protocol, runtime_checkable

import msgspec

from interplay.contracts.records import Record
from interplay.contracts.store import StoredInteraction

Phase = Literal["pre", "post"]
"""pre: what is safe while processes of the version before still run; post: what is not."""


class Placed(msgspec.Struct, kw_only=True):
    """One interaction with everything that is kept about it, as stores hand it on."""

    position: int
    """Its number among all; lists go by it."""
    branch: int
    """The position of the first interaction of its line of the conversation."""
    depth: int
    """How many turns lie between it and the conversation's root."""
    row: StoredInteraction
    idempotency_key: str | None
    blobs: list[str]
    """SHA-256 of the blobs it refers to."""


class Fork(msgspec.Struct, kw_only=True):
    """A line of a conversation that left another one."""

    branch: int
    parent: int
    """The branch it left."""
    depth: int
    """Of the last turn that both share."""


class Tally(msgspec.Struct, kw_only=True):
    """How much a store holds; what was moved whole has the same tally on both sides."""

    interactions: int
    bytes: int
    """Of requests, inputs, steps, replays, usages and errors."""
    labels: int
    references: int
    """To blobs."""
    records: int
    record_bytes: int
    """Of their documents."""


class Source(Protocol):
    """A store whose content is read out whole, while nobody writes. What it may raise: see
    Store."""

    async def unended(self) -> int:
        """How many interactions have not ended; these are not read out."""
        ...

    async def last(self) -> tuple[int, int]:
        """The highest position of an interaction, and of a record; 0 where there is none."""
        ...

    async def interactions(self, after: int, limit: int) -> list[Placed]:
        """Ended ones above a position, in their order; expired ones as well."""
        ...

    async def forks(self, after: int, limit: int) -> list[Fork]:
        """Those of branches above a number, in their order."""
        ...

    async def records(self, after: int, limit: int) -> list[tuple[int, Record]]:
        """Records above a position, with their positions, in their order."""
        ...

    async def tally(self) -> Tally:
        """What is there of ended interactions and of records."""
        ...


class Target(Protocol):
    """A store that takes in what another one held, at the same positions. Taking the same twice
    changes nothing."""

    async def reserve(self, interactions: int, records: int) -> None:
        """Gives positions up to these to nobody else."""
        ...

    async def take_forks(self, forks: list[Fork]) -> None:
        """Adds lines of conversations."""
        ...

    async def take_interactions(self, placed: list[Placed]) -> None:
        """Adds ended interactions. Raises ValueError when another one has the same id."""
        ...

    async def take_records(self, placed: list[tuple[int, Record]]) -> None:
        """Adds records. Raises ValueError when another one has the same kind and id."""
        ...

    async def tally(self) -> Tally:
        """What is there of ended interactions and of records."""
        ...


@runtime_checkable
class Migrating(Protocol):
    """A store whose schema is also brought up to date from outside the server."""

    async def migrate(self, phases: tuple[Phase, ...]) -> list[str]:
        """Applies what is missing in these phases to a store that is not open; the names of what
        was applied. Raises StoreUnusable."""
        ...
