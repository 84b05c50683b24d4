"""A store that can be made full, broken or slow at will; over the real one."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from interplay.contracts.store import NewInteraction, StoreFull, StoreUnusable
from interplay.interactions.journal import Durability, Journal
from interplay.interactions.media import Media
from interplay.plugins.blobs.files import FileBlobs
from interplay.plugins.stores.sqlite.store import SqliteStore
from interplay.wire.deltas import TextDelta
from interplay.wire.events import InteractionStatusUpdate, StepDelta, StepStart, StepStop
from interplay.wire.steps import ModelOutputStep


class FaultyStore(SqliteStore):
    """`full` and `broken` make every write fail; `gate` makes writes wait until it is set;
    `log` lists them as they are committed."""

    def __init__(self, folder: Path, **given: Any) -> None:
        super().__init__(folder, **given)
        self.full = self.broken = False
        self.gate = asyncio.Event()
        self.gate.set()
        self.log: list[str] = []
        self.refused = 0

    async def _ready(self) -> None:
        await self.gate.wait()
        if self.full or self.broken:
            self.refused += 1
        if self.full:
            raise StoreFull("The disk is full.")
        if self.broken:
            raise StoreUnusable("The file is damaged.")

    async def create(self, new: Any, ending: Any = None) -> None:
        await self._ready()
        await super().create(new, ending)
        self.log.append("create" if ending is None else "create ended")

    async def claim(self, id: str, worker: str = "") -> Any:
        await self._ready()
        return await super().claim(id, worker)

    async def append(
        self, id: str, epoch: int, last: int, events: Any, *, status: Any = None, ending: Any = None
    ) -> None:
        await self._ready()
        await super().append(id, epoch, last, events, status=status, ending=ending)
        self.log.append(f"append {last + 1}+{len(events)}" if ending is None else "end")

    async def remember(self, id: str, key: str, value: bytes, *, epoch: int | None = None) -> None:
        await self._ready()
        await super().remember(id, key, value, epoch=epoch)
        self.log.append(f"remember {key}")


ID = "v1_0123456789abcdef"


def row(**given: Any) -> NewInteraction:
    """A row of a model's interaction."""
    fields: dict[str, Any] = {
        "id": ID, "owner": "", "root": "r", "model": "m", "created": 1_800_000_000.0,
        "request": b"{}", "input": b"[]",
    }  # fmt: skip
    return NewInteraction(**{**fields, **given})


def journal_of(store: FaultyStore, folder: Path, durability: Durability, **given: Any) -> Journal:
    """A journal over this store that flushes soon."""
    made = {"flush_seconds": 0.01, **given.pop("journal", {})}
    media = Media(FileBlobs(folder / "blobs"), 1024)
    return Journal(row(**given), store, media, durability, **made)


def say(journal: Journal, *texts: str) -> None:
    """One whole model_output, piece by piece."""
    index = len(journal.fold.steps)
    journal.append(StepStart(index, ModelOutputStep()))
    for text in texts:
        journal.append(StepDelta(TextDelta(text), index))
    journal.append(StepStop(index))


def progress() -> InteractionStatusUpdate:
    """The event that says that a run has begun."""
    return InteractionStatusUpdate(ID, "in_progress")
