"""The writes that are made one by one, each on a connection of its own."""

from __future__ import annotations

from typing import Any

from interplay.contracts.store import (
    TERMINAL,
    Ending,
    Fenced,
    Gone,
    NewInteraction,
    StoredInteraction,
)
from interplay.plugins.stores.postgres.faults import pg
from interplay.plugins.stores.postgres.link import Link, transaction
from interplay.plugins.stores.postgres.records import columns_of
from interplay.plugins.stores.postgres.rows import (
    CODES,
    SQL,
    indexed,
    is_expired,
    maybe,
    maybe_millis,
    millis,
    put_labels,
    stored,
    whole,
)
from interplay.wire.usage import InteractionStatus


def check_status(status: InteractionStatus, ending: Ending | None) -> None:
    """An ended status needs an ending, an unended one must not have any."""
    if ending is not None:
        status = ending.status
    if (status in TERMINAL) != (ending is not None):
        raise ValueError(f"'{status}' {'without' if ending is None else 'with'} an ending")


async def create(link: Link, now: int, new: NewInteraction, ending: Ending | None) -> None:
    """Adds a row in its place in the chain. Raises Gone, KeyError, ValueError."""
    check_status(new.status, ending)
    given = _creation(new, ending)
    key = None if new.idempotency_key is None else indexed(new.idempotency_key)

    async def work(connection: Any, again: bool) -> None:
        try:
            await _insert(connection, now, new, given)
        except pg.UniqueViolationError as error:
            # A key may be held by a row that has expired, or by this very row: its commit may
            # have been answered to nobody.
            if await connection.fetchval(SQL["created_as"], *_identity(new, key)):
                return
            if error.constraint_name != "interactions_by_key":
                raise ValueError(f"a row like this is there already: {error}") from error
            held = SQL["drop_expired_key"]
            if await connection.execute(held, stored(new.owner), key, now) == "UPDATE 0":
                raise KeyError(new.idempotency_key) from error
            await _insert(connection, now, new, given)

    try:
        await link.do(work)
    except pg.UniqueViolationError as error:
        # Another process took the key that had just been freed.
        raise KeyError(new.idempotency_key) from error


async def _insert(connection: Any, now: int, new: NewInteraction, given: tuple[Any, ...]) -> None:
    if new.parent is None:
        await connection.fetch(SQL["create"], None, None, *given)
        return
    async with transaction(connection):
        rows = await connection.fetch(SQL["lock_parent"], stored(new.parent))
        if not rows or is_expired(rows[0][2], rows[0][3], now):
            raise Gone(new.parent)
        await connection.fetch(SQL["create"], rows[0][0], rows[0][1], *given)


def _creation(new: NewInteraction, ending: Ending | None) -> tuple[Any, ...]:
    """The values of `create` behind the place."""
    created = millis(new.created)
    status, last, updated, usage, errors = CODES[new.status], -1, created, b"", b""
    steps = replay = None
    blobs = new.blobs
    if ending is not None:
        status, last, updated = CODES[ending.status], ending.last, millis(ending.updated)
        usage, errors, steps, replay = ending.usage, ending.errors, ending.steps, ending.replay
        blobs = blobs + ending.blobs
    return (
        stored(new.id),
        stored(new.owner),
        stored(new.root),
        maybe(new.parent),
        status,
        new.background,
        last,
        stored(new.worker),
        created,
        updated,
        maybe_millis(new.expires),
        maybe(new.model),
        maybe(new.agent),
        put_labels(new.labels),
        None if new.idempotency_key is None else indexed(new.idempotency_key),
        maybe(new.fingerprint),
        usage,
        errors,
        new.request,
        new.input,
        steps,
        replay,
        [indexed(key) for key in new.labels],
        [indexed(value) for value in new.labels.values()],
        [bytes.fromhex(sha256) for sha256 in blobs],
        *columns_of([] if ending is None else ending.records),
    )


def _identity(new: NewInteraction, key: str | None) -> tuple[Any, ...]:
    return (
        stored(new.id),
        stored(new.owner),
        maybe(new.parent),
        millis(new.created),
        maybe(new.fingerprint),
        key,
        new.request,
        new.input,
    )


async def claim(link: Link, id: str, worker: str) -> StoredInteraction:
    """Takes the next epoch for an executor. Raises Gone, Fenced."""

    async def work(connection: Any, again: bool) -> StoredInteraction:
        rows = await connection.fetch(SQL["claim"], stored(id), stored(worker))
        if rows:
            return whole(rows[0])
        status = await connection.fetchval(SQL["status_of"], stored(id))
        raise Gone(id) if status is None else Fenced(id)

    return await link.do(work)


async def release(link: Link, id: str, epoch: int) -> None:
    """Makes a row nobody's, if this epoch still holds it."""
    await link.fetch(SQL["release"], stored(id), epoch)


async def remember(link: Link, id: str, key: str, value: bytes, epoch: int | None) -> None:
    """Keeps a memo. Raises Gone, Fenced."""

    async def work(connection: Any, again: bool) -> None:
        given = stored(id), stored(key), value, epoch
        if not await connection.fetch(SQL["remember"], *given):
            status = await connection.fetchval(SQL["status_of"], stored(id))
            raise Gone(id) if status is None else Fenced(id)

    await link.do(work)


async def delete(link: Link, id: str) -> list[str]:
    """Removes a row with all it has; the blobs nobody claims any more. Raises Gone."""

    async def work(connection: Any, again: bool) -> list[str]:
        async with transaction(connection):
            rows = await connection.fetch(SQL["doom"], stored(id))
            if not rows and again:
                return []  # gone with the first try, whose blobs the sweep will find
            if not rows:
                raise Gone(id)
            seq, branch = rows[0]
            await connection.fetch(SQL["lock_branch"], branch)
            blobs = [row[0] for row in await connection.fetch(SQL["delete"], seq)]
            while branch is not None:
                branch = await connection.fetchval(SQL["prune_branch"], branch)
            return [row[0].hex() for row in await connection.fetch(SQL["unreferenced"], blobs)]

    return await link.do(work)
