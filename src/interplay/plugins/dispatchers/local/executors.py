"""Which processes of this machine live: each holds a lock that the kernel frees at its death."""

from __future__ import annotations

import fcntl
import logging
import os
import re
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from pathlib import Path

from interplay.contracts.store import StoreUnusable

log = logging.getLogger("interplay.dispatcher")

_NAME = re.compile(r"[0-9A-Za-z]+-[0-9a-f]+")


class Executors:
    """Files `folder`/NAME.lock: locked by their process, and touched by its event loop.

    A file that nobody locks belonged to a process that has ended. One that is locked and was not
    touched for `silence` seconds belongs to a process that is frozen. Seconds are counted on this
    process's own `clock` from the last change it saw, so neither a wall clock that jumps nor a
    sleep of the whole machine makes anyone dead.
    """

    def __init__(
        self,
        folder: Path,
        executor: str,
        silence: float,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder, self._executor, self._silence = folder, executor, silence
        self._clock = clock
        self._file: int | None = None
        self._changed: dict[str, tuple[int, float]] = {}
        self._looked = clock()

    def open(self) -> None:
        """Makes this executor known and removes what the dead have left. Raises StoreUnusable."""
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._appear()
            for name in self._names():
                self._has_ended(name)
        except OSError as error:
            raise StoreUnusable(f"The folder {self._folder} cannot be used: {error}.") from error
        self.look()

    def close(self) -> None:
        """Lets go: this executor counts as dead from now on."""
        if self._file is not None:
            self._path(self._executor).unlink(missing_ok=True)
            os.close(self._file)
            self._file = None

    def beat(self) -> None:
        """Gives a sign of life, and notes those of the others; a few times per `silence`."""
        try:
            os.utime(self._path(self._executor))
        except FileNotFoundError:
            log.warning("the file of this process in %s was removed; made again", self._folder)
            if self._file is not None:
                os.close(self._file)
            self._appear()
        self.look()

    def look(self) -> None:
        """Notes which files were touched since the last look."""
        now = self._clock()
        asleep = now - self._looked > self._silence / 2
        self._looked = now
        seen: dict[str, tuple[int, float]] = {}
        for name in self._names():
            with suppress(FileNotFoundError):
                touched = self._path(name).stat().st_mtime_ns
                before, since = self._changed.get(name, (0, now))
                # Who has been asleep himself cannot tell who was silent meanwhile.
                seen[name] = (touched, now if asleep or before != touched else since)
        self._changed = seen

    def dead(self, executors: Collection[str]) -> set[str]:
        """Those that have ended or are silent."""
        self.look()
        return {name for name in executors if self._has_ended(name) or self._is_silent(name)}

    def _appear(self) -> None:
        # Under another name until it is locked: nobody may see the file without its lock.
        hidden = self._folder / f"{self._executor}.new"
        self._file = os.open(hidden, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        hidden.rename(self._path(self._executor))

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.lock"

    def _names(self) -> list[str]:
        files = (entry.name for entry in os.scandir(self._folder))
        return [file.removesuffix(".lock") for file in files if file.endswith(".lock")]

    def _has_ended(self, name: str) -> bool:
        if not _NAME.fullmatch(name):
            return True  # not one of ours: no process has this name
        if name == self._executor:
            return False
        try:
            file = os.open(self._path(name), os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return True
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        else:
            self._path(name).unlink(missing_ok=True)
            return True
        finally:
            os.close(file)

    def _is_silent(self, name: str) -> bool:
        if name == self._executor or name not in self._changed:
            return False
        return self._clock() - self._changed[name][1] >= self._silence
