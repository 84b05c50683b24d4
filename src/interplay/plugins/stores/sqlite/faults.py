"""What can be wrong with the file, in words an operator can act on."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from interplay.contracts.store import StoreAway, StoreFull, StoreUnusable

_NOT_WRITABLE = {
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_NOLFS,
}
_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_PROTOCOL}
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT}


class StoreLocked(StoreUnusable):
    """Another process owns the folder of the store, or several share it."""

    def __init__(self, folder: Path, pid: str, *, shared: bool = False) -> None:
        if shared:
            super().__init__(
                f"The data folder {folder} is shared by {_process(pid)} and maybe others. Start"
                " this server with 'shared = true' too, stop them, or give it a data folder of"
                " its own."
            )
        else:
            super().__init__(
                f"The data folder {folder} is in use by {_process(pid)}. Stop it, or give this"
                " server a data folder of its own."
            )
        self.pid = pid


class NotShared(StoreUnusable):
    """This process would share the folder, but another one has it for itself."""

    def __init__(self, folder: Path, pid: str) -> None:
        super().__init__(
            f"The data folder {folder} is in use by {_process(pid)}, which does not share it."
            " Start that one with 'shared = true' too, or stop it."
        )
        self.pid = pid


class NewerSchema(StoreUnusable):
    """The file was written by a newer version of this software."""

    def __init__(self, path: Path, found: int, known: int) -> None:
        super().__init__(
            f"{path} has schema version {found}, this software knows versions up to {known}."
            " Install the version that wrote it, or a later one."
        )
        self.found = found
        self.known = known


class DamagedStore(StoreUnusable):
    """The file is no database, or a broken one."""

    def __init__(self, path: Path | str, reason: str) -> None:
        super().__init__(
            f"{path} cannot be used as a database: {reason}. Put a backup in its place, or move"
            " it away to begin with an empty one."
        )


def told(error: Exception, *, writing: bool) -> Exception:
    """What a caller is told for an error of SQLite; any other error as it is."""
    if not isinstance(error, sqlite3.Error):
        return error
    code = _code(error)
    known: Exception
    if code in _BUSY:
        known = StoreAway(f"Another process keeps the store's file to itself: {error}.")
    elif isinstance(error, sqlite3.IntegrityError):
        known = ValueError(f"a row like this is there already: {error}")
    elif code in _DAMAGED:
        known = DamagedStore("The store's file", str(error))
    elif writing and code in _NOT_WRITABLE:
        known = StoreFull(f"The disk is full or not writable: {error}.")
    elif code in _NOT_WRITABLE:
        known = StoreUnusable(f"The store cannot be read: {error}.")
    else:
        return error
    known.__cause__ = error
    return known


def is_busy(error: Exception) -> bool:
    """Whether another process is in the way."""
    return isinstance(error, sqlite3.Error) and _code(error) in _BUSY


def _code(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _process(pid: str) -> str:
    return f"process {pid}" if pid else "another process"
