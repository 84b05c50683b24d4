"""Appends and ends: those of all interactions of this process together, in one statement each."""

from __future__ import annotations

from typing import Any, NamedTuple

from interplay.contracts.store import Ending, Fenced
from interplay.plugins.stores.postgres.lanes import Lane
from interplay.plugins.stores.postgres.link import Link
from interplay.plugins.stores.postgres.records import columns_of
from interplay.plugins.stores.postgres.rows import CODES, SQL, UNENDED, millis, stored
from interplay.wire.usage import InteractionStatus


class Append(NamedTuple):
    """Events for one interaction; its id as it is stored."""

    id: str
    epoch: int
    last: int
    events: list[bytes]
    status: int | None


class Finish(NamedTuple):
    """The end of one interaction; its id as it is stored."""

    id: str
    epoch: int
    last: int
    ending: Ending
    status: int


class Appends:
    """What the journal writes. Each call returns when its statement is committed."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._appends = Lane[Append, None](self._append, lambda one: one.id, _size_of_append)
        self._ends = Lane[Finish, None](self._finish, lambda one: one.id, _size_of_end)

    async def append(
        self,
        id: str,
        epoch: int,
        last: int,
        events: list[bytes],
        status: InteractionStatus | None,
    ) -> None:
        """Appends events. Raises Fenced."""
        code = None if status is None else CODES[status]
        await self._appends.do(Append(stored(id), epoch, last, events, code))

    async def finish(self, id: str, epoch: int, last: int, ending: Ending) -> None:
        """Ends an interaction. Raises Fenced."""
        await self._ends.do(Finish(stored(id), epoch, last, ending, CODES[ending.status]))

    async def close(self) -> None:
        """Returns when nothing is under way any more."""
        await self._appends.close()
        await self._ends.close()

    async def _append(self, batch: list[Append], since: float) -> list[Exception | None]:
        numbers: list[int] = []
        places: list[int] = []
        datas: list[bytes] = []
        for number, one in enumerate(batch):
            numbers += [number] * len(one.events)
            places += range(one.last + 1, one.last + 1 + len(one.events))
            datas += one.events
        given = (
            range(len(batch)),
            [one.id for one in batch],
            [one.epoch for one in batch],
            [one.last for one in batch],
            [one.last + len(one.events) for one in batch],
            [one.status for one in batch],
            numbers,
            places,
            datas,
        )

        async def work(connection: Any, again: bool) -> list[Exception | None]:
            held = {row[0] for row in await connection.fetch(SQL["append"], *given)}
            return [
                None if number in held or await _stands(connection, one) else Fenced(one.id)
                for number, one in enumerate(batch)
            ]

        return await self._link.do(work, deadline=since + self._link.patience)

    async def _finish(self, batch: list[Finish], since: float) -> list[Exception | None]:
        ends = [one.ending for one in batch]
        blobs = [(number, sha256) for number, end in enumerate(ends) for sha256 in end.blobs]
        records = [(number, record) for number, end in enumerate(ends) for record in end.records]
        given = (
            range(len(batch)),
            [one.id for one in batch],
            [one.epoch for one in batch],
            [one.last for one in batch],
            [end.last for end in ends],
            [one.status for one in batch],
            [millis(end.updated) for end in ends],
            [end.steps for end in ends],
            [end.replay for end in ends],
            [end.usage for end in ends],
            [end.errors for end in ends],
            [number for number, _ in blobs],
            [bytes.fromhex(sha256) for _, sha256 in blobs],
            [number for number, _ in records],
            *columns_of([record for _, record in records]),
        )

        async def work(connection: Any, again: bool) -> list[Exception | None]:
            held = {row[0] for row in await connection.fetch(SQL["finish"], *given)}
            return [
                None if number in held or await _has_ended(connection, one) else Fenced(one.id)
                for number, one in enumerate(batch)
            ]

        return await self._link.do(work, deadline=since + self._link.patience)


async def _stands(connection: Any, one: Append) -> bool:
    """Whether the row stands where an append has brought it that was made before."""
    rows = await connection.fetch(SQL["standing"], one.id, one.last)
    if not rows:
        return False
    status, epoch, last, events = rows[0]
    if status >= UNENDED or (epoch, last) != (one.epoch, one.last + len(one.events)):
        return False
    return one.status in (None, status) and events == one.events


async def _has_ended(connection: Any, one: Finish) -> bool:
    """Whether the row has ended just like this, under this epoch."""
    end = one.ending
    wanted = one.id, one.epoch, end.last, one.status, millis(end.updated), end.steps
    return await connection.fetchval(SQL["ended_as"], *wanted)


def _size_of_append(one: Append) -> int:
    return sum(map(len, one.events))


def _size_of_end(one: Finish) -> int:
    return len(one.ending.steps) + len(one.ending.replay)
