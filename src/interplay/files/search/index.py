"""The index of one store on this machine: SQLite's full text search, and a file of vectors.

It holds nothing that cannot be made again: passages and vectors are kept with the documents, and
each machine makes its own index of them when it is first asked, and after each change.
"""

from __future__ import annotations

import hashlib
import re
import sqlite3
from collections.abc import Generator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import msgspec

from interplay.files.search import vectors
from interplay.files.search.fusion import fused
from interplay.files.search.passages import Passage
from interplay.files.search.vectors import Near, Vectors

_SUFFIX = ".vectors"

_SCHEMA = """
CREATE TABLE meta (version INTEGER NOT NULL);
CREATE TABLE documents (
  id TEXT PRIMARY KEY, title TEXT NOT NULL, metadata BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE passages (
  id INTEGER PRIMARY KEY, document TEXT NOT NULL, page INTEGER, text TEXT NOT NULL);
CREATE INDEX passages_of ON passages (document);
CREATE TABLE vectors (
  document TEXT PRIMARY KEY, embedder TEXT NOT NULL, dims INTEGER NOT NULL,
  start INTEGER NOT NULL, passage INTEGER NOT NULL, count INTEGER NOT NULL) WITHOUT ROWID;
CREATE VIRTUAL TABLE words USING fts5 (
  title, text, content='', tokenize='porter unicode61 remove_diacritics 2');
"""
_TABLES = ("meta", "documents", "passages", "vectors", "words")
_FORMAT = 2
_MOST_WORDS = 64
_TITLE_WEIGHT, _TEXT_WEIGHT = 2.0, 1.0
_SMALL_WORDS = (
    "a an and are as at be but by can do does for from had has have how i if in into is it its my"
    " no not of on or our so such than that the their then there these they this to was we were"
    " what when where which who why will with would you your"
)
_EVERYWHERE = frozenset(_SMALL_WORDS.split())
_DEPTH = 20
"""Passages of each ranking that are looked at, at least."""
_WORDS_WEIGHT, _NEAR_WEIGHT = 1.75, 1.0
"""Of the two rankings; set with bench/retrieval.py."""


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
        """The version of the store that it shows; -1 when it is new, or lost its vectors."""
        with self._opened() as db:
            row = db.execute("SELECT version FROM meta").fetchone()
            lost = [
                (embedder,)
                for embedder, dims, rows in db.execute(
                    "SELECT embedder, dims, max(start + count) FROM vectors GROUP BY embedder"
                ).fetchall()
                if not vectors.holds(self._beside(embedder), rows, dims)
            ]
            if lost:
                with self._writing(db):
                    db.executemany("DELETE FROM vectors WHERE embedder = ?", lost)
        return row[0] if row is not None and not lost else -1

    def known(self) -> dict[str, str]:
        """The documents in it, and who made the vectors of each; "" where there are none."""
        with self._opened() as db:
            return dict(
                db.execute(
                    "SELECT d.id, coalesce(v.embedder, '') FROM documents d"
                    " LEFT JOIN vectors v ON v.document = d.id"
                ).fetchall()
            )

    def add(
        self,
        id: str,
        title: str,
        metadata: Mapping[str, Any],
        passages: list[Passage],
        given: Vectors | None = None,
    ) -> None:
        """Takes in a document, with its vectors where they are given; a document that is there
        gets its vectors only."""
        with self._opened() as db, self._writing(db):
            added = db.execute(
                "INSERT OR IGNORE INTO documents VALUES (?, ?, ?)",
                (id, title, msgspec.json.encode(metadata)),
            )
            for passage in passages if added.rowcount else ():
                row = db.execute(
                    "INSERT INTO passages (document, page, text) VALUES (?, ?, ?)",
                    (id, passage.page, passage.text),
                )
                db.execute(
                    "INSERT INTO words (rowid, title, text) VALUES (?, ?, ?)",
                    (row.lastrowid, title, passage.text),
                )
            if given is not None and passages:
                self._place(db, id, given)

    def _place(self, db: sqlite3.Connection, id: str, given: Vectors) -> None:
        first, count = db.execute(
            "SELECT min(id), count(*) FROM passages WHERE document = ?", (id,)
        ).fetchone()
        if count != given.count:
            raise ValueError(f"{given.count} vectors for {count} passages of {id}")
        db.execute("DELETE FROM vectors WHERE document = ?", (id,))
        end, used = db.execute(
            "SELECT coalesce(max(start + count), 0), coalesce(sum(count), 0) FROM vectors"
            " WHERE embedder = ?",
            (given.embedder,),
        ).fetchone()
        start = end if end == used else self._gap(db, given, end)
        vectors.write(self._beside(given.embedder), start, given)
        db.execute(
            "INSERT INTO vectors VALUES (?, ?, ?, ?, ?, ?)",
            (id, given.embedder, given.dims, start, first, count),
        )

    def _gap(self, db: sqlite3.Connection, given: Vectors, end: int) -> int:
        """Where removed documents left room enough."""
        at = 0
        for start, count in db.execute(
            "SELECT start, count FROM vectors WHERE embedder = ? ORDER BY start",
            (given.embedder,),
        ):
            if start - at >= given.count:
                return at
            at = start + count
        return end

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
            for table in ("passages", "vectors"):
                db.execute(f"DELETE FROM {table} WHERE document = ?", (id,))
            db.execute("DELETE FROM documents WHERE id = ?", (id,))

    def reached(self, version: int) -> None:
        """It shows this version of the store now."""
        with self._opened() as db, self._writing(db):
            db.execute("DELETE FROM meta")
            db.execute("INSERT INTO meta VALUES (?)", (version,))
            used = {row[0] for row in db.execute("SELECT DISTINCT embedder FROM vectors")}
            living = {self._beside(embedder) for embedder in used}
            for path in self._path.parent.glob(f"{self._path.stem}.*{_SUFFIX}"):
                if path not in living:
                    path.unlink(missing_ok=True)

    def metadata(self) -> dict[str, dict[str, Any]]:
        """The metadata of every document."""
        with self._opened() as db:
            found = db.execute("SELECT id, metadata FROM documents").fetchall()
        return {id: msgspec.json.decode(raw) for id, raw in found}

    def embedded(self, embedder: str) -> bool:
        """Whether any vectors of an embedder are in it."""
        with self._opened() as db:
            asked = "SELECT 1 FROM vectors WHERE embedder = ? LIMIT 1"
            return db.execute(asked, (embedder,)).fetchone() is not None

    def search(
        self, text: str, count: int, among: list[str] | None = None, near: Near | None = None
    ) -> list[Hit]:
        """The best passages first: those that hold words of `text`, and with `near` those whose
        vectors are near it, the two rankings made into one. `among` names the documents that may
        be found."""
        depth = max(count, _DEPTH) if near is not None else count
        only = msgspec.json.encode(among).decode() if among is not None else None
        with self._opened() as db:
            db.execute("BEGIN")  # all that is read is of one moment
            rankings = [(_WORDS_WEIGHT, _worded(db, text, depth, only))]
            if near is not None:
                rankings.append((_NEAR_WEIGHT, self._nearest(db, near, depth, only)))
            found = _hits(db, fused(rankings)[:count])
            db.execute("COMMIT")
        return found

    def _nearest(
        self, db: sqlite3.Connection, near: Near, count: int, only: str | None
    ) -> list[int]:
        some, values = _only("document", only)
        blocks = [
            vectors.Block(*row)
            for row in db.execute(
                f"SELECT start, passage, count FROM vectors WHERE embedder = ? {some}",
                [near.embedder, *values],
            )
        ]
        return vectors.nearest(self._beside(near.embedder), blocks, near.vector, count)

    def _beside(self, embedder: str) -> Path:
        """The file of an embedder's vectors."""
        mark = hashlib.sha256(embedder.encode()).hexdigest()[:16]
        return self._path.with_name(f"{self._path.stem}.{mark}{_SUFFIX}")

    def unlink(self) -> None:
        """Deletes all of it."""
        for suffix in ("", "-wal", "-shm"):
            Path(f"{self._path}{suffix}").unlink(missing_ok=True)
        for path in self._path.parent.glob(f"{self._path.stem}.*{_SUFFIX}"):
            path.unlink(missing_ok=True)

    @contextmanager
    def _opened(self) -> Generator[sqlite3.Connection]:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with closing(sqlite3.connect(self._path, timeout=30.0, isolation_level=None)) as db:
            if not _made(db):
                db.execute("PRAGMA journal_mode = WAL")
                with self._writing(db):
                    if not _made(db):  # nobody else did meanwhile
                        for table in _TABLES:  # of an earlier form: all of it is made again
                            db.execute(f"DROP TABLE IF EXISTS {table}")
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


