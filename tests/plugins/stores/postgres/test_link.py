"""Patience with a database that is away, full, or has no place left."""

import asyncio
from contextlib import suppress
from urllib.parse import urlsplit

import asyncpg
import pytest

from interplay.contracts.store import StoreAway, StoreFull, StoreUnavailable, StoreUnusable
from interplay.plugins.stores.postgres import PostgresStore
from interplay.testing.contracts.store_holding import record
from interplay.testing.contracts.store_reading import end, new
from tests.plugins.stores.postgres.proxy import Wire


async def goes_on(store):
    """The very same store writes and reads again; its little patience may need a few tries."""
    written = False
    async with asyncio.timeout(60):
        while not written:
            with suppress(StoreAway):
                await store.append("a", 1, -1, [b"x"])
                written = await store.events("a") == [b"x"]
    await store.close()


async def test_every_call_says_in_time_that_the_database_is_away(postgres, database):
    store = PostgresStore(database=database, patience=1)
    await store.open()
    await store.create(new("a"))
    await asyncio.to_thread(postgres.stop, "immediate")
    began = asyncio.get_running_loop().time()
    calls = (
        store.create(new("b")),
        store.create(new("c", "a"), end()),
        store.claim("a", "w"),
        store.release("a", 1),
        store.append("a", 1, -1, [b"x"]),
        store.append("a", 1, -1, [b"x"], ending=end()),
        store.get("a"),
        store.events("a"),
        store.chain("a"),
        store.workers(),
        store.delete("a"),
        store.remember("a", "k", b"1"),
        store.records.add(record("r")),
        store.records.replace(record("r")),
        store.jobs.take({"run": 1}, "w", 1.0),
    )
    done = await asyncio.gather(*calls, return_exceptions=True)
    took = asyncio.get_running_loop().time() - began
    assert {type(one) for one in done} == {StoreAway}
    assert "away" in str(done[0])
    assert took < 5
    await asyncio.to_thread(postgres.start)
    await goes_on(store)


async def test_a_call_outlasts_a_restart_within_its_patience(postgres, database):
    store = PostgresStore(database=database, patience=30)
    await store.open()
    await store.create(new("a"))
    await asyncio.to_thread(postgres.stop, "fast")
    calls = [asyncio.create_task(store.append("a", 1, -1, [b"x"]))]
    calls.append(asyncio.create_task(store.get("a")))
    await asyncio.to_thread(postgres.start)
    async with asyncio.timeout(60):
        _, row = await asyncio.gather(*calls)
    assert row.id == "a"
    assert await store.events("a") == [b"x"]
    await store.close()


async def test_a_wire_that_says_nothing_is_given_up_in_time(database):
    async with Wire(database).open() as wire:
        store = PostgresStore(database=wire.url, patience=1)
        await store.open()
        await store.create(new("a"))
        wire.silence()
        began = asyncio.get_running_loop().time()
        calls = store.get("a"), store.append("a", 1, -1, [b"x"]), store.create(new("b", "a"))
        done = await asyncio.gather(*calls, return_exceptions=True)
        assert {type(one) for one in done} == {StoreAway}
        assert asyncio.get_running_loop().time() - began < 5
        wire.silence(False)
        await goes_on(store)


async def test_who_finds_no_connection_waits_for_one(database):
    """Two connections, both held up by a row that someone else has locked."""
    store = PostgresStore(database=database, connections=3, patience=2)
    await store.open()
    for id in "ab":
        await store.create(new(id))
    outside = await asyncpg.connect(database)
    await outside.execute("BEGIN; SELECT 1 FROM interplay.interactions FOR UPDATE")
    held_up = [asyncio.create_task(store.claim(id, "w")) for id in "ab" * 4]
    async with asyncio.timeout(60):
        while await outside.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted") < 2:
            pass
    reads = [asyncio.create_task(store.get("a")) for _ in range(20)]
    await asyncio.sleep(0)
    await outside.execute("ROLLBACK")
    rows = await asyncio.gather(*reads)
    assert [row.id for row in rows] == ["a"] * 20
    claims = await asyncio.gather(*held_up)
    assert sorted(row.epoch for row in claims) == [2, 2, 3, 3, 4, 4, 5, 5]
    await store.close()
    await outside.close()


