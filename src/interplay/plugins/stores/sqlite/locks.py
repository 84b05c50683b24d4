"""Whose the folder is: one process's alone, or several processes' that share it."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from interplay.contracts.store import StoreUnusable
from interplay.plugins.stores.sqlite.faults import NotShared, StoreLocked

if sys.platform != "win32":
    import fcntl

_OPENING_SECONDS = 60.0
_LOOK_SECONDS = 0.02
_TURN_SECONDS = 0.05
_SOON_SECONDS = 0.0005
_NO_TURNS_SECONDS = 1.0


class FolderLock:
    """A lock on `folder`/lock, which the system frees when the process ends, however it ends."""

    def __init__(self, folder: Path, *, shared: bool) -> None:
        self._folder = folder
        self._path = folder / "lock"
        self._shared = shared
        self._alone = FileLock(self._path, thread_local=False)
        self._fd = -1

    def take(self) -> None:
        """Takes it. Raises StoreLocked, NotShared, OSError; and StoreUnusable where the system
        cannot share a folder."""
        if self._shared:
            self._take_shared()
        else:
            self._take_alone()
        self._path.write_text(f"{os.getpid()}\n")

    def release(self) -> None:
        """Gives it back."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
        self._alone.release()

    @contextmanager
    def opening(self) -> Generator[None]:
        """Those that share open the file one after the other."""
        if sys.platform == "win32" or not self._shared:
            yield
            return
        fd = os.open(self._folder, os.O_RDONLY)
        try:
            deadline = time.monotonic() + _OPENING_SECONDS
            while not _locked(fd, fcntl.LOCK_EX):
                if time.monotonic() > deadline:
                    raise StoreUnusable(
                        f"Another process has been opening {self._folder} for"
                        f" {_OPENING_SECONDS:.0f} seconds."
                    )
                time.sleep(_LOOK_SECONDS)
            yield
        finally:
            os.close(fd)

    def _take_alone(self) -> None:
        try:
            self._alone.acquire(blocking=False)
        except Timeout:
            raise self._taken() from None

    def _take_shared(self) -> None:
        if sys.platform == "win32":
            raise StoreUnusable(
                "Several processes cannot share a data folder on Windows. Set 'shared' to false,"
                " or use a PostgreSQL database."
            )
        fd = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        if not _locked(fd, fcntl.LOCK_SH):
            os.close(fd)
            raise NotShared(self._folder, self._owner())
        self._fd = fd

    def _taken(self) -> StoreLocked:
        """Who is in the way of one that wants to be alone."""
        if sys.platform != "win32":
            fd = os.open(self._path, os.O_RDONLY)
            try:
                if _locked(fd, fcntl.LOCK_SH):
                    return StoreLocked(self._folder, self._owner(), shared=True)
            finally:
                os.close(fd)
        return StoreLocked(self._folder, self._owner())

    def _owner(self) -> str:
        try:
            return self._path.read_text().strip()
        except OSError:
            return ""


class Turns:
    """Who waits to write is the next to write.

    SQLite's own lock goes to whoever asks at the right moment, and that is mostly the process
    that has just let go of it. So the one that waits holds this lock as well, and the others wait
    for this one first. It is a courtesy: nobody waits long for a process that is frozen.
    """

    def __init__(self, folder: Path) -> None:
        self._fd = os.open(folder, os.O_RDONLY)
        self._none_until = 0.0

    def take(self) -> bool:
        """Waits until nobody else is the next; False when that took too long."""
        if sys.platform == "win32":
            return False
        if _locked(self._fd, fcntl.LOCK_EX):
            return True
        now = time.monotonic()
        if now < self._none_until:
            return False
        while time.monotonic() - now < _TURN_SECONDS:
            time.sleep(_SOON_SECONDS)
            if _locked(self._fd, fcntl.LOCK_EX):
                return True
        self._none_until = time.monotonic() + _NO_TURNS_SECONDS
        return False

    def give(self) -> None:
        """The next one may wait."""
        if sys.platform != "win32":
            fcntl.flock(self._fd, fcntl.LOCK_UN)

    def close(self) -> None:
        """Lets go."""
        os.close(self._fd)


def _locked(fd: int, how: int) -> bool:
    """Takes a lock that belongs to the descriptor; False when others are in the way."""
    if sys.platform == "win32":
        return False
    try:
        fcntl.flock(fd, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
