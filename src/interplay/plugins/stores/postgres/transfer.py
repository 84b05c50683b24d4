"""What another store held, taken in at the same positions."""

from __future__ import annotations

from typing import Any

from interplay.contracts.records import Record
from interplay.contracts.transfer import Fork, Placed, Tally
from interplay.plugins.stores.postgres.faults import pg
from interplay.plugins.stores.postgres.link import Link, transaction
from interplay.plugins.stores.postgres.records import values_of
from interplay.plugins.stores.postgres.rows import (
    CODES,
    SQL,
    indexed,
    maybe,
    maybe_millis,
    millis,
    put_labels,
    stored,
)

Rows = dict[str, list[tuple[Any, ...]]]
"""Values by the name of the statement that takes them."""


class PostgresTransfer:
    """See interplay.contracts.transfer.Target."""

    def __init__(self, link: Link) -> None:
        self._link = link

    async def reserve(self, interactions: int, records: int) -> None:
        """Gives positions up to these to nobody else."""
        await self._link.fetch(SQL["reserve"], max(1, interactions), max(1, records))

    async def take_forks(self, forks: list[Fork]) -> None:
        """Adds lines of conversations."""
        await self._take({"take_fork": [(one.branch, one.parent, one.depth) for one in forks]})

    async def take_interactions(self, placed: list[Placed]) -> None:
        """Adds ended interactions. Raises ValueError."""
        rows: Rows = {
            "take_interaction": [_interaction(one) for one in placed],
            "take_asked": [(one.position, one.row.request, one.row.input) for one in placed],
            "take_answer": [(one.position, one.row.steps, one.row.replay) for one in placed],
            "take_label": [
                (one.position, stored(one.row.owner), indexed(key), indexed(value))
                for one in placed
                for key, value in one.row.labels.items()
            ],
            "take_reference": [
                (one.position, bytes.fromhex(blob)) for one in placed for blob in one.blobs
            ],
        }
        await self._take(rows)

    async def take_records(self, placed: list[tuple[int, Record]]) -> None:
        """Adds records. Raises ValueError."""
        values = [(*values_of(record), position) for position, record in placed]
        await self._take({"take_record": values})

    async def tally(self) -> Tally:
        """How much is there."""
        row = (await self._link.fetch(SQL["tally"]))[0]
        return Tally(
            interactions=row[0],
            bytes=row[1],
            labels=row[2],
            references=row[3],
            records=row[4],
            record_bytes=row[5],
        )

    async def _take(self, rows: Rows) -> None:
        async def work(connection: Any, again: bool) -> None:
            async with transaction(connection):
                for name, values in rows.items():
                    await connection.executemany(SQL[name], values)

        try:
            await self._link.do(work)
        except pg.UniqueViolationError as error:
            raise ValueError(f"another one is there already: {error}") from error


def _interaction(placed: Placed) -> tuple[Any, ...]:
    row, key = placed.row, placed.idempotency_key
    return (
        placed.position,
        placed.branch,
        placed.depth,
        row.epoch,
        row.attempts,
        stored(row.id),
        stored(row.owner),
        stored(row.root),
        maybe(row.parent),
        CODES[row.status],
        row.background,
        row.last,
        stored(row.worker),
        millis(row.created),
        millis(row.updated),
        maybe_millis(row.expires),
        maybe(row.model),
        maybe(row.agent),
        put_labels(row.labels),
        None if key is None else indexed(key),
        maybe(row.fingerprint),
        row.usage,
        row.errors,
    )
