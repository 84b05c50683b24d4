"""A store in a folder of the test's own."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from interplay.contracts import registry
from interplay.contracts.blobs import Blobs
from interplay.contracts.store import Store
from interplay.files.rows import Rows


@pytest.fixture
async def store(tmp_path: Path) -> AsyncGenerator[Store]:
    kind = registry.load("interplay.stores", "sqlite")
    store = kind(
        folder=tmp_path,
        durability="normal",
        database="",
        shared=False,
        connections=1,
        patience=5.0,
    )
    await store.open()
    yield store
    await store.close()


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    return registry.load("interplay.blobs", "files")(tmp_path / "files")


@pytest.fixture
def rows(store: Store) -> Rows:
    return Rows(store.records, time.time)
