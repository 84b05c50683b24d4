"""Opening files: new ones, old ones, newer ones, broken ones, other people's."""

import asyncio
import gzip
import sqlite3
from pathlib import Path

import pytest

from interplay.contracts.jobs import Job
from interplay.contracts.store import Filter, StoreUnusable
from interplay.plugins.stores.sqlite import SqliteStore, schema
from interplay.plugins.stores.sqlite.faults import DamagedStore, NewerSchema
from interplay.testing.contracts.store_holding import record
from interplay.testing.contracts.store_reading import ids

VERSION_1 = Path(__file__).parent / "version_1.db.gz"
"""A file as the first version left it; never made anew."""


def pragma(db: sqlite3.Connection, name: str):
    return db.execute(f"PRAGMA {name}").fetchone()[0]


def test_the_writing_connection_is_set_up(tmp_path):
    db = schema.open_writer(tmp_path / "a.db", "normal")
    assert pragma(db, "journal_mode") == "wal"
    assert pragma(db, "page_size") == 4_096
    assert pragma(db, "synchronous") == 1
    assert pragma(db, "secure_delete") == 1
    assert pragma(db, "wal_autocheckpoint") == 0
    assert pragma(db, "user_version") == max(schema.migrations())
    db.close()
    full = schema.open_writer(tmp_path / "a.db", "full")
    assert pragma(full, "synchronous") == 2
    full.close()


def test_the_reading_connection_cannot_write(tmp_path):
    schema.open_writer(tmp_path / "a.db", "normal").close()
    db = schema.open_reader(tmp_path / "a.db")
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        db.execute("DELETE FROM interactions")
    db.close()


def test_a_newer_file_is_refused_with_both_versions_and_left_alone(tmp_path):
    path = tmp_path / "a.db"
    db = schema.open_writer(path, "normal")
    db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(NewerSchema) as caught:
        schema.open_writer(path, "normal")
    assert (caught.value.found, caught.value.known) == (99, max(schema.migrations()))
    db = sqlite3.connect(path)
    assert pragma(db, "user_version") == 99
    db.close()


def test_a_file_of_another_application_is_refused_and_left_alone(tmp_path):
    path = tmp_path / "a.db"
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE theirs (x)")
    db.close()
    with pytest.raises(DamagedStore, match="another application"):
        schema.open_writer(path, "normal")
    db = sqlite3.connect(path)
    assert db.execute("SELECT name FROM sqlite_schema").fetchall() == [("theirs",)]
    db.close()


@pytest.mark.parametrize("damage", ["header", "schema"])
def test_a_broken_file_is_called_so(tmp_path, damage):
    path = tmp_path / "a.db"
    schema.open_writer(path, "normal").close()
    data = bytearray(path.read_bytes())
    if damage == "header":
        data[:16] = b"x" * 16
    else:
        data[100:4_096] = b"\xff" * 3_996
    path.write_bytes(data)
    with pytest.raises(DamagedStore, match=r"a\.db cannot be used"):
        schema.open_writer(path, "normal")


def test_a_path_that_is_a_folder_cannot_be_opened(tmp_path):
    with pytest.raises(StoreUnusable, match="cannot be opened"):
        schema.open_writer(tmp_path, "normal")


def test_migrations_are_numbered_without_a_gap():
    assert sorted(schema.migrations()) == list(range(1, len(schema.migrations()) + 1))


def test_each_migration_is_whole_or_not_at_all(tmp_path):
    path = tmp_path / "a.db"
    schema.open_writer(path, "normal").close()
    newest = max(schema.migrations())
    scripts = {
        **schema.migrations(),
        newest + 1: "CREATE TABLE good (x);",
        newest + 2: "CREATE TABLE half (x); INSERT INTO nowhere VALUES (1);",
    }
    db = schema.connect(path)
    with pytest.raises(sqlite3.OperationalError, match="nowhere"):
        schema.migrate(db, path, scripts)
    assert pragma(db, "user_version") == newest + 1
    found = {row[0] for row in db.execute("SELECT name FROM sqlite_schema").fetchall()}
    assert "good" in found
    assert "half" not in found
    scripts[newest + 2] = "CREATE TABLE half (x);"
    schema.migrate(db, path, scripts)
    assert pragma(db, "user_version") == newest + 2
    db.close()


async def test_a_file_of_version_1_opens_with_everything_in_it(tmp_path):
    (tmp_path / "interactions.db").write_bytes(gzip.decompress(VERSION_1.read_bytes()))
    store = SqliteStore(tmp_path)
    await store.open()
    row = await store.get("b")
    assert row is not None
    assert (row.status, row.parent, row.root, row.model) == ("completed", "a", "root", "m")
    assert (row.request, row.input) == (b'{"model":"m"}', b'["b"]')
    assert (row.steps, row.replay, row.usage) == (b'["answer"]', b"\x93\x00", b"{}")
    assert (row.last, row.epoch, row.created) == (7, 1, 1_800_000_000.0)
    assert row.labels == {"k": "v"}
    assert ids(await store.chain("c")) == ["a", "b", "c"]
    assert ids(await store.chain("d")) == ["a", "d"]
    long = b'["' + b"x" * 50_000 + b'"]'
    lone = await store.get("lone")
    assert lone is not None
    assert (lone.root, lone.input, lone.steps) == ("lone", long, b'["answer"]')
    page, _ = await store.list("ann", Filter(root="root"), size=9, before=None)
    assert ids(page) == ["d", "c", "b", "a"]
    assert await store.events("c") == [b"0", b"1"]
    assert await store.recall("c") == {"m": b"1"}
    assert await store.unreferenced(["ab" * 32]) == []
    assert (await store.find_key("ann", "key")).id == "a"
    assert (await store.get("c")).worker == ""
    assert await store.workers() == {""}
    assert await store.held("", 4e9, 9) == ["c"]
    await store.append("c", 1, 1, [b"2"])
    assert (await store.claim("c", "w1")).epoch == 2
    assert await store.workers() == {"w1"}
    await store.records.add(record("r"))
    await store.jobs.put(Job(kind="run", id="c"))
    await store.close()
    again = SqliteStore(tmp_path)
    await again.open()
    assert await again.records.get("delivery", "r") == record("r")
    assert await again.jobs.waiting("run") == 1
    assert (await again.claim("c", "w2")).epoch == 3
    await again.close()


async def test_several_who_share_an_old_file_bring_it_up_to_date_once(tmp_path):
    (tmp_path / "interactions.db").write_bytes(gzip.decompress(VERSION_1.read_bytes()))
    stores = [SqliteStore(tmp_path, shared=True) for _ in range(4)]
    await asyncio.gather(*(store.open() for store in stores))
    for store in stores:
        assert (await store.get("c")).worker == ""
    await asyncio.gather(*(store.close() for store in stores))