def _made(db: sqlite3.Connection) -> bool:
    return db.execute("PRAGMA user_version").fetchone()[0] == _FORMAT


def _only(column: str, among: str | None) -> tuple[str, list[str]]:
    if among is None:
        return "", []
    return f"AND {column} IN (SELECT value FROM json_each(?))", [among]


def _worded(db: sqlite3.Connection, text: str, count: int, only: str | None) -> list[int]:
    query = _query(text)
    if not query:
        return []
    some, values = _only("(SELECT document FROM passages p WHERE p.id = words.rowid)", only)
    rows = db.execute(
        f"SELECT rowid FROM words WHERE words MATCH ? {some}"
        f" ORDER BY bm25(words, {_TITLE_WEIGHT}, {_TEXT_WEIGHT}), rowid LIMIT ?",
        [query, *values, count],
    )
    return [row[0] for row in rows]


def _hits(db: sqlite3.Connection, ids: list[int]) -> list[Hit]:
    rows = db.execute(
        "SELECT p.id, p.document, d.title, p.page, p.text, d.metadata FROM passages p"
        " JOIN documents d ON d.id = p.document WHERE p.id IN (SELECT value FROM json_each(?))",
        (msgspec.json.encode(ids).decode(),),
    )
    found = {
        id: Hit(document, title, page, text, msgspec.json.decode(metadata))
        for id, document, title, page, text, metadata in rows
    }
    return [found[id] for id in ids if id in found]


def _query(text: str) -> str:
    """The words of a question, any of which may be found; none of FTS5's own signs. Words that
    stand in nearly every passage tell nothing and cost the most: they are left out beside others.
    """
    words = dict.fromkeys(word.lower() for word in re.findall(r"\w+", text))
    told = [word for word in words if word not in _EVERYWHERE] or list(words)
    return " OR ".join(f'"{word}"' for word in told[:_MOST_WORDS])
