"""Long texts in rows that fill their pages."""

from __future__ import annotations

import sqlite3
from typing import cast

from interplay.plugins.stores.sqlite.rows import SQL

Span = tuple[int, int]
"""The first row of a text, and how many rows it has."""

_AT_ONCE = 16
_INSERT = [SQL["insert_piece"] + ", (?)" * (rows - 1) for rows in range(_AT_ONCE + 1)]
"""By the number of rows."""
_DELETE = SQL["delete_text"]

_SMALL, _SMALL_UP_TO = 668, 16 * 1024
_LARGE, _LARGE_UP_TO = 2_030, 256 * 1024
"""Six and two rows fill a page of 4 KiB; longer texts have pages of their own, in which SQLite
itself leaves no gaps."""


def put(db: sqlite3.Cursor, text: bytes) -> Span:
    """Writes a text."""
    size = len(text)
    step = _SMALL if size <= _SMALL_UP_TO else _LARGE if size <= _LARGE_UP_TO else size
    if not size:
        return 0, 0
    whole = bytearray(text)  # sqlite3 looks for an adapter of every bytes, and of no bytearray
    pieces = [whole[at : at + step] for at in range(0, size, step)]
    # One statement's rows take numbers that follow one another, and so do those of the next:
    # nobody else writes meanwhile.
    for at in range(0, len(pieces), _AT_ONCE):
        some = pieces[at : at + _AT_ONCE]
        db.execute(_INSERT[len(some)], some)
    return cast(int, db.lastrowid) - len(pieces) + 1, len(pieces)


def delete(db: sqlite3.Cursor, span: Span) -> None:
    """Removes a text."""
    first, rows = span
    if rows:
        db.execute(_DELETE, (first, first + rows))
