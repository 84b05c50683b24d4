"""Files and uploads as records, and what ids and times look like."""

from __future__ import annotations

import re
import time

import pytest

from interplay.files.rows import (
    FILE,
    FileRow,
    KeptFile,
    Rows,
    is_file_id,
    moment,
    new_file_id,
    record_of,
)


async def test_every_row_is_found_over_all_pages(rows: Rows) -> None:
    for number in range(510):
        record = record_of(FILE, f"f{number}", f"owner{number % 2}", time.time(), None)
        assert await rows.add(FileRow(record, KeptFile(size=number)))
    assert len(await rows.every(FileRow)) == 510
    assert {row.kept.size % 2 for row in await rows.every(FileRow, "owner1")} == {1}


async def test_an_id_is_added_once(rows: Rows) -> None:
    first = FileRow(record_of(FILE, "x", "me", time.time(), None), KeptFile(size=1))
    second = FileRow(record_of(FILE, "x", "me", time.time(), None), KeptFile(size=2))
    assert await rows.add(first)
    assert not await rows.add(second)
    kept = await rows.get(FileRow, "x")
    assert kept is not None
    assert kept.kept.size == 1


def test_new_ids_are_as_the_clients_cut_them_out_of_a_uri() -> None:
    ids = {new_file_id() for _ in range(100)}
    assert len(ids) == 100
    assert all(re.fullmatch("[a-z0-9]+", id) and is_file_id(id) for id in ids)


@pytest.mark.parametrize("id", ["", "-a", "a-", "A", "a/b", "a" * 41, "ä"])
def test_what_is_no_id_is_refused(id: str) -> None:
    assert not is_file_id(id)


def test_times_are_rfc_3339_to_the_millisecond() -> None:
    assert moment(1_800_000_000.0004) == "2027-01-15T08:00:00.000Z"
