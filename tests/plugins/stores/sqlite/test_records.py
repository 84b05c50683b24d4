"""Records are found by an index, and their pages come in order."""

import re
import sqlite3
from pathlib import Path

import pytest

from interplay.plugins.stores.sqlite import records, schema
from interplay.plugins.stores.sqlite.rows import SQL
from interplay.testing.contracts.store_holding import record


@pytest.fixture
def db():
    connection = sqlite3.connect(":memory:", isolation_level=None)
    schema.migrate(connection, Path("memory"), schema.migrations())
    return connection.cursor()


def plan(db, name: str) -> list[str]:
    """How SQLite goes about a statement."""
    sql = SQL[name]
    given = dict.fromkeys(re.findall(r":(\w+)", sql)) or [None] * sql.count("?")
    return [row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {sql}", given)]


LISTS = ("records_by_group", "records_by_owner", "due_records")


@pytest.mark.parametrize(
    "name",
    [
        *LISTS,
        "get_record",
        "records_by_kind",
        "replace_record",
        "delete_record",
        "delete_group",
        "drop_expired_record",
        "count_records",
        "sweep_records",
    ],
)
def test_no_statement_walks_over_all_records(db, name):
    assert [step for step in plan(db, name) if step.startswith("SCAN")] == []


@pytest.mark.parametrize("name", LISTS)
def test_pages_come_in_order_without_sorting(db, name):
    assert not any("TEMP B-TREE" in step for step in plan(db, name))


@pytest.mark.parametrize(
    ("index", "where"),
    [
        ("records_by_group", "part_of <> ''"),
        ("records_by_due", "due IS NOT NULL"),
        ("records_by_expiry", "expires IS NOT NULL"),
    ],
)
def test_a_plain_record_is_in_no_index_it_does_not_need(db, index, where):
    records.add(db, 0, record("plain"))
    records.add(db, 0, record("rich", group="g", due=1.0, expires=2.0))
    sql = f"SELECT count(*) FROM records INDEXED BY {index} WHERE {where}"
    assert db.execute(sql).fetchone() == (1,)


def test_records_of_no_group_are_no_group(db):
    records.add(db, 0, record("a"))
    assert records.remove(db, "delivery", "", True) is False
    found, _ = records.list(db, 0, "delivery", None, "", None, 9, None)
    assert [one.id for one in found] == ["a"]


def test_a_page_of_nothing_is_empty(db):
    records.add(db, 0, record("a"))
    assert records.list(db, 0, "delivery", None, None, None, 0, None) == ([], None)


@pytest.mark.parametrize("seconds", [1_795_235_455.81, 1_795_235_455.8109999])
def test_times_are_kept_to_the_millisecond(db, seconds):
    records.add(db, 0, record("a", created=seconds, updated=seconds, due=seconds))
    found = records.get(db, 0, "delivery", "a")
    for kept in (found.created, found.updated, found.due):
        assert abs(kept - seconds) <= 0.0005
