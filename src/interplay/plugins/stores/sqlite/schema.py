"""Opening the file: connections, their settings, and migrations forward."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path
from typing import Literal

from interplay.contracts.store import StoreUnusable
from interplay.plugins.stores.sqlite.faults import DamagedStore, NewerSchema

Durability = Literal["normal", "full"]

APPLICATION_ID = 0x49504C59
_PAGE_BYTES = 4_096
_MAPPED_BYTES = 64 * 1024 * 1024
_LOG_KEPT_BYTES = 64 * 1024 * 1024
_OPENING_SECONDS = 5.0
_CACHE_KIB = 16_384


def connect(path: Path, patience: float = _OPENING_SECONDS) -> sqlite3.Connection:
    """A connection that any one thread at a time may use; transactions are begun by hand.
    `patience`: seconds it waits for a lock."""
    return sqlite3.connect(
        path,
        timeout=patience,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=256,
    )


def open_writer(path: Path, durability: Durability) -> sqlite3.Connection:
    """The connection that writes, on a file of today's schema. From then on it does not wait for
    locks.

    Raises NewerSchema, DamagedStore, and StoreUnusable when the file cannot be opened.
    """
    try:
        db = connect(path)
        try:
            set_up(db, durability)
            migrate(db, path, migrations())
            db.execute("PRAGMA busy_timeout = 0").fetchall()
        except BaseException:
            db.close()
            raise
    except sqlite3.DatabaseError as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT}:
            raise DamagedStore(path, str(error)) from error
        raise StoreUnusable(f"{path} cannot be opened: {error}.") from error
    return db


def open_reader(path: Path, patience: float = _OPENING_SECONDS) -> sqlite3.Connection:
    """A connection that cannot write. It waits for others only while they mend the file after a
    crash."""
    db = connect(path, patience)
    db.execute(f"PRAGMA mmap_size = {_MAPPED_BYTES}")
    db.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
    db.execute("PRAGMA query_only = ON")
    return db


def open_log_folder(path: Path, durability: Durability) -> sqlite3.Connection:
    """The connection that checkpoints; it never waits for others."""
    db = connect(path)
    db.execute("PRAGMA busy_timeout = 0")
    db.execute(f"PRAGMA synchronous = {durability}")
    return db


def set_up(db: sqlite3.Connection, durability: Durability) -> None:
    """Settings of the writing connection."""
    # Only an empty file takes the page size, and only before the log is on.
    db.execute(f"PRAGMA page_size = {_PAGE_BYTES}")
    db.execute("PRAGMA journal_mode = WAL").fetchall()
    db.execute(f"PRAGMA synchronous = {durability}")
    db.execute("PRAGMA wal_autocheckpoint = 0").fetchall()
    db.execute(f"PRAGMA journal_size_limit = {_LOG_KEPT_BYTES}").fetchall()
    db.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
    # Deleted text is overwritten, whatever the library was built with.
    db.execute("PRAGMA secure_delete = ON").fetchall()


def migrations() -> dict[int, str]:
    """The scripts by the schema version each leads to."""
    folder = Path(__file__).parent / "migrations"
    found: dict[int, str] = {}
    for script in folder.glob("*.sql"):
        number = re.match(r"(\d{4})_", script.name)
        if number is not None:
            found[int(number[1])] = script.read_text(encoding="utf-8")
    return found


def migrate(db: sqlite3.Connection, path: Path, scripts: dict[int, str]) -> None:
    """Brings the schema up to date, each version in a transaction of its own."""
    at: int = db.execute("PRAGMA user_version").fetchone()[0]
    owner: int = db.execute("PRAGMA application_id").fetchone()[0]
    tables: int = db.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
    if owner != APPLICATION_ID and (at or owner or tables):
        raise DamagedStore(path, "it belongs to another application")
    newest = max(scripts)
    if at > newest:
        raise NewerSchema(path, at, newest)
    for version in range(at + 1, newest + 1):
        try:
            db.executescript(
                f"BEGIN IMMEDIATE;\n{scripts[version]}\nPRAGMA user_version = {version};\nCOMMIT;"
            )
        except BaseException:
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise
