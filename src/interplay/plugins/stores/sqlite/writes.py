"""The writes. Each runs inside a transaction that others share, and refuses before it changes
anything: what it raises then fails its own caller alone."""

from __future__ import annotations

import sqlite3
from typing import cast

import msgspec

from interplay.contracts.store import (
    TERMINAL,
    Ending,
    Fenced,
    Gone,
    NewInteraction,
    StoredInteraction,
)
from interplay.plugins.stores.sqlite import texts
from interplay.plugins.stores.sqlite.reads import events as read_events
from interplay.plugins.stores.sqlite.reads import unclaimed
from interplay.plugins.stores.sqlite.records import bring
from interplay.plugins.stores.sqlite.rows import (
    CODES,
    SQL,
    UNENDED,
    is_expired,
    key_of,
    millis,
    whole,
)
from interplay.wire.usage import InteractionStatus

_KEY_HOLDER = SQL["key_holder"]
_DROP_KEY = SQL["drop_key"]
_PARENT_PLACE = SQL["parent_place"]
_IS_INNER = SQL["is_inner"]
_OPEN_BRANCH = SQL["open_branch"]
_INSERT_INTERACTION = SQL["insert_interaction"]
_INSERT_LABEL = SQL["insert_label"]
_INSERT_BLOB = SQL["insert_blob"]
_FENCE_OF = SQL["fence_of"]
_CLAIM = SQL["claim"]
_ADVANCE = SQL["advance"]
_GET = SQL["get"]
_MAY_FINISH = SQL["may_finish"]
_FINISH = SQL["finish"]
_INSERT_EVENT = SQL["insert_event"]
_SET_STATUS = SQL["set_status"]
_DELETE_EVENTS = SQL["delete_events"]
_DELETE_MEMOS = SQL["delete_memos"]


def create(db: sqlite3.Cursor, now: int, new: NewInteraction, ending: Ending | None) -> None:
    """Adds a row in its place in the chain. Raises Gone, KeyError."""
    status = _checked_status(new.status, ending)
    freed = place = None
    if new.idempotency_key is not None:
        freed = _free_key(db, now, new.owner, new.idempotency_key)
    if new.parent is not None:
        place = db.execute(_PARENT_PLACE, (key_of(new.parent), new.parent)).fetchone()
        if place is None or is_expired(place[3], place[4], now):
            raise Gone(new.parent)
    if freed is not None:
        db.execute(_DROP_KEY, (freed,))
    branch, depth, came_from = None, 0, None
    if place is not None:
        root = cast(str, new.parent if place[5] is None else place[5])
        branch, depth, came_from = _take_place(db, root, *place[:3])
    iid = _insert(db, new, ending, status, branch, depth)
    if came_from is not None and branch is None:
        db.execute(_OPEN_BRANCH, (iid, key_of(new.root), new.root, came_from, depth - 1))
    if new.labels:
        rows = [(new.owner, key, value, iid) for key, value in new.labels.items()]
        db.executemany(_INSERT_LABEL, rows)
    if new.blobs:
        _claim_blobs(db, iid, new.blobs)
    if ending is not None:
        _end_besides(db, iid, ending)


def _insert(
    db: sqlite3.Cursor,
    new: NewInteraction,
    ending: Ending | None,
    status: int,
    branch: int | None,
    depth: int,
) -> int:
    """Writes the row and all its texts in one; its number."""
    created = millis(new.created)
    root = None if new.parent is not None or new.root == new.id else new.root
    text = new.request + new.input
    asked_size = len(text)
    if ending is None:
        last, updated, end = -1, created, (None, None, None)
    else:
        text += ending.steps + ending.replay
        last, updated = ending.last, millis(ending.updated)
        end = len(ending.steps), bytearray(ending.usage), bytearray(ending.errors)
    span = texts.put(db, text)
    db.execute(
        _INSERT_INTERACTION,
        (
            key_of(new.id),
            new.id,
            new.owner,
            branch,
            depth,
            root,
            None if root is None else key_of(root),
            status,
            int(new.background),
            last,
            created,
            updated,
            None if new.expires is None else millis(new.expires),
            new.parent,
            new.model,
            new.agent,
            msgspec.json.encode(new.labels).decode() if new.labels else None,
            new.idempotency_key,
            new.fingerprint,
            new.worker,
            *span,
            len(new.request),
            asked_size,
            *end,
        ),
    )
    return cast(int, db.lastrowid)


def claim(db: sqlite3.Cursor, id: str, worker: str) -> StoredInteraction:
    """Takes the next epoch for an executor. Raises Gone, Fenced."""
    if db.execute(_CLAIM, (worker, key_of(id), id)).rowcount == 0:
        raise _why_not(db, id)
    return whole(db.execute(_GET, (key_of(id), id)).fetchone())


def release(db: sqlite3.Cursor, id: str, epoch: int) -> None:
    """Makes a row nobody's, if this epoch still holds it."""
    db.execute(SQL["release"], (key_of(id), id, epoch))


