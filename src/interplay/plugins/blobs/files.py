"""Blobs as files, named by their digest, in two levels of folders."""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import time
from contextlib import suppress
from pathlib import Path
from typing import Literal
from uuid import uuid4

from interplay.contracts.failure import Unavailable
from interplay.contracts.store import StoreFull

_NAME = re.compile(r"[0-9a-f]{64}")


class FileBlobs:
    """Bytes under `folder/ab/cd/abcd...`; the folder is made on the first write.

    A file comes to its name whole or not at all, and its bytes are flushed to the disk before.
    `durability` full also flushes the folder, so that the name outlives a power cut. The folder
    may be shared by processes, and by machines whose clocks agree to a few seconds.
    """

    def __init__(self, folder: Path, *, durability: Literal["normal", "full"] = "normal") -> None:
        self._folder = folder
        self._full = durability == "full"

    async def put(self, data: bytes) -> str:
        """Stores bytes and answers their SHA-256 in hex. Raises StoreFull."""
        return await asyncio.to_thread(self._put, data)

    async def get(self, sha256: str) -> bytes:
        """The bytes; raises KeyError when they are not there."""
        return await asyncio.to_thread(self._get, sha256)

    async def remove(self, sha256: str, *, idle: float = 0.0) -> None:
        """Removes the bytes, unless they were put within the last `idle` seconds; silent when
        they are not there."""
        await asyncio.to_thread(self._remove, sha256, idle)

    async def names(self, *, idle: float = 0.0) -> list[str]:
        """Every SHA-256 there is that was not put within the last `idle` seconds."""
        return await asyncio.to_thread(self._names, idle)

    def _put(self, data: bytes) -> str:
        sha256 = hashlib.sha256(data).hexdigest()
        try:
            self._write(self._path(sha256), data)
        except OSError as error:
            raise StoreFull(f"The disk is full or not writable: {error.strerror}.") from error
        return sha256

    def _write(self, path: Path, data: bytes) -> None:
        # Touched, so that a sweep that goes on meanwhile takes it for new.
        with suppress(FileNotFoundError):
            os.utime(path)
            if self._full:
                _flush_folder(path.parent)
            return
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        arriving = path.parent / f"arriving-{uuid4().hex}"
        try:
            with open(arriving, "xb", opener=_private) as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            arriving.replace(path)
        except BaseException:
            arriving.unlink(missing_ok=True)
            raise
        if self._full:
            _flush_folder(path.parent)

    def _get(self, sha256: str) -> bytes:
        path = self._path(sha256)
        try:
            for _ in range(2):  # it may be on its way out and back again: see _take_away
                with suppress(FileNotFoundError):
                    return path.read_bytes()
                for leaving in path.parent.glob(f"leaving-*-{sha256}"):
                    with suppress(FileNotFoundError):
                        return leaving.read_bytes()
        except OSError as error:
            raise Unavailable(f"Media cannot be read: {error.strerror}.") from error
        raise KeyError(sha256)

    def _remove(self, sha256: str, idle: float) -> None:
        try:
            path = self._path(sha256)
            if not idle:
                path.unlink()
            elif path.stat().st_mtime <= time.time() - idle:
                self._take_away(path, idle)
        except (FileNotFoundError, KeyError):
            return
        except OSError as error:
            raise StoreFull(f"The disk is not writable: {error.strerror}.") from error

    def _take_away(self, path: Path, idle: float) -> None:
        # Another process may touch the file between a look at its age and its removal. Under a
        # name of its own nobody touches it any more, so a second look is the last word.
        leaving = path.parent / f"leaving-{uuid4().hex}-{path.name}"
        path.replace(leaving)
        if leaving.stat().st_mtime > time.time() - idle:
            leaving.replace(path)
        else:
            leaving.unlink()

    def _names(self, idle: float) -> list[str]:
        newest = time.time() - idle
        found: list[str] = []
        for path in self._folder.glob("??/??/*"):
            if idle and path.name.startswith(("arriving-", "leaving-")):
                self._clear(path, newest)
                continue
            if _NAME.fullmatch(path.name):
                with suppress(FileNotFoundError):
                    if not idle or path.stat().st_mtime <= newest:
                        found.append(path.name)
        return found

    def _clear(self, path: Path, newest: float) -> None:
        """Clears what a process left that died in the middle; the bytes of a removal come back,
        for a later one."""
        with suppress(FileNotFoundError):
            if path.stat().st_mtime > newest:
                return
            if path.name.startswith("leaving-"):
                os.utime(path)  # it may take the place of one that was put since
                path.replace(path.parent / path.name.rpartition("-")[2])
            else:
                path.unlink()

    def _path(self, sha256: str) -> Path:
        """Where a blob lies; KeyError for a name that cannot be one, so no name leads outside."""
        if not _NAME.fullmatch(sha256):
            raise KeyError(sha256)
        return self._folder / sha256[:2] / sha256[2:4] / sha256


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _flush_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
