"""What a store of interactions promises: rows, events, chains, and the fence around them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

import msgspec

from interplay.contracts.jobs import Jobs
from interplay.contracts.records import Record, Records
from interplay.wire.usage import InteractionStatus

TERMINAL: frozenset[str] = frozenset(
    {
        "completed",
        "requires_action",
        "incomplete",
        "failed",
        "cancelled",
        "budget_exceeded",
        "requires_continuation",
    }
)
"""Statuses after which an interaction never changes again."""


class Fenced(Exception):
    """Someone else claimed the interaction, or it has ended: this writer must stop."""


class Gone(Exception):
    """There is no such interaction (any more)."""


class StoreUnavailable(Exception):
    """Nothing can be written just now; the same call may be made again and may then succeed."""


class StoreFull(StoreUnavailable):
    """The disk is full or not writable; nothing of this write was kept."""


class StoreAway(StoreUnavailable):
    """The database cannot be reached, or did not answer in time. A write may have been committed
    all the same: making the same call again is safe."""


class StoreUnusable(Exception):
    """The store cannot be opened or read; the message says why and the way out."""


class NewInteraction(msgspec.Struct, kw_only=True):
    """A row at its creation."""

    id: str
    owner: str
    """Whose it is; "" when no keys are configured."""
    root: str
    """The conversation's root: the same for a whole chain and all its branches."""
    parent: str | None = None
    status: InteractionStatus = "in_progress"
    model: str | None = None
    agent: str | None = None
    background: bool = False
    created: float
    """Unix seconds."""
    expires: float | None = None
    labels: dict[str, str] = {}
    request: bytes
    """JSON of the create body without `input`."""
    input: bytes
    """JSON array of the input's steps, media replaced by references to blobs."""
    blobs: list[str] = []
    """SHA-256 of the blobs that `input` refers to."""
    worker: str = ""
    """The executor that runs it; "" while nobody does."""
    idempotency_key: str | None = None
    fingerprint: str | None = None
    """Hash of the body the key came with."""


class Ending(msgspec.Struct, kw_only=True):
    """What the last write of an interaction carries."""

    status: InteractionStatus
    updated: float
    steps: bytes
    """JSON array of the folded steps the model or agent made, media as references."""
    replay: bytes = b""
    """How to make the events again from the steps; the event rows go with this write."""
    last: int
    """Sequence number of the terminal event."""
    usage: bytes = b""
    errors: bytes = b""
    """JSON array of Error; empty when there are none."""
    blobs: list[str] = []
    records: list[Record] = []
    """Records that come into being with this end (an outbox); one that is there already stays."""


class StoredInteraction(msgspec.Struct, kw_only=True):
    """A row as it is read."""

    id: str
    owner: str
    root: str
    parent: str | None
    status: InteractionStatus
    model: str | None
    agent: str | None
    background: bool
    created: float
    updated: float
    expires: float | None
    labels: dict[str, str]
    request: bytes
    input: bytes
    epoch: int
    last: int
    """Sequence number of the last committed event; -1 before the first."""
    attempts: int
    """How often it was claimed."""
    worker: str
    """Who claimed it last; "" when it was never given to anyone, or handed back."""
    steps: bytes | None
    """None until the interaction has ended: fold the events then."""
    replay: bytes
    usage: bytes
    errors: bytes
    fingerprint: str | None


class ChainLink(msgspec.Struct, kw_only=True):
    """One interaction of a chain, as much as history needs."""

    id: str
    status: InteractionStatus
    input: bytes
    steps: bytes | None


class Filter(msgspec.Struct, kw_only=True):
    """Which interactions a list shows; None means any."""

    status: str | None = None
    model: str | None = None
    agent: str | None = None
    root: str | None = None
    label: tuple[str, str] | None = None


