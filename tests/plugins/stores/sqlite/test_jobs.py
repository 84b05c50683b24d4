"""Jobs are found by an index, however many wait for later."""

import re
import sqlite3
from pathlib import Path

import pytest

from interplay.contracts.jobs import Job
from interplay.plugins.stores.sqlite import jobs, schema
from interplay.plugins.stores.sqlite.rows import SQL


@pytest.fixture
def db():
    connection = sqlite3.connect(":memory:", isolation_level=None)
    schema.migrate(connection, Path("memory"), schema.migrations())
    return connection.cursor()


@pytest.mark.parametrize(
    "name",
    ["first_tier", "due_jobs", "next_due", "takers", "count_waiting", "free_jobs", "take_job"],
)
def test_no_statement_walks_over_all_jobs(db, name):
    sql = SQL[name]
    given = dict.fromkeys(re.findall(r":(\w+)", sql)) or [None] * sql.count("?")
    steps = [row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {sql}", given)]
    # The index of those that are taken holds nothing else, and the tiers are made on the way.
    free = ("jobs_taken", "SCAN t", "CONSTANT ROW")
    walks = [step for step in steps if step.startswith("SCAN")]
    assert [step for step in walks if not step.endswith(free)] == []
    assert not any("TEMP B-TREE" in step for step in steps)


def test_what_is_due_later_is_not_walked_over(db):
    def steps(work) -> int:
        count = 0

        def tick() -> int:
            nonlocal count
            count += 1
            return 0

        db.connection.set_progress_handler(tick, 1)
        work()
        db.connection.set_progress_handler(None, 1)
        return count

    def costs() -> tuple[int, int]:
        return (
            steps(lambda: jobs.take(db, {"trigger": 5}, "w", 10.0)),
            steps(lambda: jobs.next_due(db, ["trigger"])),
        )

    for tier in range(3):
        jobs.put(db, Job(kind="trigger", id=f"t{tier}", tier=tier, due=100.0))
    few = costs()
    for number in range(3_000):
        jobs.put(db, Job(kind="trigger", id=str(number), tier=number % 3, due=200.0 + number))
    many = costs()
    assert max(many) <= max(few) * 1.2
