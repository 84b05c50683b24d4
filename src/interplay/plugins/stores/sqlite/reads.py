"""The reads. Each is one statement, so it sees one moment of the file."""

from __future__ import annotations

import builtins
import sqlite3

import msgspec

from interplay.contracts.store import ChainLink, Filter, StoredInteraction
from interplay.plugins.stores.sqlite.rows import (
    CODES,
    SQL,
    Row,
    is_expired,
    key_of,
    listed,
    millis,
    status_of,
    whole,
)

_EXPIRES, _STATUS = 10, 4


def get(db: sqlite3.Cursor, now: int, id: str) -> StoredInteraction | None:
    """One living row."""
    return _living(db.execute(SQL["get"], (key_of(id), id)).fetchall(), now)


def find_key(db: sqlite3.Cursor, now: int, owner: str, key: str) -> StoredInteraction | None:
    """The living row under an idempotency key."""
    return _living(db.execute(SQL["find_key"], (owner, key)).fetchall(), now)


def workers(db: sqlite3.Cursor) -> set[str]:
    """The executors that hold unended rows."""
    return {row[0] for row in db.execute(SQL["workers"]).fetchall()}


def held(db: sqlite3.Cursor, worker: str, before: float, limit: int) -> builtins.list[str]:
    """Unended rows of an executor created before a time, oldest first."""
    return [row[0] for row in db.execute(SQL["held"], (worker, millis(before), limit)).fetchall()]


def lost(db: sqlite3.Cursor, held: dict[str, int]) -> builtins.list[str]:
    """Those of these that have ended, are gone, or are held under another epoch."""
    asked = msgspec.json.encode([(key_of(id), id, epoch) for id, epoch in held.items()])
    return [row[0] for row in db.execute(SQL["lost"], (asked.decode(),)).fetchall()]


def events(db: sqlite3.Cursor, id: str, after: int) -> builtins.list[bytes]:
    """The events above a number."""
    return [row[0] for row in db.execute(SQL["events"], (key_of(id), id, after)).fetchall()]


def chain(db: sqlite3.Cursor, now: int, id: str) -> builtins.list[ChainLink]:
    """The living turns from the root to an id."""
    rows = db.execute(SQL["chain"], {"key": key_of(id), "id": id, "now": now}).fetchall()
    # Sorted here and not by SQLite, which would carry every text through its sorter.
    rows.sort(key=_depth)
    return [_link(row) for row in rows]


def list(
    db: sqlite3.Cursor, now: int, owner: str, filter: Filter, size: int, before: int | None
) -> tuple[builtins.list[StoredInteraction], int | None]:
    """A page of living rows, newest first, and the position of the next."""
    if size < 1 or (filter.status is not None and filter.status not in CODES):
        return [], None
    if filter.label is not None:
        name = "list_by_label"
    elif filter.root is not None:
        name = "list_by_root"
    elif filter.status not in (None, "completed"):
        name = "list_by_status"
    else:
        name = "list_by_owner"
    key, value = filter.label or (None, None)
    wanted = {
        "owner": owner,
        "before": 2**63 - 1 if before is None else before,
        "now": now,
        "status": None if filter.status is None else CODES[filter.status],
        "model": filter.model,
        "agent": filter.agent,
        "root": filter.root,
        "root_key": None if filter.root is None else key_of(filter.root),
        "key": key,
        "value": value,
        "size": size + 1,
    }
    rows = db.execute(SQL[name], wanted).fetchall()
    more = rows[size - 1][0] if len(rows) > size else None
    return [listed(row[1:]) for row in rows[:size]], more


def expired(db: sqlite3.Cursor, now: float, limit: int) -> builtins.list[str]:
    """Ids of ended rows past their time."""
    return [row[0] for row in db.execute(SQL["expired"], (millis(now), limit)).fetchall()]


def unreferenced(db: sqlite3.Cursor, sha256s: builtins.list[str]) -> builtins.list[str]:
    """Those of these blobs that no row refers to."""
    return unclaimed(db, [bytes.fromhex(sha256) for sha256 in sha256s])


def recall(db: sqlite3.Cursor, id: str) -> dict[str, bytes]:
    """Every memo of one interaction."""
    return dict(db.execute(SQL["memos"], (key_of(id), id)).fetchall())


def unclaimed(db: sqlite3.Cursor, digests: builtins.list[bytes]) -> builtins.list[str]:
    """Those of these digests that no row refers to, in hex."""
    claimed = SQL["blob_claimed"]
    return [one.hex() for one in digests if not db.execute(claimed, (one,)).fetchall()]


def _living(rows: builtins.list[Row], now: int) -> StoredInteraction | None:
    if not rows or is_expired(rows[0][_EXPIRES], rows[0][_STATUS], now):
        return None
    return whole(rows[0])


def _link(row: Row) -> ChainLink:
    _, id, status, request_size, asked_size, steps_size, asked, answered = row
    text = asked or b""
    if answered is not None:
        text += answered
    return ChainLink(
        id=id,
        status=status_of(status),
        input=text[request_size:asked_size],
        steps=None if steps_size is None else text[asked_size : asked_size + steps_size],
    )


def _depth(row: Row) -> int:
    return row[0]
