"""Interactions, records and jobs in one SQLite file, for one process or several of a machine."""

from interplay.plugins.stores.sqlite.store import SqliteStore

__all__ = ["SqliteStore"]
