"""The store as a whole: its folder, its disk, what it leaves behind."""

import os
import subprocess
import sys
import time

import pytest

from interplay.contracts.store import StoreAway, StoreFull, StoreUnusable
from interplay.plugins.stores.sqlite import SqliteStore, schema
from interplay.plugins.stores.sqlite.faults import NotShared, StoreLocked
from interplay.testing.contracts.store_reading import end, ids, new
from interplay.testing.manual_clock import ManualClock


@pytest.fixture
async def store(tmp_path):
    store = SqliteStore(tmp_path / "data")
    await store.open()
    yield store
    await store.close()


def run_child(script: str, *words: str) -> str:
    """A process of its own; what it printed."""
    command = [sys.executable, "-c", script, *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


SECOND = """
import asyncio, sys
from pathlib import Path
from interplay.contracts.store import StoreUnusable
from interplay.plugins.stores.sqlite import SqliteStore
try:
    asyncio.run(SqliteStore(Path(sys.argv[1])).open())
except StoreUnusable as error:
    print(type(error).__name__, error.pid, error)
"""


async def test_a_second_process_is_told_who_has_the_folder(store, tmp_path):
    printed = run_child(SECOND, str(tmp_path / "data"))
    assert printed.startswith(f"StoreLocked {os.getpid()} ")
    assert f"in use by process {os.getpid()}. Stop it, or give this server" in printed
    # The loser did not harm the lock.
    with pytest.raises(StoreLocked, match=str(os.getpid())):
        await SqliteStore(tmp_path / "data").open()


async def test_a_shared_store_and_one_that_is_alone_keep_each_other_out(store, tmp_path):
    with pytest.raises(NotShared, match=f"process {os.getpid()}, which does not share it"):
        await SqliteStore(tmp_path / "data", shared=True).open()
    await store.close()
    stores = [SqliteStore(tmp_path / "data", shared=True) for _ in range(2)]
    for one in stores:
        await one.open()
    with pytest.raises(StoreLocked, match="shared = true"):
        await store.open()
    await stores[0].close()
    with pytest.raises(StoreLocked, match="shared = true"):
        await store.open()
    await stores[1].close()
    await store.open()


async def test_a_store_that_is_alone_tells_no_news(store):
    told: list[str | None] = []
    store.watch(told.append)
    await store.create(new("a"))
    await store.append("a", 1, -1, [b"0"])
    await store.close()
    assert told == []


async def test_a_write_that_another_process_keeps_out_is_told_and_may_be_made_again(tmp_path):
    store = SqliteStore(tmp_path, shared=True, patience=0.1)
    await store.open()
    await store.create(new("a"))
    other = schema.connect(store.file)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreAway):
        await store.append("a", 1, -1, [b"0"])
    assert await store.events("a") == []
    other.execute("ROLLBACK")
    other.close()
    await store.append("a", 1, -1, [b"0"])
    assert await store.events("a") == [b"0"]
    await store.close()


async def test_a_closed_store_gives_its_folder_back_and_takes_no_work(store, tmp_path):
    await store.create(new("a"), end())
    await store.close()
    await store.close()
    for call in (store.get("a"), store.create(new("b"))):
        with pytest.raises(StoreUnusable, match="closed"):
            await call
    assert sorted(os.listdir(tmp_path / "data")) == ["interactions.db", "lock"]
    other = SqliteStore(tmp_path / "data")
    await other.open()
    assert await other.get("a") is not None
    await other.close()


async def test_a_store_that_did_not_open_holds_no_lock(tmp_path):
    (tmp_path / "interactions.db").write_text("this is no database, it is a plain text" * 50)
    store = SqliteStore(tmp_path)
    with pytest.raises(StoreUnusable, match="cannot be used as a database"):
        await store.open()
    (tmp_path / "interactions.db").unlink()
    await store.open()
    await store.close()


async def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreUnusable, match="file/data cannot be used"):
        await SqliteStore(tmp_path / "file" / "data").open()


async def test_the_data_is_for_its_owner_alone(store, tmp_path):
    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700


async def test_a_delete_leaves_no_word_behind(store, tmp_path):
    secret = b"the-secret-word"
    text = b'["%s"]' % (secret * 300)
    for id, parent in (("a", None), ("b", "a"), ("c", "b")):
        asked = new(
            id,
            parent,
            request=text,
            input=text * 10,
            labels={"k": secret.decode() + id},
            idempotency_key=secret.decode() + id,
        )
        await store.create(asked)
        await store.append(id, 1, -1, [text, text])
        await store.remember(id, "m", text)
    await store.append("a", 1, 1, [], ending=end(steps=text * 40, errors=text, last=1))
    await store.settle()
    held = b"".join(path.read_bytes() for path in (tmp_path / "data").iterdir())
    assert secret in held
    for id in ("a", "b", "c"):
        await store.delete(id)
    await store.settle()
    for path in (tmp_path / "data").iterdir():
        assert secret not in path.read_bytes(), path.name


