"""Records in the same database as the interactions."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Sequence
from typing import Any

from msgspec import structs

from interplay.contracts.records import Record, Stale
from interplay.plugins.stores.postgres.link import Link
from interplay.plugins.stores.postgres.rows import (
    SQL,
    maybe,
    maybe_millis,
    millis,
    seconds,
    stored,
    told,
)

_LAST_POSITION = 2**63 - 1
_COLUMNS = 11


class PostgresRecords:
    """See the contract; `now` answers milliseconds and decides what has expired."""

    def __init__(self, link: Link, now: Callable[[], int]) -> None:
        self._link, self._now = link, now

    async def add(self, record: Record) -> None:
        """Adds a record. Raises KeyError."""
        values = values_of(record)

        async def work(connection: Any, again: bool) -> None:
            if await connection.fetch(SQL["insert_record"], *values):
                return
            name = values[0], values[1], self._now()
            if again:
                rows = await connection.fetch(SQL["get_record"], *name)
                if rows and tuple(rows[0])[:-1] == values:
                    return
            await connection.execute(SQL["drop_expired_record"], *name)
            if not await connection.fetch(SQL["insert_record"], *values):
                raise KeyError(record.id)

        await self._link.do(work)

    async def get(self, kind: str, id: str) -> Record | None:
        """One living record."""
        rows = await self._link.fetch(SQL["get_record"], stored(kind), stored(id), self._now())
        return _record(rows[0]) if rows else None

    async def replace(self, record: Record) -> Record:
        """Puts a record in the place of its version. Raises Stale."""
        values = values_of(record)
        changed = structs.replace(record, version=record.version + 1)

        async def work(connection: Any, again: bool) -> Record:
            now = self._now()
            if await connection.fetch(SQL["replace_record"], *values, now):
                return changed
            if again:
                rows = await connection.fetch(SQL["get_record"], values[0], values[1], now)
                if rows and tuple(rows[0])[:-1] == values_of(changed):
                    return changed
            raise Stale(record.id)

        return await self._link.do(work)

    async def remove(self, kind: str, id: str, *, group: bool = False) -> bool:
        """Removes a record or a group."""
        sql = SQL["delete_group" if group else "delete_record"]

        async def work(connection: Any, again: bool) -> bool:
            return bool(await connection.fetch(sql, stored(kind), stored(id))) or again

        return await self._link.do(work)

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
        if size < 1:
            return [], None
        name = "records_by_group" if group else "records_by_kind"
        if owner is not None and not group:
            name = "records_by_owner"
        wanted = (
            self._now(),
            stored(kind),
            maybe(owner),
            maybe(group),
            maybe(state),
            _LAST_POSITION if before is None else min(before, _LAST_POSITION),
            size + 1,
        )
        rows = await self._link.fetch(SQL[name], *wanted)
        more = rows[size - 1][-1] if len(rows) > size else None
        return [_record(row) for row in rows[:size]], more

    async def due(self, kind: str, now: float, limit: int) -> builtins.list[Record]:
        """Living records whose time has come."""
        wanted = self._now(), stored(kind), millis(now), limit
        return [_record(row) for row in await self._link.fetch(SQL["due_records"], *wanted)]

    async def count(self, kind: str, owner: str) -> int:
        """How many living records of a kind an owner has."""
        wanted = self._now(), stored(kind), stored(owner)
        return (await self._link.fetch(SQL["count_records"], *wanted))[0][0]

    async def sweep(self, now: float, limit: int) -> int:
        """Removes what has expired by a time."""
        return len(await self._link.fetch(SQL["sweep_records"], millis(now), limit))


def columns_of(records: Sequence[Record]) -> builtins.list[builtins.list[Any]]:
    """Records column by column, as statements for many take them."""
    rows = [values_of(record) for record in records]
    return [[row[number] for row in rows] for number in range(_COLUMNS)]


def values_of(record: Record) -> tuple[Any, ...]:
    """A record as its columns hold it, in the order of the statements."""
    return (
        stored(record.kind),
        stored(record.id),
        stored(record.owner),
        stored(record.group),
        stored(record.state),
        maybe_millis(record.due),
        maybe_millis(record.expires),
        millis(record.created),
        millis(record.updated),
        record.version,
        record.doc,
    )


def _record(row: Any) -> Record:
    kind, id, owner, group, state, due, expires, created, updated, version, doc, _ = row
    return Record(
        kind=told(kind),
        id=told(id),
        owner=told(owner),
        group=told(group),
        state=told(state),
        due=seconds(due),
        expires=seconds(expires),
        created=created / 1000,
        updated=updated / 1000,
        version=version,
        doc=doc,
    )
