"""What the suites of contracts may use."""

from tests.plugins.dispatchers.dbos_opener import dispatch_database, prepared

__all__ = ["dispatch_database", "prepared"]
