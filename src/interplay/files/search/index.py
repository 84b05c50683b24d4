"""The index of one store on this machine: SQLite's full text search, made from the stored passages.

It holds nothing that cannot be made again: what counts is kept with the documents, and each
machine makes its own index of it when it is first asked, and after each change.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Generator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import msgspec

from interplay.files.search.passages import Passage

_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (version INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS documents (
  id TEXT PRIMARY KEY, title TEXT NOT NULL, metadata BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS passages (
  id INTEGER PRIMARY KEY, document TEXT NOT NULL, page INTEGER, text TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS passages_of ON passages (document);
CREATE VIRTUAL TABLE IF NOT EXISTS words USING fts5 (
  title, text, content='', tokenize='porter unicode61 remove_diacritics 2');
"""
_FORMAT = 1
_MOST_WORDS = 64
_TITLE_WEIGHT, _TEXT_WEIGHT = 2.0, 1.0


class Hit(msgspec.Struct, frozen=True):
    """A passage that was found."""

    document: str
    title: str
    page: int | None
    text: str
    metadata: dict[str, Any]


class Index:
    """One file. Its methods block: call them in a thread; processes may share the file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def version(self) -> int:
        """The version of the store that it shows; -1 when it is new."""
        with self._opened() as db:
            row = db.execute("SELECT version FROM meta").fetchone()
        return row[0] if row is not None else -1

    def known(self) -> set[str]:
        """The documents in it."""
        with self._opened() as db:
            return {row[0] for row in db.execute("SELECT id FROM documents")}

    def add(
        self, id: str, title: str, metadata: Mapping[str, Any], passages: list[Passage]
    ) -> None:
        """Takes in a document; nothing happens when it is there."""
        with self._opened() as db, self._writing(db):
            added = db.execute(
                "INSERT OR IGNORE INTO documents VALUES (?, ?, ?)",
                (id, title, msgspec.json.encode(metadata)),
            )
            if not added.rowcount:
                return
            for passage in passages:
                row = db.execute(
                    "INSERT INTO passages (document, page, text) VALUES (?, ?, ?)",
                    (id, passage.page, passage.text),
                )
                db.execute(
                    "INSERT INTO words (rowid, title, text) VALUES (?, ?, ?)",
                    (row.lastrowid, title, passage.text),
                )

    def remove(self, id: str) -> None:
        """Takes a document out; silent when it is not there."""
        with self._opened() as db, self._writing(db):
            row = db.execute("SELECT title FROM documents WHERE id = ?", (id,)).fetchone()
            if row is None:
                return
            for number, text in db.execute(
                "SELECT id, text FROM passages WHERE document = ?", (id,)
            ).fetchall():
                db.execute(
                    "INSERT INTO words (words, rowid, title, text) VALUES ('delete', ?, ?, ?)",
                    (number, row[0], text),
                )
            db.execute("DELETE FROM passages WHERE document = ?", (id,))
            db.execute("DELETE FROM documents WHERE id = ?", (id,))

    def reached(self, version: int) -> None:
        """It shows this version of the store now."""
        with self._opened() as db, self._writing(db):
            db.execute("DELETE FROM meta")
            db.execute("INSERT INTO meta VALUES (?)", (version,))

    def metadata(self) -> dict[str, dict[str, Any]]:
        """The metadata of every document."""
        with self._opened() as db:
            found = db.execute("SELECT id, metadata FROM documents").fetchall()
        return {id: msgspec.json.decode(raw) for id, raw in found}

    def search(self, text: str, count: int, among: list[str] | None = None) -> list[Hit]:
        """Passages that hold words of `text`, the best first; `among` names the documents that
        may be found."""
        query = _query(text)
        if not query:
            return []
        only, values = "", list[Any]()
        if among is not None:
            only = "AND p.document IN (SELECT value FROM json_each(?))"
            values = [msgspec.json.encode(among).decode()]
        with self._opened() as db:
            rows = db.execute(
                "SELECT p.document, d.title, p.page, p.text, d.metadata FROM words"
                " JOIN passages p ON p.id = words.rowid JOIN documents d ON d.id = p.document"
                f" WHERE words MATCH ? {only}"
                f" ORDER BY bm25(words, {_TITLE_WEIGHT}, {_TEXT_WEIGHT}), p.id LIMIT ?",
                [query, *values, count],
            ).fetchall()
        return [
            Hit(document, title, page, text, msgspec.json.decode(metadata))
            for document, title, page, text, metadata in rows
        ]

    @contextmanager
    def _opened(self) -> Generator[sqlite3.Connection]:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with closing(sqlite3.connect(self._path, timeout=30.0, isolation_level=None)) as db:
            if db.execute("PRAGMA user_version").fetchone()[0] != _FORMAT:
                db.execute("PRAGMA journal_mode = WAL")
                with self._writing(db):
                    for statement in _SCHEMA.strip().split(";\n"):
                        db.execute(statement)
                    db.execute(f"PRAGMA user_version = {_FORMAT}")
            db.execute("PRAGMA synchronous = OFF")  # what a power cut takes is made again
            yield db

    @contextmanager
    def _writing(self, db: sqlite3.Connection) -> Generator[None]:
        db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            db.execute("ROLLBACK")
            raise
        db.execute("COMMIT")


def _query(text: str) -> str:
    """The words of a question, any of which may be found; none of FTS5's own signs."""
    words = dict.fromkeys(word.lower() for word in re.findall(r"\w+", text))
    return " OR ".join(f'"{word}"' for word in list(words)[:_MOST_WORDS])
