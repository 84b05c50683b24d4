"""The reads. Each is one statement, so it sees one moment of the database."""

from __future__ import annotations

import builtins
from collections.abc import Mapping
from typing import Any

from interplay.contracts.store import ChainLink, Filter, StoredInteraction
from interplay.plugins.stores.postgres.lanes import Lane
from interplay.plugins.stores.postgres.link import Link
from interplay.plugins.stores.postgres.rows import (
    CODES,
    SQL,
    indexed,
    is_expired,
    link,
    listed,
    maybe,
    millis,
    stored,
    told,
    whole,
)

LAST_POSITION = 2**63 - 1
_EXPIRES, _STATUS = 10, 4


async def get(db: Link, now: int, id: str) -> StoredInteraction | None:
    """One living row."""
    return _living(await db.fetch(SQL["get"], stored(id)), now)


async def find_key(db: Link, now: int, owner: str, key: str) -> StoredInteraction | None:
    """The living row under an idempotency key."""
    return _living(await db.fetch(SQL["find_key"], stored(owner), indexed(key)), now)


class Events:
    """Events of all interactions that are followed here, asked for together."""

    def __init__(self, db: Link) -> None:
        self._db = db
        self._count = 0
        self._lane = Lane[tuple[str, int], builtins.list[bytes]](self._read, self._each, _no_size)

    async def after(self, id: str, number: int) -> builtins.list[bytes]:
        """Those of one interaction above a number."""
        return await self._lane.do((stored(id), number))

    async def close(self) -> None:
        """Returns when nothing is under way any more."""
        await self._lane.close()

    async def _read(
        self, batch: builtins.list[tuple[str, int]], since: float
    ) -> builtins.list[builtins.list[bytes] | Exception]:
        ids, numbers = [id for id, _ in batch], [number for _, number in batch]
        return [row[0] or [] for row in await self._db.fetch(SQL["events"], ids, numbers)]

    def _each(self, item: tuple[str, int]) -> str:
        self._count += 1
        return str(self._count)


def _no_size(item: object) -> int:
    return 0


async def chain(db: Link, now: int, id: str) -> builtins.list[ChainLink]:
    """The living turns from the root to an id."""
    rows = await db.fetch(SQL["chain"], now, stored(id))
    # Sorted here and not by the database, which would carry every text through its sorter.
    rows.sort(key=_depth)
    return [link(row) for row in rows]


async def list(
    db: Link, now: int, owner: str, filter: Filter, size: int, before: int | None
) -> tuple[builtins.list[StoredInteraction], int | None]:
    """A page of living rows, newest first, and the position of the next."""
    if size < 1 or (filter.status is not None and filter.status not in CODES):
        return [], None
    wanted: builtins.list[Any] = [
        now,
        stored(owner),
        LAST_POSITION if before is None else min(before, LAST_POSITION),
        None if filter.status is None else CODES[filter.status],
        maybe(filter.model),
        maybe(filter.agent),
        maybe(filter.root),
        size + 1,
    ]
    if filter.label is not None:
        name = "list_by_label"
        wanted += [indexed(part) for part in filter.label]
    elif filter.root is not None:
        name = "list_by_root"
    elif filter.status not in (None, "completed"):
        name = "list_by_status"
    else:
        name = "list_by_owner"
    rows = await db.fetch(SQL[name], *wanted)
    more = rows[size - 1][0] if len(rows) > size else None
    return [listed(row) for row in rows[:size]], more


async def workers(db: Link) -> set[str]:
    """The executors that hold unended rows."""
    return {told(row[0]) for row in await db.fetch(SQL["workers"])}


async def held(db: Link, worker: str, before: float, limit: int) -> builtins.list[str]:
    """Unended rows of an executor created before a time, oldest first."""
    rows = await db.fetch(SQL["held"], stored(worker), millis(before), limit)
    return [told(row[0]) for row in rows]


async def lost(db: Link, held: Mapping[str, int]) -> builtins.list[str]:
    """Those of these that have ended, are gone, or are held under another epoch."""
    rows = await db.fetch(SQL["lost"], [stored(id) for id in held], [*held.values()])
    return [told(row[0]) for row in rows]


async def expired(db: Link, now: float, limit: int) -> builtins.list[str]:
    """Ids of ended rows past their time."""
    return [told(row[0]) for row in await db.fetch(SQL["expired"], millis(now), limit)]


async def unreferenced(db: Link, sha256s: builtins.list[str]) -> builtins.list[str]:
    """Those of these blobs that no row refers to."""
    digests = [bytes.fromhex(sha256) for sha256 in sha256s]
    return [row[0].hex() for row in await db.fetch(SQL["unreferenced"], digests)]


async def recall(db: Link, id: str) -> dict[str, bytes]:
    """Every memo of one interaction."""
    return {told(key): value for key, value in await db.fetch(SQL["memos"], stored(id))}


def _living(rows: builtins.list[Any], now: int) -> StoredInteraction | None:
    if not rows or is_expired(rows[0][_EXPIRES], rows[0][_STATUS], now):
        return None
    return whole(rows[0])


def _depth(row: Any) -> int:
    return row[0]