async def test_who_finds_no_connection_in_time_is_told(database):
    store = PostgresStore(database=database, connections=2, patience=1)
    await store.open()
    await store.create(new("a"))
    outside = await asyncpg.connect(database)
    await outside.execute("BEGIN; SELECT 1 FROM interplay.interactions FOR UPDATE")
    calls = [store.claim("a", "w"), *(store.get("a") for _ in range(3))]
    async with asyncio.timeout(60):
        done = await asyncio.gather(*calls, return_exceptions=True)
    assert isinstance(done[0], StoreAway)
    # What was given up may still be done now: the claim holds the row.
    await outside.execute("ROLLBACK")
    await outside.close()
    row = None
    async with asyncio.timeout(60):
        while row is None:
            with suppress(StoreAway):
                row = await store.get("a")
    assert row.id == "a"
    await store.close()


async def test_a_server_with_few_connections_is_shared_in_turn(postgres, database):
    parts = urlsplit(database)
    name = parts.path[1:]
    for statement in (
        f"CREATE ROLE {name} LOGIN CONNECTION LIMIT 3",
        f"GRANT CREATE ON DATABASE {name} TO {name}",
    ):
        postgres.sql(statement)
    store = PostgresStore(
        database=f"postgresql://{name}@127.0.0.1:{parts.port}/{name}", connections=12, patience=20
    )
    await store.open()
    await asyncio.gather(*(store.create(new(f"i{number}")) for number in range(60)))
    assert len(await store.held("", 4e9, 100)) == 60
    await store.close()
    postgres.sql(f"DROP OWNED BY {name}", name)
    postgres.sql(f"DROP ROLE {name}")


@pytest.mark.parametrize(
    ("code", "raised"),
    [
        ("53100", StoreFull),
        ("57014", StoreAway),
        ("40P01", StoreAway),
        ("25006", StoreAway),
        ("22P02", ValueError),
        ("42P01", StoreUnusable),
    ],
)
async def test_what_the_database_says_is_told_in_words_of_the_contract(
    postgres, database, code, raised
):
    store = PostgresStore(database=database, patience=1)
    await store.open()
    await store.create(new("a"))
    name = database.rsplit("/", 1)[1]
    raising = f"BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '{code}'; END"
    postgres.sql(f"CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS $${raising}$$", name)
    for table in ("events", "interactions"):
        trigger = f"CREATE TRIGGER no BEFORE INSERT ON interplay.{table}"
        postgres.sql(f"{trigger} FOR EACH ROW EXECUTE FUNCTION no()", name)
    for call in (store.append("a", 1, -1, [b"x"]), store.create(new("b"))):
        with pytest.raises(raised) as told:
            await call
        if raised is StoreFull:
            assert isinstance(told.value, StoreUnavailable)
    for table in ("events", "interactions"):
        postgres.sql(f"DROP TRIGGER no ON interplay.{table}", name)
    await goes_on(store)


async def test_a_statement_that_takes_too_long_is_ended_by_the_server(database):
    store = PostgresStore(database=database, connections=2, patience=1)
    await store.open()
    await store.create(new("a"))
    outside = await asyncpg.connect(database)
    await outside.execute("BEGIN; SELECT 1 FROM interplay.interactions FOR UPDATE")
    with pytest.raises(StoreAway):
        await store.claim("a", "w")
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    async with asyncio.timeout(60):
        while await outside.fetchval(waiting):
            pass
    await outside.execute("ROLLBACK")
    await outside.close()
    await store.close()
