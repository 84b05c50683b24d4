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
    applied = await store.migrate(phases) if isinstance(store, Migrating) else []
    if "pre" in phases:
        await _open(settings, store)
    return applied


async def _open(settings: Settings, store: Any) -> None:
    """A file is brought up to date by opening it, and so are the tables of a dispatcher."""
    await store.open()
    try:
        if settings.on_postgres:
            kind: Any = registry.load("interplay.dispatchers", settings.dispatcher or "dbos")
            dispatcher = kind(
                jobs=store.jobs,
                folder=settings.data_path,
                database=settings.database,
                shared=True,
                silence=settings.limits.worker_silence_seconds,
            )
            await dispatcher.open()
            await dispatcher.close()
    finally:
        await store.close()
