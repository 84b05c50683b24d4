"""Long texts in rows that fill their pages."""

from __future__ import annotations

import sqlite3
from typing import cast

from interplay.plugins.stores.sqlite.rows import SQL

Span = tuple[int, int]
"""The first row of a text, and how many rows it has."""

_INSERT = SQL["insert_piece"]
_DELETE = SQL["delete_text"]

_SMALL, _SMALL_UP_TO = 1_350, 16 * 1024
_LARGE, _LARGE_UP_TO = 4_072, 256 * 1024
"""Six and two rows fill a page of 8 KiB; longer texts have pages of their own, in which SQLite
itself leaves no gaps."""


def put(db: sqlite3.Cursor, text: bytes) -> Span:
    """Writes a text."""
    size = len(text)
    step = _SMALL if size <= _SMALL_UP_TO else _LARGE if size <= _LARGE_UP_TO else size
    if size <= step:
        if not size:
            return 0, 0
        db.execute(_INSERT, (text,))
        return cast(int, db.lastrowid), 1
    db.execute(_INSERT, (text[:step],))
    first = cast(int, db.lastrowid)
    # The rows that follow take the numbers that follow: nobody else writes meanwhile.
    rest = [(text[at : at + step],) for at in range(step, size, step)]
    db.executemany(_INSERT, rest)
    return first, 1 + len(rest)


def delete(db: sqlite3.Cursor, span: Span) -> None:
    """Removes a text."""
    first, rows = span
    if rows:
        db.execute(_DELETE, (first, first + rows))
