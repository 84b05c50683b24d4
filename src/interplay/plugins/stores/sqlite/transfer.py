"""Everything the file holds, read out for another store."""

from __future__ import annotations

import sqlite3

from interplay.contracts.records import Record
from interplay.contracts.transfer import Fork, Placed, Tally
from interplay.plugins.stores.sqlite.records import as_record
from interplay.plugins.stores.sqlite.rows import SQL, whole
from interplay.plugins.stores.sqlite.threads import Do


class SqliteTransfer:
    """See interplay.contracts.transfer.Source."""

    def __init__(self, read: Do) -> None:
        self._read = read

    async def unended(self) -> int:
        """How many have not ended."""
        return await self._read(_unended)

    async def last(self) -> tuple[int, int]:
        """The highest positions."""
        return await self._read(_last)

    async def interactions(self, after: int, limit: int) -> list[Placed]:
        """Ended ones above a position."""
        return await self._read(_interactions, after, limit)

    async def forks(self, after: int, limit: int) -> list[Fork]:
        """Lines that left another one."""
        return await self._read(_forks, after, limit)

    async def records(self, after: int, limit: int) -> list[tuple[int, Record]]:
        """Records above a position."""
        return await self._read(_records, after, limit)

    async def tally(self) -> Tally:
        """How much is there."""
        return await self._read(_tally)


def _unended(db: sqlite3.Cursor) -> int:
    return db.execute(SQL["count_unended"]).fetchall()[0][0]


def _last(db: sqlite3.Cursor) -> tuple[int, int]:
    return db.execute(SQL["transfer_last"]).fetchall()[0]


def _interactions(db: sqlite3.Cursor, after: int, limit: int) -> list[Placed]:
    placed: list[Placed] = []
    rows = db.execute(SQL["transfer_interactions"], (after, limit)).fetchall()
    for position, branch, depth, key, *row in rows:
        blobs = [found[0].hex() for found in db.execute(SQL["blobs_of"], (position,)).fetchall()]
        placed.append(
            Placed(
                position=position,
                branch=branch,
                depth=depth,
                row=whole(tuple(row)),
                idempotency_key=key,
                blobs=blobs,
            )
        )
    return placed


def _forks(db: sqlite3.Cursor, after: int, limit: int) -> list[Fork]:
    rows = db.execute(SQL["transfer_forks"], (after, limit)).fetchall()
    return [Fork(branch=branch, parent=parent, depth=depth) for branch, parent, depth in rows]


def _records(db: sqlite3.Cursor, after: int, limit: int) -> list[tuple[int, Record]]:
    rows = db.execute(SQL["transfer_records"], (after, limit)).fetchall()
    return [(row[-1], as_record(row)) for row in rows]


def _tally(db: sqlite3.Cursor) -> Tally:
    interactions, size, labels, references, records, docs = db.execute(SQL["tally"]).fetchall()[0]
    return Tally(
        interactions=interactions,
        bytes=size,
        labels=labels,
        references=references,
        records=records,
        record_bytes=docs,
    )
