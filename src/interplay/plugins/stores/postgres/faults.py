"""What can be wrong with the database, in words an operator can act on."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import asyncpg  # pyright: ignore[reportMissingTypeStubs]

from interplay.contracts.store import StoreUnusable

pg: Any = asyncpg
"""asyncpg comes without types."""

AWAY: tuple[type[BaseException], ...] = (
    OSError,
    TimeoutError,
    pg.InterfaceError,
    pg.PostgresConnectionError,
    pg.CannotConnectNowError,
    pg.AdminShutdownError,
    pg.CrashShutdownError,
    pg.TooManyConnectionsError,
    pg.OutOfMemoryError,
    pg.QueryCanceledError,
    pg.IdleInTransactionSessionTimeoutError,
    pg.DeadlockDetectedError,
    pg.SerializationError,
    pg.LockNotAvailableError,
    pg.ReadOnlySQLTransactionError,
)
"""What a database says that restarts, is busy, stands by, or is not there: it may pass."""


class NewerSchema(StoreUnusable):
    """The database was brought up to date by a newer version of this software."""

    def __init__(self, where: str, names: list[str]) -> None:
        super().__init__(
            f"The database {where} was brought up to date by a newer version of Interplay, which"
            f" left nothing for older ones ({', '.join(names)}). Install that version or a later"
            " one."
        )


def place(url: str) -> str:
    """Where a database is, without its password."""
    try:
        parts = urlsplit(url)
        return f"{parts.hostname or 'on this machine'}:{parts.port or 5432}{parts.path}"
    except ValueError:
        return "of that URL"


def refused(url: str, error: BaseException) -> StoreUnusable:
    """Why a database cannot be opened, and the way out."""
    where = place(url)
    if isinstance(error, pg.InvalidCatalogNameError):
        way = "Create it (CREATE DATABASE ... ENCODING 'UTF8') or correct `database`."
    elif isinstance(error, pg.InvalidAuthorizationSpecificationError):
        way = "Correct the user and the password in `database`."
    elif isinstance(error, pg.InsufficientPrivilegeError):
        way = (
            "Let its user create a schema (GRANT CREATE ON DATABASE ...), or run `interplay admin"
            " migrate` as a user who may."
        )
    elif "startup parameter" in str(error):
        way = (
            "Let the pooler pass them by (PgBouncer: ignore_startup_parameters ="
            " statement_timeout, idle_in_transaction_session_timeout)."
        )
    elif isinstance(error, AWAY):
        way = "Start it, or correct `database`."
    else:
        way = "Correct `database`: postgresql://user:password@host:5432/name"
    return StoreUnusable(f"The database {where} cannot be used: {_said(error)}. {way}")


def away(url: str, error: BaseException) -> str:
    """What is said of a database that does not answer."""
    return f"The database {place(url)} is away: {_said(error)}."


def _said(error: BaseException) -> str:
    text = str(error).strip().rstrip(".")
    return text.splitlines()[0] if text else "it did not answer in time"
