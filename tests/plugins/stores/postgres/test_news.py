"""News of commits: to this process, to others, and after the connection was lost."""

import asyncio

import msgspec

from interplay.plugins.stores.postgres import PostgresStore
from interplay.plugins.stores.postgres.news import payloads
from interplay.plugins.stores.postgres.rows import told
from interplay.testing.contracts.store_reading import new
from interplay.testing.contracts.store_sharing import News


async def test_after_a_crash_of_the_database_it_may_be_anyone_and_news_come_again(
    postgres, database
):
    store, other = PostgresStore(database=database), PostgresStore(database=database, patience=30)
    await store.open()
    await other.open()
    news = News()
    store.watch(news.seen)
    await other.create(new("a"))
    await other.append("a", 1, -1, [b"0"])
    await news.of("a")
    await asyncio.to_thread(postgres.stop, "immediate")
    await asyncio.to_thread(postgres.start)
    async with asyncio.timeout(60):
        while None not in news.told:
            await store.workers()
    news.told.clear()
    await other.append("a", 1, 0, [b"1"])
    # Its own connection may be back a little later than the first one's.
    async with asyncio.timeout(60):
        last = 1
        while "a" not in news.told:
            await other.append("a", 1, last, [b"x"])
            last += 1
    await store.close()
    await other.close()


async def test_what_is_told_at_once_goes_in_few_notifications(database):
    store, other = PostgresStore(database=database), PostgresStore(database=database)
    await store.open()
    await other.open()
    told = []
    store.watch(told.append)
    names = {f"i{number:04}" for number in range(300)}
    await asyncio.gather(*(other.create(new(name)) for name in names))
    await asyncio.gather(*(other.append(name, 1, -1, [b"0"]) for name in names))
    async with asyncio.timeout(60):
        while set(told) != names:
            await store.workers()
    assert len(told) == len(names)
    await store.close()
    await other.close()


async def test_one_does_not_hear_of_oneself_twice(database):
    store, other = PostgresStore(database=database), PostgresStore(database=database)
    await store.open()
    await other.open()
    own, others = [], []
    store.watch(own.append)
    other.watch(others.append)
    await store.create(new("a"))
    await store.append("a", 1, -1, [b"0"])
    async with asyncio.timeout(60):
        while others != ["a"]:
            await store.workers()
    await store.close()
    assert own == ["a"]
    await other.close()


def test_every_id_is_in_one_notification_that_postgres_takes():
    ids = [f"v1_{number:040}" for number in range(5_000)]
    told = payloads(ids)
    assert max(len(one.encode()) for one in told) < 8_000
    assert [id for one in told for id in msgspec.json.decode(one)] == ids
    assert len(told) < 5_000 * 44 / 7_000
    assert payloads([]) == []
    assert payloads(["a"]) == ['["a"]']


def test_where_they_are_too_many_or_too_long_it_may_be_anyone():
    assert payloads(map(str, range(20_000))) == ["[]"]
    assert payloads(["a", "x" * 9_000, "b"]) == ["[]"]
    awkward = ["\x00", "\n", '"', "ü" * 3_000, "\ud800"]
    kept = [id for one in payloads(awkward) for id in msgspec.json.decode(one)]
    assert [told(id) for id in kept] == awkward
