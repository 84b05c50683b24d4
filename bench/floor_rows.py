"""The floor's state: one SQLite file, one writer thread, natural group commit."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from queue import SimpleQueue

Row = tuple[str, str | None, str, int, str, str, float, bytes]
"""id, parent, branch, depth, status, model, created (unix seconds), doc (JSON)."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS interactions (
  id TEXT PRIMARY KEY, parent_id TEXT, branch TEXT, depth INTEGER,
  status TEXT, model TEXT, created REAL, doc BLOB
)
"""
_INSERT = "INSERT INTO interactions VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
_BATCH = 512


class Rows:
    """Writes rows; while one commit runs, the next batch collects."""

    def __init__(self, path: str, loop: asyncio.AbstractEventLoop) -> None:
        self.path = path
        self.loop = loop
        self.waiting: SimpleQueue[tuple[Row, Callable[[], None]] | None] = SimpleQueue()
        self.thread = threading.Thread(target=self._write, name="rows", daemon=True)
        self.thread.start()

    def add(self, row: Row, committed: Callable[[], None]) -> None:
        """Queues a row; `committed` is called on the loop once the row is committed."""
        self.waiting.put((row, committed))

    def close(self) -> None:
        """Ends the writer once everything queued is committed."""
        self.waiting.put(None)
        self.thread.join()

    def _write(self) -> None:
        database = sqlite3.connect(self.path, isolation_level=None)
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=NORMAL")
        database.execute(_SCHEMA)
        waiting = self.waiting
        while True:
            batch = [waiting.get()]
            while len(batch) < _BATCH and not waiting.empty():
                batch.append(waiting.get())
            wanted = [entry for entry in batch if entry is not None]
            if wanted:
                database.execute("BEGIN IMMEDIATE")
                database.executemany(_INSERT, [row for row, _ in wanted])
                database.execute("COMMIT")
                self.loop.call_soon_threadsafe(_tell, [committed for _, committed in wanted])
            if len(wanted) < len(batch):
                database.close()
                return


def _tell(committed: list[Callable[[], None]]) -> None:
    for call in committed:
        call()
