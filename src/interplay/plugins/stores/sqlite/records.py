"""Records in the same file as the interactions, behind the same threads."""

from __future__ import annotations

import builtins
import sqlite3
from collections.abc import Callable

from msgspec import structs

from interplay.contracts.records import Record, Stale
from interplay.plugins.stores.sqlite.rows import SQL, Row, millis
from interplay.plugins.stores.sqlite.threads import Do

_INSERT = SQL["insert_record"]
_LAST_POSITION = 2**63 - 1


class SqliteRecords:
    """See the contract; `now` answers milliseconds and decides what has expired."""

    def __init__(self, write: Do, read: Do, now: Callable[[], int]) -> None:
        self._write, self._read, self._now = write, read, now

    async def add(self, record: Record) -> None:
        """Adds a record. Raises KeyError."""
        await self._write(add, self._now(), record)

    async def get(self, kind: str, id: str) -> Record | None:
        """One living record."""
        return await self._read(get, self._now(), kind, id)

    async def replace(self, record: Record) -> Record:
        """Puts a record in the place of its version. Raises Stale."""
        await self._write(replace, self._now(), record)
        return structs.replace(record, version=record.version + 1)

    async def remove(self, kind: str, id: str, *, group: bool = False) -> bool:
        """Removes a record or a group."""
        return await self._write(remove, kind, id, group)

    async def list(
        self,
        kind: str,
        owner: str | None = None,
        *,
        group: str | None = None,
        state: str | None = None,
        size: int = 100,
        before: int | None = None,
    ) -> tuple[builtins.list[Record], int | None]:
        """A page, newest first."""
        return await self._read(list, self._now(), kind, owner, group, state, size, before)

    async def due(self, kind: str, now: float, limit: int) -> builtins.list[Record]:
        """Living records whose time has come."""
        return await self._read(due, self._now(), kind, now, limit)

    async def count(self, kind: str, owner: str) -> int:
        """How many living records of a kind an owner has."""
        return await self._read(count, self._now(), kind, owner)

    async def sweep(self, now: float, limit: int) -> int:
        """Removes what has expired by a time."""
        return await self._write(sweep, now, limit)


def add(db: sqlite3.Cursor, now: int, record: Record) -> None:
    """Adds a record. Raises KeyError."""
    db.execute(SQL["drop_expired_record"], (record.kind, record.id, now))
    if db.execute(_INSERT, _values(record)).rowcount == 0:
        raise KeyError(record.id)


def bring(db: sqlite3.Cursor, records: builtins.list[Record]) -> None:
    """Adds those that are not there."""
    db.executemany(_INSERT, [_values(record) for record in records])


def get(db: sqlite3.Cursor, now: int, kind: str, id: str) -> Record | None:
    """One living record."""
    rows = db.execute(SQL["get_record"], {"kind": kind, "id": id, "now": now}).fetchall()
    return as_record(rows[0]) if rows else None


def replace(db: sqlite3.Cursor, now: int, record: Record) -> None:
    """Puts a record in the place of its version. Raises Stale."""
    given = {
        "kind": record.kind,
        "id": record.id,
        "owner": record.owner,
        "part_of": record.group,
        "state": record.state,
        "due": _millis(record.due),
        "expires": _millis(record.expires),
        "created": millis(record.created),
        "updated": millis(record.updated),
        "version": record.version,
        "doc": record.doc,
        "now": now,
    }
    if db.execute(SQL["replace_record"], given).rowcount == 0:
        raise Stale(record.id)


def remove(db: sqlite3.Cursor, kind: str, id: str, group: bool) -> bool:
    """Removes a record or a group; whether there was any."""
    return db.execute(SQL["delete_group" if group else "delete_record"], (kind, id)).rowcount > 0


def list(
    db: sqlite3.Cursor,
    now: int,
    kind: str,
    owner: str | None,
    group: str | None,
    state: str | None,
    size: int,
    before: int | None,
) -> tuple[builtins.list[Record], int | None]:
    """A page of living records, newest first, and the position of the next."""
    if size < 1:
        return [], None
    wanted = {
        "now": now,
        "kind": kind,
        "owner": owner,
        "part_of": group,
        "state": state,
        "before": _LAST_POSITION if before is None else before,
        "size": size + 1,
    }
    name = "records_by_group" if group else "records_by_kind"
    if owner is not None and not group:
        name = "records_by_owner"
    rows = db.execute(SQL[name], wanted).fetchall()
    more = rows[size - 1][-1] if len(rows) > size else None
    return [as_record(row) for row in rows[:size]], more


def due(db: sqlite3.Cursor, now: int, kind: str, until: float, limit: int) -> builtins.list[Record]:
    """Living records whose time has come by `until`, the longest overdue first."""
    wanted = {"now": now, "kind": kind, "until": millis(until), "size": limit}
    return [as_record(row) for row in db.execute(SQL["due_records"], wanted).fetchall()]


def count(db: sqlite3.Cursor, now: int, kind: str, owner: str) -> int:
    """How many living records of a kind an owner has."""
    wanted = {"now": now, "kind": kind, "owner": owner}
    return db.execute(SQL["count_records"], wanted).fetchall()[0][0]


def sweep(db: sqlite3.Cursor, now: float, limit: int) -> int:
    """Removes what has expired by a time."""
    return db.execute(SQL["sweep_records"], (millis(now), limit)).rowcount


def _values(record: Record) -> Row:
    return (
        record.kind,
        record.id,
        record.owner,
        record.group,
        record.state,
        _millis(record.due),
        _millis(record.expires),
        millis(record.created),
        millis(record.updated),
        record.version,
        record.doc,
    )


def as_record(row: Row) -> Record:
    """A row of the `record` statement."""
    kind, id, owner, group, state, due, expires, created, updated, version, doc, _ = row
    return Record(
        kind=kind,
        id=id,
        owner=owner,
        group=group,
        state=state,
        due=None if due is None else due / 1000,
        expires=None if expires is None else expires / 1000,
        created=created / 1000,
        updated=updated / 1000,
        version=version,
        doc=doc,
    )


def _millis(seconds: float | None) -> int | None:
    return None if seconds is None else millis(seconds)
