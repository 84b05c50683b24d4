"""What an operator is told."""

import asyncpg
import pytest

from interplay.plugins.stores.postgres.faults import AWAY, away, place, refused

URL = "postgresql://user:secret@db.example:6432/name?x=secret"


@pytest.mark.parametrize(
    ("error", "way_out"),
    [
        (asyncpg.InvalidCatalogNameError('database "name" does not exist'), "CREATE DATABASE"),
        (asyncpg.InvalidPasswordError("password authentication failed"), "user and the password"),
        (asyncpg.InsufficientPrivilegeError("permission denied"), "GRANT CREATE"),
        (asyncpg.ProtocolViolationError("unsupported startup parameter: x"), "PgBouncer"),
        (ConnectionRefusedError("refused"), "Start it"),
        (TimeoutError(), "it did not answer in time"),
        (ValueError("invalid port"), "postgresql://user:password@host"),
    ],
)
def test_each_reason_comes_with_a_way_out_and_without_the_password(error, way_out):
    told = str(refused(URL, error))
    assert way_out in told
    assert "db.example:6432/name" in told
    assert "secret" not in told


def test_a_database_that_is_away_is_named():
    told = away(URL, asyncpg.CannotConnectNowError("the database system is starting up"))
    assert told == "The database db.example:6432/name is away: the database system is starting up."


def test_a_url_that_is_none_has_a_place_all_the_same():
    assert place("postgresql://a:no/b") == "of that URL"
    assert place("postgresql:///name") == "on this machine:5432/name"


def test_a_full_disk_and_a_wrong_statement_do_not_pass_by_waiting():
    for kind in (asyncpg.DiskFullError, asyncpg.PostgresSyntaxError, asyncpg.UniqueViolationError):
        assert not issubclass(kind, AWAY)