class Store(Protocol):
    """Interactions and their events. All methods may be called concurrently.

    Writes are atomic: a write that raises left nothing behind. Every write may raise
    StoreFull; where the database is another process, every method may raise StoreAway.
    A store is built with keywords: `folder` (for what lies on this machine), `durability`,
    `database` (its URL, "" for none), `shared`, `connections` and `patience` (seconds a call may
    wait for the database before StoreAway); it may leave unused what means nothing to it.
    """

    shared: bool
    """Whether other processes may use the same data at the same time."""
    records: Records
    jobs: Jobs

    async def open(self) -> None:
        """Opens or creates it and brings its schema up to date. Raises StoreUnusable."""
        ...

    async def close(self) -> None:
        """Finishes the writes under way and lets go."""
        ...

    async def create(self, new: NewInteraction, ending: Ending | None = None) -> None:
        """Adds a row at epoch 1; with `ending`, one that has ended already.

        Places it in its chain: a child of a branch's tip keeps the branch, a child of an inner
        turn opens a new one. Raises Gone when the parent is not there, KeyError when
        (owner, idempotency_key) exists already.
        """
        ...

    async def claim(self, id: str, worker: str = "") -> StoredInteraction:
        """Takes the next epoch for an executor (and counts an attempt); earlier holders are fenced
        from now on. Raises Gone, or Fenced when the interaction has ended."""
        ...

    async def release(self, id: str, epoch: int) -> None:
        """Makes an unended interaction nobody's, as far as this epoch still holds it: the next
        claim does not count as a further attempt. Silent otherwise."""
        ...

    async def append(
        self,
        id: str,
        epoch: int,
        last: int,
        events: list[bytes],
        *,
        status: InteractionStatus | None = None,
        ending: Ending | None = None,
    ) -> None:
        """Commits events last+1, last+2, ... (each the JSON of one event), or raises Fenced when
        (epoch, last) is not the row's or the row has ended or is gone. With `ending`, sets the
        row's end, adds its records and drops its event rows in the same commit.

        Repeating an append that was committed is a success and changes nothing: the row then
        stands, under this very epoch, where the append brings it."""
        ...

    async def get(self, id: str) -> StoredInteraction | None:
        """One row; None when there is none or it has expired."""
        ...

    async def events(self, id: str, after: int = -1) -> list[bytes]:
        """Events of an unfinished interaction with a sequence number above `after`."""
        ...

    async def chain(self, id: str) -> list[ChainLink]:
        """The interactions from the root to `id`, `id` included, oldest first: a range read per
        branch. Deleted or expired ones are left out."""
        ...

    async def list(
        self, owner: str, filter: Filter, *, size: int, before: int | None
    ) -> tuple[list[StoredInteraction], int | None]:
        """A page, newest first, without request, input and steps (empty bytes), and the position
        for the next page (None at the end)."""
        ...

    async def find_key(self, owner: str, idempotency_key: str) -> StoredInteraction | None:
        """The interaction that was created under this key."""
        ...

    async def delete(self, id: str) -> list[str]:
        """Removes the row, its events and its claims on blobs; answers the blobs nobody refers to
        any more. Raises Gone."""
        ...

    async def workers(self) -> set[str]:
        """The executors that hold unended rows; "" among them when some are nobody's."""
        ...

    async def held(self, worker: str, before: float, limit: int) -> list[str]:
        """Unended rows of an executor ("": of nobody) created before a time, oldest first."""
        ...

    async def lost(self, held: Mapping[str, int]) -> list[str]:
        """Of interactions and the epochs somebody holds them under: those that have ended, are
        gone, or were claimed by another."""
        ...

    def watch(self, seen: Callable[[str | None], None]) -> None:
        """Calls `seen`, on the event loop, soon after a commit of any process: with the id of the
        interaction that has new events or has ended, or with None when it may be any of them.
        Only a shared store calls it. News may be late or lost with a connection (None follows
        when it is back): whoever waits looks for himself once in a while."""
        ...

    async def expired(self, now: float, limit: int) -> list[str]:
        """Ids of ended rows whose `expires` has passed."""
        ...

    async def unreferenced(self, sha256s: list[str]) -> list[str]:
        """Those of these blobs that no row refers to."""
        ...

    async def remember(self, id: str, key: str, value: bytes, *, epoch: int | None = None) -> None:
        """Keeps a run's memo (JSON) with the interaction; it goes when the interaction ends.
        Raises Gone, and Fenced when it has ended or `epoch` is given and not the row's."""
        ...

    async def recall(self, id: str) -> dict[str, bytes]:
        """Every memo of one interaction."""
        ...
