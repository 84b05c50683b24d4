"""The sweeper: what has expired goes, with its blobs, and so does what a crash left over."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

import pytest

from interplay.contracts.store import Ending, StoreAway, StoreFull, StoreUnusable
from interplay.interactions.history import History
from interplay.interactions.media import Media
from interplay.interactions.retention import Retention
from interplay.interactions.retries import Retries
from interplay.plugins.blobs.files import FileBlobs
from tests.api.api import until
from tests.interactions.faulty_store import FaultyStore, row


async def parts(folder: Path) -> tuple[FaultyStore, FileBlobs, Retention]:
    store, blobs = FaultyStore(folder), FileBlobs(folder / "blobs")
    await store.open()
    media = Media(blobs, 16)
    sweeper = Retention(store, media, History(store, media, 10, 1_000), Retries(10), seconds=0.01)
    return store, blobs, sweeper


async def test_what_has_expired_goes_with_its_blobs_and_what_runs_stays(tmp_path: Path) -> None:
    store, blobs, sweeper = await parts(tmp_path)
    now = time.time()
    name = await blobs.put(b"picture")
    ending = Ending(status="completed", updated=now, steps=b"[]", last=1)
    await store.create(row(id="v1_" + "a" * 20, expires=now - 1, blobs=[name]), ending)
    await store.create(row(id="v1_" + "b" * 20, expires=now + 100), ending)
    await store.create(row(id="v1_" + "c" * 20, expires=now - 1))
    assert await sweeper.sweep(now) == 1
    assert await blobs.names() == []
    assert await store.get("v1_" + "b" * 20) is not None
    assert await store.held("", 4e9, 9) == ["v1_" + "c" * 20]
    await store.close()


async def test_blobs_no_row_refers_to_are_removed_once_they_are_old(tmp_path: Path) -> None:
    store, blobs, sweeper = await parts(tmp_path)
    kept, orphan, fresh = [await blobs.put(data) for data in (b"kept", b"orphan", b"fresh")]
    await store.create(row(blobs=[kept]))
    for name in (kept, orphan):
        os.utime(blobs._path(name), (0, 0))
    assert await sweeper.sweep_blobs() == 1
    assert sorted(await blobs.names()) == sorted([kept, fresh])
    await store.close()


@pytest.mark.parametrize("failure", [StoreUnusable, StoreAway, StoreFull])
async def test_a_store_that_fails_once_does_not_end_the_sweeping(
    tmp_path: Path, failure: type[Exception]
) -> None:
    store, _, sweeper = await parts(tmp_path)
    now = time.time()
    ending = Ending(status="completed", updated=now, steps=b"[]", last=1)
    await store.create(row(expires=now - 1), ending)
    failing = 3

    async def expired(now: float, limit: int) -> list[str]:
        nonlocal failing
        failing -= 1
        if failing >= 0:
            raise failure("a moment")
        return await FaultyStore.expired(store, now, limit)

    store.expired = expired  # type: ignore[method-assign]
    running = asyncio.create_task(sweeper.run())
    await until(lambda: failing < -1)
    running.cancel()
    assert await FaultyStore.expired(store, now, 10) == []
    await store.close()
