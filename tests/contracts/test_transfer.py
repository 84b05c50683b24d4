"""What one store hands to another: everything, in its place."""

import pytest

from interplay.contracts.store import Filter
from interplay.contracts.transfer import Migrating
from interplay.plugins.stores.postgres import PostgresStore
from interplay.plugins.stores.sqlite import SqliteStore
from interplay.testing.contracts.store_holding import record
from interplay.testing.contracts.store_reading import end, ids, new

BLOB = "ab" * 32


@pytest.fixture
async def source(tmp_path):
    store = SqliteStore(tmp_path)
    await store.open()
    yield store
    await store.close()


@pytest.fixture
async def target(database):
    store = PostgresStore(database=database)
    await store.open()
    yield store
    await store.close()


async def fill(store):
    """Chains with forks and holes, labels, keys, blobs, records; nothing runs."""
    await store.create(new("a", labels={"k": "v"}, idempotency_key="key"), end(replay=b"\x93"))
    await store.create(new("b", "a", blobs=[BLOB], model="m", agent="g"), end(usage=b"{}"))
    await store.create(new("fork", "a", background=True), end(status="failed", errors=b"[]"))
    await store.create(new("hole", "fork"), end())
    await store.create(new("late", "hole", expires=4e9, fingerprint="f"), end())
    await store.create(new("ran", "b", worker="w"))
    await store.claim("ran", "w2")
    await store.append("ran", 2, -1, [b"0"], ending=end(last=0, blobs=[BLOB]))
    await store.delete("hole")
    for number in range(5):
        await store.records.add(record(f"r{number}", due=float(number), group="g", state="s"))
    await store.records.remove("delivery", "r3")


async def move(source, target):
    await target.transfer.reserve(*await source.transfer.last())
    await target.transfer.take_forks(await source.transfer.forks(0, 100))
    await target.transfer.take_interactions(await source.transfer.interactions(0, 100))
    await target.transfer.take_records(await source.transfer.records(0, 100))


async def everything(store):
    page, _ = await store.list("ann", Filter(), size=50, before=None)
    rows = [await store.get(row.id) for row in page]
    chains = [await store.chain(row.id) for row in page]
    labelled = await store.list("ann", Filter(label=("k", "v")), size=50, before=None)
    records = await store.records.list("delivery")
    key = await store.find_key("ann", "key")
    return page, rows, chains, labelled, records, key, await store.unreferenced([BLOB])


async def test_the_other_store_reads_the_same(source, target):
    await fill(source)
    for _ in range(2):
        await move(source, target)
        assert await everything(target) == await everything(source)
        assert await target.transfer.tally() == await source.transfer.tally()
    tally = await target.transfer.tally()
    assert (tally.interactions, tally.labels, tally.references, tally.records) == (5, 1, 2, 4)


async def test_the_conversations_go_on_there(source, target):
    await fill(source)
    await move(source, target)
    await target.create(new("next", "late"))
    await target.create(new("other", "a"))
    assert ids(await target.chain("next")) == ["a", "fork", "late", "next"]
    assert ids(await target.chain("other")) == ["a", "other"]
    await target.records.add(record("new"))
    page, _ = await target.list("ann", Filter(), size=2, before=None)
    assert ids(page) == ["other", "next"]
    assert (await target.records.list("delivery"))[0][0].id == "new"


async def test_parts_are_in_order_and_none_is_left_out(source):
    await fill(source)
    whole = await source.transfer.interactions(0, 100)
    found, after = [], 0
    while part := await source.transfer.interactions(after, 2):
        assert len(part) <= 2
        found += part
        after = part[-1].position
    assert found == whole
    assert (await source.transfer.last())[0] == after


async def test_what_has_not_ended_is_counted_and_stays(source):
    await fill(source)
    before = await source.transfer.tally()
    await source.create(new("running", labels={"k": "v"}, blobs=[BLOB]))
    assert await source.transfer.unended() == 1
    assert "running" not in [one.row.id for one in await source.transfer.interactions(0, 100)]
    assert await source.transfer.tally() == before


async def test_what_is_there_under_the_same_id_is_not_overwritten(source, target):
    await fill(source)
    await target.transfer.reserve(100, 100)
    await target.create(new("b"))
    with pytest.raises(ValueError, match="there already"):
        await move(source, target)
    assert (await target.get("b")).input == b'["b"]'
    assert await target.get("a") is None, "a part is taken whole or not at all"


def test_only_a_store_with_two_phases_is_brought_up_to_date_from_outside(tmp_path):
    assert isinstance(PostgresStore(database=""), Migrating)
    assert not isinstance(SqliteStore(tmp_path), Migrating)
