"""Bringing the database of the settings up to date, without a server."""

from __future__ import annotations

from typing import Any

from interplay.contracts import registry
from interplay.contracts.transfer import Migrating, Phase
from interplay.settings import Settings


async def migrate(settings: Settings, phases: tuple[Phase, ...]) -> list[str]:
    """The names of what was applied. Raises StoreUnusable and StoreUnavailable."""
    name = settings.store or ("postgres" if settings.on_postgres else "sqlite")
    kind: Any = registry.load("interplay.stores", name)
    store = kind(
        folder=settings.data_path,
        durability=settings.durability,
        database=settings.database,
        shared=settings.shared,
        patience=settings.limits.database_seconds,
    )
    if isinstance(store, Migrating):
        return await store.migrate(phases)
    # A file is brought up to date whenever it is opened.
    await store.open()
    await store.close()
    return []