async def test_when_writes_pause_the_log_is_emptied_by_itself(store, tmp_path):
    await store.create(new("a", input=b"the-secret-word"))
    await store.delete("a")
    log = tmp_path / "data" / "interactions.db-wal"
    assert b"the-secret-word" in log.read_bytes()
    emptied = store._folder.emptied
    assert emptied.wait(timeout=120)
    assert log.stat().st_size == 0


async def test_a_long_log_begins_anew_while_writes_go_on(store):
    text = b"x" * 200_000
    deadline = time.monotonic() + 30
    longest = pages = number = 0
    while pages >= longest and time.monotonic() < deadline:
        longest = pages
        await store.create(new(f"i{number}", input=text))
        pages = store._folder.pages()
        number += 1
    assert 8_000 < longest < 140_000
    assert pages < longest
    assert await store.get("i0") is not None


async def test_after_settle_the_file_alone_is_whole(store, tmp_path):
    await store.create(new("a", input=b'["kept"]'), end())
    await store.settle()
    copied = tmp_path / "copy"
    copied.mkdir()
    (copied / "interactions.db").write_bytes(store.file.read_bytes())
    copy = SqliteStore(copied)
    await copy.open()
    assert await copy.get("a") == await store.get("a")
    await copy.close()


async def test_an_expired_turn_is_left_out_of_its_chain(tmp_path):
    clock = ManualClock()
    store = SqliteStore(tmp_path, clock=clock)
    await store.open()
    await store.create(new("a", expires=clock() + 10), end())
    await store.create(new("b", "a"), end())
    assert ids(await store.chain("b")) == ["a", "b"]
    clock.advance(10)
    assert ids(await store.chain("b")) == ["b"]
    assert await store.get("a") is None
    await store.close()


FULL = """
import asyncio, resource, sys
from pathlib import Path
from interplay.contracts.store import Filter, StoreFull
from interplay.plugins.stores.sqlite import SqliteStore
from interplay.testing.contracts.store_reading import end, ids, new

def allow(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

async def main():
    store = SqliteStore(Path(sys.argv[1]), durability=sys.argv[2])
    await store.open()
    await store.create(new("first"), end())
    await store.create(new("open"))
    await store.append("open", 1, -1, [b"0"])
    await store.settle()
    allow(1_000_000)
    kept, failed = ["first", "open"], []
    for round in range(30):
        names = [f"i{round}.{one}" for one in range(4)]
        calls = [store.create(new(name, input=b"x" * 20_000), end()) for name in names]
        done = await asyncio.gather(*calls, return_exceptions=True)
        for name, outcome in zip(names, done):
            assert outcome is None or type(outcome) is StoreFull, outcome
            (kept if outcome is None else failed).append(name)
    assert failed and len(kept) > 2
    try:
        await store.append("open", 1, 0, [b"1" * 2_000_000])
    except StoreFull as error:
        print(error)
    assert await store.events("open") == [b"0"]
    for name in kept:
        assert await store.get(name) is not None, name
    for name in failed:
        assert await store.get(name) is None, name
    allow(resource.RLIM_INFINITY)
    for name in failed:
        await store.create(new(name, input=b"x" * 20_000), end())
    await store.append("open", 1, 0, [b"1"])
    await store.close()
    store = SqliteStore(Path(sys.argv[1]))
    await store.open()
    page, _ = await store.list("ann", Filter(), size=500, before=None)
    assert sorted(ids(page)) == sorted(kept + failed)
    assert await store.events("open") == [b"0", b"1"]
    await store.close()
    print("whole")

asyncio.run(main())
"""


@pytest.mark.parametrize("durability", ["normal", "full"])
def test_a_full_disk_fails_the_writes_that_do_not_fit_and_nothing_else(tmp_path, durability):
    printed = run_child(FULL, str(tmp_path), durability).splitlines()
    assert printed[0].startswith("The disk is full or not writable: ")
    assert printed[-1] == "whole"


async def test_a_full_database_is_told_apart_from_a_broken_one(store):
    await store.create(new("a"))
    # The connection's own limit: the same error as a disk without room.
    store._writer._db.execute("PRAGMA max_page_count = 30").fetchall()
    with pytest.raises(StoreFull, match="full"):
        await store.create(new("b", input=b"x" * 1_000_000))
    assert await store.get("b") is None
    store._writer._db.execute("PRAGMA max_page_count = 1073741823").fetchall()
    await store.create(new("b", input=b"x" * 1_000_000))
