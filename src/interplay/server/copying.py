"""Moving everything a data folder holds into a database that many processes share.

The folder is read while no server uses it and is left as it was. Interactions, branches and
records keep their positions, so lists and pages stay what they were. How far the copy has come
stands in a record of the target, behind what was written: a copy that was broken off goes on
there when it is started again. Work that waits for a time (jobs) is not copied: the servers on
the new database find it again by looking at the records.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import msgspec

from interplay.contracts import registry
from interplay.contracts.blobs import Blobs
from interplay.contracts.records import Record
from interplay.contracts.store import Store
from interplay.contracts.transfer import Source, Tally, Target
from interplay.settings import Settings

KIND = "copy"
"""The kind of the record that says how far a copy has come, and its id."""
_BATCH = 100

Say = Callable[[str], None]


class CopyRefused(Exception):
    """The copy cannot be made; the message says why and the way out."""


class CopyDiffers(Exception):
    """What was copied is not what was there; the message says in what."""


class FromStore(Store, Protocol):
    """A store that can be read out whole."""

    transfer: Source


class ToStore(Store, Protocol):
    """A store that takes in what another one held."""

    transfer: Target


class Progress(msgspec.Struct):
    """How far a copy has come."""

    source: str
    """The folder it is made of."""
    done: bool = False
    interactions: int = 0
    """The position up to which they are there."""
    records: int = 0


async def copy_folder(folder: Path, settings: Settings, say: Say) -> Tally:
    """Copies a data folder into the database and the blobs that the settings name.

    Raises CopyRefused, CopyDiffers, StoreUnusable and StoreUnavailable.
    """
    if not await asyncio.to_thread(folder.is_dir):
        raise CopyRefused(f"There is no data folder {folder}.")
    name = str(await asyncio.to_thread(folder.resolve))
    sqlite: Any = registry.load("interplay.stores", "sqlite")
    postgres: Any = registry.load("interplay.stores", settings.store or "postgres")
    source: FromStore = sqlite(folder=folder)
    target: ToStore = postgres(
        folder=settings.data_path,
        database=settings.database,
        patience=settings.limits.database_seconds,
    )
    await source.open()
    try:
        await target.open()
        try:
            copy = Copy(source, target, name, say)
            await copy.begin()
            for part in ("blobs", "files"):
                if not await asyncio.to_thread((folder / part).is_dir):
                    continue
                await copy_blobs(_files(folder / part), _blobs(settings, folder, part), say)
            return await copy.run()
        finally:
            await target.close()
    finally:
        await source.close()


async def copy_blobs(source: Blobs, target: Blobs | None, say: Say) -> None:
    """Copies blobs that are not there yet; None: they stay where they are. A blob is named by its
    content, so what arrives under its name is whole. Raises CopyDiffers."""
    if target is None:
        return
    there = set(await target.names())
    missing = [name for name in await source.names() if name not in there]
    for count, name in enumerate(missing, 1):
        arrived = await target.put(await source.get(name))
        if arrived != name:
            raise CopyDiffers(f"The blob {name} holds something else: {arrived}.")
        if count % _BATCH == 0:
            say(f"{count} of {len(missing)} blobs")
    say(f"{len(missing)} blobs copied, {len(there)} were there")


class Copy:
    """The copy of one store into another."""

    def __init__(self, source: FromStore, target: ToStore, name: str, say: Say) -> None:
        self._source, self._target = source.transfer, target.transfer
        self._records = target.records
        self._name, self._say = name, say
        self._mark: Record
        self._progress: Progress

    async def begin(self) -> None:
        """Makes sure that the copy may be made, or goes on. Raises CopyRefused."""
        running = await self._source.unended()
        if running:
            raise CopyRefused(
                f"{running} interactions in {self._name} have not ended. Start its server, let"
                " them end or cancel them, stop it and try again."
            )
        mark = await self._records.get(KIND, KIND)
        if mark is None:
            mark = await self._mark_beginning()
        progress = msgspec.json.decode(mark.doc, type=Progress)
        if progress.source != self._name:
            raise CopyRefused(f"The database holds a copy of another folder, {progress.source}.")
        if progress.done:
            raise CopyRefused(f"{self._name} has been copied into this database already.")
        self._mark, self._progress = mark, progress

    async def run(self) -> Tally:
        """Copies what is not there yet, and compares. Raises CopyDiffers."""
        await self._copy_forks()
        await self._copy_interactions()
        await self._copy_records()
        wanted = await self._source.tally()
        found = await self._target.tally()
        found.records -= 1
        found.record_bytes -= len(self._mark.doc)
        if found != wanted:
            raise CopyDiffers(f"The copy differs. In the folder: {wanted}. In the copy: {found}.")
        self._progress.done = True
        await self._keep()
        return found

    async def _mark_beginning(self) -> Record:
        tally = await self._target.tally()
        if tally.interactions or tally.records:
            raise CopyRefused(
                f"The database holds {tally.interactions} interactions and {tally.records} records"
                " already. Copy into an empty one."
            )
        await self._target.reserve(*await self._source.last())
        now = time.time()
        doc = msgspec.json.encode(Progress(self._name))
        mark = Record(kind=KIND, id=KIND, created=now, updated=now, doc=doc)
        await self._records.add(mark)
        return mark

    async def _keep(self) -> None:
        doc = msgspec.json.encode(self._progress)
        changed = msgspec.structs.replace(self._mark, doc=doc, updated=time.time())
        self._mark = await self._records.replace(changed)

    async def _copy_forks(self) -> None:
        after = 0
        while forks := await self._source.forks(after, _BATCH):
            await self._target.take_forks(forks)
            after = forks[-1].branch

    async def _copy_interactions(self) -> None:
        progress = self._progress
        while placed := await self._source.interactions(progress.interactions, _BATCH):
            await self._target.take_interactions(placed)
            progress.interactions = placed[-1].position
            await self._keep()
            self._say(f"interactions up to {placed[-1].row.id}")

    async def _copy_records(self) -> None:
        progress = self._progress
        while placed := await self._source.records(progress.records, _BATCH):
            await self._target.take_records(placed)
            progress.records = placed[-1][0]
            await self._keep()


def _files(folder: Path) -> Blobs:
    kind: Any = registry.load("interplay.blobs", "files")
    return kind(folder)


def _blobs(settings: Settings, folder: Path, part: str) -> Blobs | None:
    """Where the blobs of interactions ("blobs") or of files ("files") go; None when that is where
    they lie."""
    url = settings.blobs_url
    if url.startswith("s3://"):
        kind: Any = registry.load("interplay.blobs", settings.blobs or "s3")
        bucket, _, options = url.partition("?")
        where = url if part == "blobs" else f"{bucket.rstrip('/')}/{part}?{options}"
        return kind(where, durability=settings.durability)
    there = settings.data_path / part
    if url:
        there = Path(url, "" if part == "blobs" else part).expanduser()
    return None if there.resolve() == (folder / part).resolve() else _files(there)
