"""Interactions in one SQLite file, for one process."""

from interplay.plugins.stores.sqlite.store import SqliteStore

__all__ = ["SqliteStore"]
