"""Statements by name, and what the file holds of statuses, ids and times."""

import re
import sqlite3
from pathlib import Path
from typing import get_args

import pytest

from interplay.contracts.store import TERMINAL
from interplay.plugins.stores.sqlite import rows, schema
from interplay.wire.usage import InteractionStatus

FOLDER = Path(rows.__file__).parent


def test_every_status_has_its_code_and_those_that_have_ended_come_after_the_others():
    assert set(rows.STATUSES) == set(get_args(InteractionStatus))
    ended = {status for status in rows.STATUSES if rows.CODES[status] >= rows.UNENDED}
    assert ended == TERMINAL


def test_the_codes_in_files_out_there_do_not_change():
    assert rows.STATUSES[:9] == (
        "queued",
        "in_progress",
        "requires_action",
        "completed",
        "failed",
        "cancelled",
        "incomplete",
        "budget_exceeded",
        "requires_continuation",
    )
    # The schema's conditions on indexes name these two by number.
    assert (rows.CODES["completed"], rows.UNENDED) == (3, 2)


def test_the_keys_in_files_out_there_do_not_change():
    assert rows.key_of("") == -1970711489451281740
    assert rows.key_of("v1_ü") == -4505521859087528771


@pytest.mark.parametrize("seconds", [0.0, 1_795_235_455.8109999, 1_795_235_455.0005, 4e9])
def test_times_come_back_to_the_millisecond(seconds):
    assert abs(rows.millis(seconds) / 1000 - seconds) <= 0.0005


def test_statements_are_found_by_name_and_may_hold_one_another():
    text = "-- Header.\n\n-- name: a\n-- One.\nSELECT 1\n\n-- name: b\n-- Two.\n{a} + {unended}\n"
    found = rows.statements(text)
    assert found["a"] == "SELECT 1"
    assert found["b"] == "SELECT 1 + 2"


def test_every_statement_has_a_sentence_and_is_used():
    text = "\n".join(path.read_text() for path in sorted(FOLDER.glob("*.sql")))
    names = re.findall(r"^-- name: (\w+)$", text, re.M)
    assert len(names) == len(set(names))
    assert len(re.findall(r"^-- name: \w+\n-- [A-Z].*[^\n]$", text, re.M)) == len(names)
    source = "".join(path.read_text() for path in FOLDER.glob("*.py"))
    for name in names:
        deleted = name.startswith("delete_") and f'"{name.removeprefix("delete_")}"' in source
        chosen = f' = "{name}"' in source or f'SQL["{name}" if' in source
        listed = chosen or f'else "{name}"' in source or f'"{name}" if' in source
        assert f'SQL["{name}"]' in source or f"{{{name}}}" in text or deleted or listed, name


def test_every_statement_fits_the_schema():
    db = sqlite3.connect(":memory:")
    schema.migrate(db, Path("memory"), schema.migrations())
    fragments = {
        "columns", "asked", "answered", "its_branch", "listed", "page", "unended", "whole",
        "living", "record", "record_page",
    }  # fmt: skip
    for name, sql in rows.SQL.items():
        if name not in fragments:
            count = max([0, *(int(one) for one in re.findall(r"\?(\d+)", sql))])
            given = [None] * (count or len(re.findall(r"\?", sql)))
            names = dict.fromkeys(re.findall(r":(\w+)", sql))
            db.execute(f"EXPLAIN {sql}", names or given)