def append(
    db: sqlite3.Cursor,
    id: str,
    epoch: int,
    last: int,
    events: list[bytes],
    status: InteractionStatus | None,
    ending: Ending | None,
) -> None:
    """Appends events, or ends the interaction. Raises Fenced."""
    if ending is not None:
        code = _checked_status(ending.status, ending)
        row = db.execute(_MAY_FINISH, (key_of(id), id, epoch, last)).fetchone()
        if row is None:
            if _is_that_end(db, id, epoch, ending):
                return
            raise Fenced(id)
        iid = row[0]
        answered, pieces = texts.put(db, ending.steps + ending.replay)
        sizes = answered, pieces, len(ending.steps)
        told = ending.usage, ending.errors
        db.execute(_FINISH, (code, millis(ending.updated), ending.last, *sizes, *told, iid))
        db.execute(_DELETE_EVENTS, (iid,))
        db.execute(_DELETE_MEMOS, (iid,))
        _end_besides(db, iid, ending)
        return
    code = None if status is None else _checked_status(status, None)
    row = db.execute(_ADVANCE, (last + len(events), key_of(id), id, epoch, last)).fetchone()
    if row is None:
        if _are_those_events(db, id, epoch, last, events, code):
            return
        raise Fenced(id)
    iid = row[0]
    if code is not None:
        db.execute(_SET_STATUS, {"iid": iid, "status": code})
    if events:
        rows = [(iid, number, data) for number, data in enumerate(events, last + 1)]
        db.executemany(_INSERT_EVENT, rows)


def delete(db: sqlite3.Cursor, id: str) -> list[str]:
    """Removes a row with all it has; the blobs nobody claims any more. Raises Gone."""
    row = db.execute(SQL["doomed"], (key_of(id), id)).fetchone()
    if row is None:
        raise Gone(id)
    iid, branch, owner, labels, asked, asked_pieces, answered, answered_pieces = row
    texts.delete(db, (asked, asked_pieces))
    texts.delete(db, (answered or 0, answered_pieces or 0))
    blobs = [found[0] for found in db.execute(SQL["blobs_of"], (iid,)).fetchall()]
    for name in ("interaction", "events", "memos", "blobs"):
        db.execute(SQL[f"delete_{name}"], (iid,))
    if labels:
        for key, value in msgspec.json.decode(labels, type=dict[str, str]).items():
            db.execute(SQL["delete_label"], (owner, key, value, iid))
    while branch is not None:
        pruned = db.execute(SQL["prune_branch"], {"branch": branch}).fetchone()
        branch = None if pruned is None else pruned[0]
    return unclaimed(db, blobs)


def remember(db: sqlite3.Cursor, id: str, key: str, value: bytes, epoch: int | None) -> None:
    """Keeps a memo. Raises Gone, Fenced."""
    fence = db.execute(_FENCE_OF, (key_of(id), id)).fetchone()
    if fence is None:
        raise Gone(id)
    iid, status, held, _ = fence
    if status >= UNENDED or (epoch is not None and held != epoch):
        raise Fenced(id)
    db.execute(SQL["insert_memo"], (iid, key, value))


def _free_key(db: sqlite3.Cursor, now: int, owner: str, key: str) -> int | None:
    """The expired row that still holds the key; raises KeyError when a living one does."""
    holder = db.execute(_KEY_HOLDER, (owner, key)).fetchone()
    if holder is None:
        return None
    seq, expires, status = holder
    if not is_expired(expires, status, now):
        raise KeyError(key)
    return cast(int, seq)


def _take_place(
    db: sqlite3.Cursor, root: str, seq: int, branch: int | None, depth: int
) -> tuple[int | None, int, int]:
    """Branch and depth of a child, None for a branch of its own, and the parent's branch.

    `root` is the parent's, if it is a first turn."""
    line = seq if branch is None else branch
    if depth == 0:
        db.execute(_OPEN_BRANCH, (line, key_of(root), root, None, None))
    inner = db.execute(_IS_INNER, {"branch": line, "depth": depth}).fetchone()[0]
    return None if inner else line, depth + 1, line


def _are_those_events(
    db: sqlite3.Cursor, id: str, epoch: int, last: int, events: list[bytes], status: int | None
) -> bool:
    """Whether the row stands where an append has brought it that was made before."""
    fence = db.execute(_FENCE_OF, (key_of(id), id)).fetchone()
    if fence is None or fence[1] >= UNENDED or fence[2:] != (epoch, last + len(events)):
        return False
    return status in (None, fence[1]) and read_events(db, id, last) == events


def _is_that_end(db: sqlite3.Cursor, id: str, epoch: int, ending: Ending) -> bool:
    """Whether the row has ended just like this, under this epoch."""
    rows = db.execute(_GET, (key_of(id), id)).fetchall()
    if not rows:
        return False
    row = whole(rows[0])
    return (row.epoch, row.last, row.status, row.steps, millis(row.updated)) == (
        epoch,
        ending.last,
        ending.status,
        ending.steps,
        millis(ending.updated),
    )


def _end_besides(db: sqlite3.Cursor, iid: int, ending: Ending) -> None:
    """What an end brings that few ends have."""
    if ending.blobs:
        _claim_blobs(db, iid, ending.blobs)
    if ending.records:
        bring(db, ending.records)


def _claim_blobs(db: sqlite3.Cursor, iid: int, blobs: list[str]) -> None:
    db.executemany(_INSERT_BLOB, [(iid, bytes.fromhex(sha256)) for sha256 in blobs])


def _checked_status(status: InteractionStatus, ending: Ending | None) -> int:
    """The code of a status; an ended one needs an ending, an unended one must not have any."""
    if ending is not None:
        status = ending.status
    if (status in TERMINAL) != (ending is not None):
        raise ValueError(f"'{status}' {'without' if ending is None else 'with'} an ending")
    return CODES[status]


def _why_not(db: sqlite3.Cursor, id: str) -> Exception:
    """Gone, or Fenced when it has ended."""
    there = db.execute(_FENCE_OF, (key_of(id), id)).fetchone()
    return Gone(id) if there is None else Fenced(id)
