"""The index of a folder: SQLite with full-text search, brought up to date file by file."""

from __future__ import annotations

import hashlib
import logging
import os
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path, PurePath

import msgspec

from interplay.contracts.failure import NotInstalled
from interplay.plugins.engines.corpus.texts import KNOWN, Text, Unreadable, text_of

log = logging.getLogger("interplay.engines.corpus")

_VERSION = 1
_BATCH = 400
_MOST_WORDS = 32
_TERM = re.compile(r'"([^"]+)"|(\w+)')
_SCHEMA = f"""
CREATE TABLE page (
  id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE, modified INTEGER NOT NULL,
  size INTEGER NOT NULL, hash BLOB NOT NULL);
CREATE VIRTUAL TABLE words USING fts5(
  title, body, tokenize = "porter unicode61 remove_diacritics 2");
PRAGMA user_version = {_VERSION};
"""
_SEARCH = """
SELECT page.path, words.title, snippet(words, 1, '', '', ' … ', 48)
FROM words JOIN page ON page.id = words.rowid
WHERE words MATCH ? AND rank MATCH 'bm25(5.0, 1.0)'
ORDER BY rank LIMIT ?
"""


class Found(msgspec.Struct):
    """A page that answers a query."""

    path: str
    """Below the folder, with slashes."""
    title: str
    snippet: str


class Looked(msgspec.Struct):
    """What one look at the folder changed."""

    written: int = 0
    removed: int = 0
    unreadable: int = 0


class _File(msgspec.Struct):
    path: str
    modified: int
    size: int


class Index:
    """Of one folder, in one file. For one thread at a time; other processes may use the same
    file. Raises sqlite3.Error, and OSError when the folder cannot be read."""

    def __init__(self, folder: Path, file: Path, *, file_bytes: int, most: int) -> None:
        self._folder, self._file = folder, file
        self._file_bytes, self._most = file_bytes, most
        self._link: sqlite3.Connection | None = None
        self._without_pdf = False

    def look(self) -> Looked:
        """Reads what is new or changed since the last look, and forgets what is gone."""
        link, looked = self._opened(), Looked()
        files = {file.path: file for file in self._files()}
        known: dict[str, tuple[int, int]] = {
            path: (modified, size)
            for path, modified, size in link.execute("SELECT path, modified, size FROM page")
        }
        gone = [path for path in known if path not in files]
        changed = [
            file for file in files.values() if known.get(file.path) != (file.modified, file.size)
        ]
        for start in range(0, len(gone), _BATCH):
            with _Writing(link):
                for path in gone[start : start + _BATCH]:
                    looked.removed += _removed(link, path)
        for start in range(0, len(changed), _BATCH):
            with _Writing(link):
                for file in changed[start : start + _BATCH]:
                    self._read(link, file, looked)
        return looked

    def search(self, query: str, count: int) -> list[Found]:
        """The best pages first; words of the title weigh more. "..." stays together."""
        terms = [phrase or word for phrase, word in _TERM.findall(query)][:_MOST_WORDS]
        wanted = " OR ".join('"{}"'.format(term.replace('"', " ")) for term in terms)
        if not wanted:
            return []
        rows = self._opened().execute(_SEARCH, (wanted, count))
        return [Found(path, title, snippet) for path, title, snippet in rows]

    def close(self) -> None:
        """Lets go of the file."""
        link, self._link = self._link, None
        if link is not None:
            link.close()

    def forget(self) -> None:
        """Drops the whole index; the next look makes it again."""
        self.close()
        for end in ("", "-wal", "-shm"):
            Path(f"{self._file}{end}").unlink(missing_ok=True)

    def _opened(self) -> sqlite3.Connection:
        if self._link is not None:
            return self._link
        link = sqlite3.connect(self._file, isolation_level=None, check_same_thread=False)
        try:
            link.execute("PRAGMA busy_timeout = 10000")
            link.execute("PRAGMA journal_mode = WAL")
            link.execute("PRAGMA synchronous = OFF")  # it can be made again
            with _Writing(link):
                (version,) = link.execute("PRAGMA user_version").fetchone()
                if version != _VERSION:
                    link.execute("DROP TABLE IF EXISTS words")
                    link.execute("DROP TABLE IF EXISTS page")
                    for statement in _SCHEMA.split(";\n"):
                        link.execute(statement)
        except sqlite3.Error:
            link.close()
            raise
        self._link = link
        return link

    def _files(self) -> Iterator[_File]:
        """Readable kinds below the folder, hidden ones and links left out."""
        seen = 0
        waiting = [self._folder]
        while waiting:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    if entry.name.startswith("."):
                        continue
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(Path(entry.path))
                    elif (
                        entry.is_file(follow_symlinks=False)
                        and PurePath(entry.name).suffix.lower() in KNOWN
                    ):
                        stat = entry.stat(follow_symlinks=False)
                        if stat.st_size > self._file_bytes:
                            continue
                        seen += 1
                        if seen > self._most:
                            log.warning("the corpus has more than %s files", self._most)
                            return
                        path = PurePath(entry.path).relative_to(self._folder).as_posix()
                        yield _File(path, stat.st_mtime_ns, stat.st_size)

    def _read(self, link: sqlite3.Connection, file: _File, looked: Looked) -> None:
        try:
            data = (self._folder / file.path).read_bytes()
        except OSError as error:  # it went between the look and now, or is not ours to read
            log.info("%s is left out: %s", file.path, error.strerror)
            looked.unreadable += 1
            looked.removed += _removed(link, file.path)
            return
        digest = hashlib.blake2b(data, digest_size=16).digest()
        row = link.execute("SELECT id, hash FROM page WHERE path = ?", (file.path,)).fetchone()
        if row is not None and row[1] == digest:
            link.execute(
                "UPDATE page SET modified = ?, size = ? WHERE id = ?",
                (file.modified, file.size, row[0]),
            )
            return
        _removed(link, file.path)
        text = self._text(file, data)
        if text is None:
            looked.unreadable += 1
            return
        written = link.execute(
            "INSERT INTO page (path, modified, size, hash) VALUES (?, ?, ?, ?)",
            (file.path, file.modified, file.size, digest),
        )
        link.execute(
            "INSERT INTO words (rowid, title, body) VALUES (?, ?, ?)",
            (written.lastrowid, text.title, text.body),
        )
        looked.written += 1

    def _text(self, file: _File, data: bytes) -> Text | None:
        try:
            return text_of(PurePath(file.path), data)
        except Unreadable as error:
            log.info("%s is left out: %s", file.path, error)
        except NotInstalled as error:
            if not self._without_pdf:
                self._without_pdf = True
                log.warning("%s; such files are left out", error.message)
        return None


def _removed(link: sqlite3.Connection, path: str) -> int:
    row = link.execute("SELECT id FROM page WHERE path = ?", (path,)).fetchone()
    if row is None:
        return 0
    link.execute("DELETE FROM words WHERE rowid = ?", row)
    link.execute("DELETE FROM page WHERE id = ?", row)
    return 1


class _Writing:
    """A transaction that waits for other processes before it reads what it will write."""

    def __init__(self, link: sqlite3.Connection) -> None:
        self._link = link

    def __enter__(self) -> None:
        self._link.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._link.execute("COMMIT" if kind is None else "ROLLBACK")
