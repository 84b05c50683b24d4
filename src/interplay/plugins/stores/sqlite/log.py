"""The write-ahead log, moved into the file beside the writer, so that no commit waits for it."""

from __future__ import annotations

import logging
import os
import sqlite3
import sys
import threading
from pathlib import Path
from time import perf_counter

from interplay.plugins.stores.sqlite.faults import is_busy

_PACE_SECONDS = 0.5
_LONG_LOG_PAGES = 8_000
_TOO_LONG_LOG_PAGES = 128_000
_PASSES = 5
_SHORT_PASS_SECONDS = 0.01
_OTHERS_MILLIS = 200
"""How long a log that several write waits for them to begin it anew; they wait meanwhile."""

_log = logging.getLogger(__name__)


class LogFolder:
    """Moves the log into the file, in a thread of its own.

    A long log is moved while writes go on, and the writer asked to finish it between two batches,
    which lets the log begin anew. When writes pause it is emptied, so that nothing deleted stays
    in it. `shared`: other processes write the same log, and have such a thread too. `long`: pages
    from which on it is moved while writes go on.
    """

    def __init__(
        self,
        db: sqlite3.Connection,
        file: Path,
        *,
        shared: bool = False,
        long: int = _LONG_LOG_PAGES,
    ) -> None:
        self._db = db
        self._index = LogIndex(file)
        self._shared = shared
        self._long = long
        self._folding = threading.Lock()
        self._short_enough = False
        self._dirty = threading.Event()
        self._hurry = threading.Event()
        self._closing = False
        self.emptied = threading.Event()
        """Set while the log is empty as far as this thread knows."""
        self._thread = threading.Thread(target=self._live, name="interplay-store-log", daemon=True)

    def start(self) -> None:
        """Begins to work."""
        self._thread.start()

    def wrote(self, db: sqlite3.Connection) -> None:
        """The writer's own part, between two batches, where no write is in its way."""
        if not self._dirty.is_set():
            self.emptied.clear()
            self._dirty.set()
        pages = self.pages()
        if pages > self._long:
            self._hurry.set()
        if self._short_enough or pages > _TOO_LONG_LOG_PAGES:
            # The second is for a disk that cannot follow: writes then wait for it.
            with self._folding:
                self._short_enough = False
                fold_log(db, "PASSIVE")

    def close(self) -> None:
        """Empties the log and lets go of the connection. Blocks."""
        self._closing = True
        self._dirty.set()
        self._hurry.set()
        self._thread.join()
        fold_log(self._db, "TRUNCATE")
        self._db.close()
        self._index.close()

    def pages(self) -> int:
        """The length of the log."""
        return self._index.pages()

    def _live(self) -> None:
        while not self._closing:
            self._dirty.wait()
            self._dirty.clear()
            pages = self.pages()
            if self._hurry.wait(_PACE_SECONDS):
                self._hurry.clear()
                self._shorten()
                self._dirty.set()
            elif self._shared and self.pages() != pages:
                # Others write: it is not the time.
                self._dirty.set()
            elif not self._dirty.is_set():
                self._empty()

    def _empty(self) -> None:
        with self._folding:
            # Most of it without the lock that a write would wait for.
            fold_log(self._db, "PASSIVE")
            if not fold_log(self._db, "TRUNCATE"):
                self._dirty.set()
            elif not self._dirty.is_set():
                self.emptied.set()

    def _shorten(self) -> None:
        """Catches up with the writer until the rest is short enough for him to finish."""
        for _ in range(_PASSES):
            began = perf_counter()
            with self._folding:
                fold_log(self._db, "PASSIVE")
            if perf_counter() - began < _SHORT_PASS_SECONDS:
                break
        if self._shared:
            # No writer is ever between two batches of all the others.
            self._db.execute(f"PRAGMA busy_timeout = {_OTHERS_MILLIS}").fetchall()
            fold_log(self._db, "RESTART")
            self._db.execute("PRAGMA busy_timeout = 0").fetchall()
        else:
            self._short_enough = True


class LogIndex:
    """The header of the log's index (SQLite's "WAL-index format").

    On POSIX systems closing any descriptor of a file drops every lock the process has on it, those
    of SQLite as well. So all stores over a file in this process look through one descriptor,
    which is closed after the last of them.
    """

    _open: dict[Path, tuple[int, int]] = {}
    """Descriptors, and how many look through each."""
    _door = threading.Lock()

    def __init__(self, file: Path) -> None:
        self._path = Path(f"{file}-shm").absolute()
        with self._door:
            fd, count = self._open.get(self._path) or (os.open(self._path, os.O_RDONLY), 0)
            self._open[self._path] = fd, count + 1
        self._fd = fd

    def pages(self) -> int:
        """The length of the log."""
        header = os.pread(self._fd, 20, 0)
        return int.from_bytes(header[16:20], sys.byteorder)

    def close(self) -> None:
        """Lets go."""
        with self._door:
            fd, count = self._open.pop(self._path)
            if count > 1:
                self._open[self._path] = fd, count - 1
            else:
                os.close(fd)


def fold_log(db: sqlite3.Connection, how: str) -> bool:
    """Checkpoints; False when others were in the way. A failure loses nothing: the log keeps
    the pages."""
    try:
        busy, _, _ = db.execute(f"PRAGMA wal_checkpoint({how})").fetchall()[0]
    except sqlite3.DatabaseError as error:
        if not is_busy(error):
            _log.warning("the write-ahead log could not be moved into the database: %s", error)
        return False
    return not busy
