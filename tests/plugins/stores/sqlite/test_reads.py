"""Reads go by an index, whatever the filter."""

import re
import sqlite3
from pathlib import Path

import pytest

from interplay.contracts.store import Filter
from interplay.plugins.stores.sqlite import reads, schema, writes
from interplay.plugins.stores.sqlite.rows import SQL
from interplay.testing.contracts.store_reading import end, ids, new


@pytest.fixture
def db():
    connection = sqlite3.connect(":memory:", isolation_level=None)
    schema.migrate(connection, Path("memory"), schema.migrations())
    cursor = connection.cursor()
    parent = None
    for number in range(300):
        labels = {"rare": "yes"} if number == 7 else {}
        owner = "bob" if number % 3 == 0 else "ann"
        row = new(f"i{number}", parent, owner=owner, root=f"r{number // 10}", labels=labels)
        status = "failed" if number == 10 else "completed"
        writes.create(cursor, 0, row, end(status=status))
        parent = row.id if number % 10 < 9 else None
    return cursor


def plan(db, name: str) -> str:
    """How SQLite goes about a statement."""
    sql = SQL[name]
    named = dict.fromkeys(re.findall(r":(\w+)", sql))
    given = named or [None] * sql.count("?")
    return "\n".join(row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {sql}", given))


QUICK = (
    "get",
    "find_key",
    "workers",
    "held",
    "lost",
    "newer",
    "events",
    "chain",
    "expired",
    "blob_claimed",
    "blobs_of",
)
MADE = (
    "SCAN p",
    "SCAN path",
    "SCAN t",
    "SCAN h",
    "SCAN holders",
    "SCAN held VIRTUAL TABLE INDEX 1:",
    "SCAN CONSTANT ROW",
)
"""What a statement makes for itself, a row for each turn or branch of one conversation, each
executor, each row that is held."""
LISTS = ("list_by_owner", "list_by_status", "list_by_root", "list_by_label")


PLACES = ("parent_place", "is_inner", "key_holder", "prune_branch")


@pytest.mark.parametrize("name", [*QUICK, *LISTS, *PLACES])
def test_no_read_walks_over_a_whole_table(db, name):
    steps = plan(db, name).splitlines()
    scans = [step for step in steps if step.startswith("SCAN") and step not in MADE]
    # An index that holds nothing but what is asked for may be walked.
    assert [step for step in scans if "interactions_unended" not in step] == []


@pytest.mark.parametrize("name", ["list_by_owner", "list_by_status", "list_by_label", "expired"])
def test_pages_come_in_order_without_sorting(db, name):
    assert "TEMP B-TREE" not in plan(db, name)


def test_chains_are_not_sorted_by_sqlite(db):
    assert "TEMP B-TREE" not in plan(db, "chain")


def test_a_page_costs_the_same_at_any_depth_of_a_list(db):
    def steps(filter: Filter, before: int | None) -> int:
        count = 0

        def tick() -> int:
            nonlocal count
            count += 1
            return 0

        db.connection.set_progress_handler(tick, 10)
        reads.list(db, 0, "ann", filter, 5, before)
        db.connection.set_progress_handler(None, 10)
        return count

    first = steps(Filter(), None)
    assert steps(Filter(), 150) <= first * 1.5
    assert steps(Filter(status="failed"), None) <= first * 1.5
    assert steps(Filter(label=("rare", "yes")), None) <= first * 1.5
    assert steps(Filter(root="r3"), None) <= first * 3


def test_a_conversations_list_holds_its_branches_and_pages(db):
    writes.create(db, 0, new("fork", "i31", root="r3"), end())
    page, more = reads.list(db, 0, "ann", Filter(root="r3"), 3, None)
    assert ids(page) == ["fork", "i38", "i37"]
    rest, _ = reads.list(db, 0, "ann", Filter(root="r3"), 50, more)
    assert ids(rest) == ["i35", "i34", "i32", "i31"]


def test_a_page_of_nothing_is_empty(db):
    assert reads.list(db, 0, "ann", Filter(), 0, None) == ([], None)
