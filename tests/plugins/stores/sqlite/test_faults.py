"""What a caller is told for an error of SQLite."""

import sqlite3
from pathlib import Path

import pytest

from interplay.contracts.store import StoreAway, StoreFull, StoreUnusable
from interplay.plugins.stores.sqlite.faults import (
    DamagedStore,
    NewerSchema,
    NotShared,
    StoreLocked,
    told,
)


def error(code: int, kind: type[sqlite3.Error] = sqlite3.OperationalError) -> sqlite3.Error:
    made = kind("as SQLite says it")
    made.sqlite_errorcode = code
    return made


@pytest.mark.parametrize(
    ("code", "writing", "kind"),
    [
        (sqlite3.SQLITE_FULL, True, StoreFull),
        (sqlite3.SQLITE_IOERR_WRITE, True, StoreFull),
        (sqlite3.SQLITE_READONLY_DBMOVED, True, StoreFull),
        (sqlite3.SQLITE_BUSY, True, StoreAway),
        (sqlite3.SQLITE_BUSY_RECOVERY, False, StoreAway),
        (sqlite3.SQLITE_IOERR_READ, False, StoreUnusable),
        (sqlite3.SQLITE_CORRUPT, True, DamagedStore),
        (sqlite3.SQLITE_NOTADB, False, DamagedStore),
    ],
)
def test_an_error_of_the_disk_is_told_in_the_contracts_words(code, writing, kind):
    found = told(error(code), writing=writing)
    assert type(found) is kind
    assert "as SQLite says it" in str(found)
    assert isinstance(found.__cause__, sqlite3.Error)


def test_a_row_that_is_there_already_is_a_value_error():
    found = told(error(sqlite3.SQLITE_CONSTRAINT, sqlite3.IntegrityError), writing=True)
    assert type(found) is ValueError


def test_errors_of_our_own_come_through_as_they_are():
    for own in (KeyError("x"), error(sqlite3.SQLITE_ERROR), sqlite3.ProgrammingError("x")):
        assert told(own, writing=True) is own


def test_what_keeps_a_store_from_opening_says_the_way_out():
    newer = NewerSchema(Path("a.db"), 7, 3)
    assert (newer.found, newer.known) == (7, 3)
    assert "schema version 7" in str(newer)
    assert "up to 3" in str(newer)
    assert "Install" in str(newer)
    assert "process 12" in str(StoreLocked(Path("data"), "12"))
    assert "another process" in str(StoreLocked(Path("data"), ""))
    assert "shared = true" in str(StoreLocked(Path("data"), "12", shared=True))
    assert "process 12, which does not share it" in str(NotShared(Path("data"), "12"))
    assert "backup" in str(DamagedStore("a.db", "why"))
    for one in (newer, StoreLocked(Path("data"), "1"), DamagedStore("a.db", "why")):
        assert isinstance(one, StoreUnusable)
