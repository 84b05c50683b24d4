"""What a shared store must do where several processes use the same data at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from interplay.contracts.jobs import Job
from interplay.contracts.records import Record, Stale
from interplay.contracts.store import Fenced, Store
from interplay.testing.contracts.store_holding import record
from interplay.testing.contracts.store_reading import end, ids, new

_SECONDS = 60.0
"""More than any news may take."""


class News:
    """What a store told, and a wait for it."""

    def __init__(self) -> None:
        self.told: list[str | None] = []
        self._more = asyncio.Event()

    def seen(self, id: str | None) -> None:
        """What is given to `watch`."""
        self.told.append(id)
        self._more.set()

    async def of(self, id: str) -> None:
        """Returns once an interaction may have news, and forgets all there was."""
        async with asyncio.timeout(_SECONDS):
            while id not in self.told and None not in self.told:
                self._more.clear()
                await self._more.wait()
        self.told.clear()


@pytest.mark.asyncio
class SharedStoreContract:
    """Subclass it and give a `make` fixture: a callable that builds the shared store, not opened,
    each time another one on the same place; the place is empty when a test begins."""

    @pytest.fixture
    def make(self) -> Callable[[], Store]:
        """Builds one of the stores."""
        raise NotImplementedError("Give your test class a `make` fixture.")

    @pytest.fixture
    async def store(self, make: Callable[[], Store]) -> AsyncIterator[Store]:
        """One of them, opened."""
        store = make()
        await store.open()
        yield store
        await store.close()

    @pytest.fixture
    async def other(self, make: Callable[[], Store], store: Store) -> AsyncIterator[Store]:
        """Another one over the same data."""
        other = make()
        await other.open()
        yield other
        await other.close()

    async def test_it_says_that_it_is_shared(self, store: Store):
        assert store.shared is True

    async def test_several_may_open_an_empty_place_at_once(self, make: Callable[[], Store]):
        stores = [make() for _ in range(4)]
        await asyncio.gather(*(store.open() for store in stores))
        try:
            for number, store in enumerate(stores):
                await store.create(new(f"i{number}"))
            for store in stores:
                assert await store.workers() == {""}
                assert len(await store.held("", 4e9, 9)) == 4
        finally:
            await asyncio.gather(*(store.close() for store in stores))

    async def test_what_one_has_written_the_other_reads(self, store: Store, other: Store):
        await store.create(new("a", worker="w1"))
        await store.append("a", 1, -1, [b"0"])
        assert await other.events("a") == [b"0"]
        await other.create(new("b", "a"), end())
        assert ids(await store.chain("b")) == ["a", "b"]
        await store.records.add(record("r"))
        assert await other.records.get("delivery", "r") == record("r")
        await other.delete("a")
        assert await store.get("a") is None

    async def test_the_fence_holds_between_them(self, store: Store, other: Store):
        await store.create(new("a", worker="w1"))
        await store.append("a", 1, -1, [b"0"])
        claimed = await other.claim("a", "w2")
        with pytest.raises(Fenced):
            await store.append("a", 1, 0, [b"zombie"])
        assert await store.lost({"a": 1}) == ["a"]
        assert await store.workers() == {"w2"}
        await other.append("a", claimed.epoch, 0, [b"1"], ending=end(last=1))
        with pytest.raises(Fenced):
            await store.claim("a", "w1")
        assert await store.workers() == set()

    async def test_a_key_and_a_version_are_given_once_between_them(
        self, store: Store, other: Store
    ):
        calls = [
            one.create(new(f"{name}{number}", idempotency_key="k"))
            for number in range(5)
            for name, one in (("a", store), ("b", other))
        ]
        done = await asyncio.gather(*calls, return_exceptions=True)
        assert [type(one) for one in done].count(KeyError) == 9
        await store.records.add(record("r"))
        replacements = [
            one.records.replace(record("r", state=str(number)))
            for number in range(5)
            for one in (store, other)
        ]
        answers = await asyncio.gather(*replacements, return_exceptions=True)
        assert [type(one) for one in answers].count(Stale) == 9
        assert [type(one) for one in answers].count(Record) == 1

    async def test_a_job_is_taken_by_one_of_them(self, store: Store, other: Store):
        names = [f"j{number}" for number in range(60)]
        await asyncio.gather(*(store.jobs.put(Job(kind="run", id=name)) for name in names))
        takes = [
            one.jobs.take({"run": 4}, worker, 1.0)
            for _ in range(10)
            for worker, one in (("w1", store), ("w2", other))
        ]
        taken = [job.id for jobs in await asyncio.gather(*takes) for job in jobs]
        assert sorted(taken) == sorted(names)

    async def test_both_write_at_once_and_nothing_is_lost(self, store: Store, other: Store):
        async def run(one: Store, id: str) -> None:
            await one.create(new(id, worker="w"))
            for last in range(-1, 9):
                await one.append(id, 1, last, [b"%d" % (last + 1)])
            if int(id[1:]) % 2:
                await one.append(id, 1, 9, [], ending=end(last=9))

        await asyncio.gather(
            *(run(store, f"a{number}") for number in range(20)),
            *(run(other, f"b{number}") for number in range(20)),
        )
        whole = [b"%d" % number for number in range(10)]
        for name, one in (("a", other), ("b", store)):
            for number in range(20):
                row = await one.get(f"{name}{number}")
                assert row is not None
                assert row.last == 9
                expected = [] if number % 2 else whole
                assert await one.events(row.id) == expected

    async def test_who_watches_is_told_of_what_another_has_written(
        self, store: Store, other: Store
    ):
        news = News()
        store.watch(news.seen)
        await other.create(new("a", worker="w1"))
        for last in range(-1, 5):
            await other.append("a", 1, last, [b"x"])
            await news.of("a")
            assert len(await store.events("a")) == last + 2
        await other.append("a", 1, 5, [], ending=end(last=5))
        await news.of("a")
        row = await store.get("a")
        assert row is not None
        assert row.status == "completed"

    async def test_who_watches_is_told_of_what_was_written_through_the_same_store(
        self, store: Store
    ):
        first, second = News(), News()
        store.watch(first.seen)
        store.watch(second.seen)
        await store.create(new("a", worker="w1"))
        first.told.clear()
        second.told.clear()
        await store.append("a", 1, -1, [b"0"])
        await asyncio.gather(first.of("a"), second.of("a"))
        await store.append("a", 1, 0, [], ending=end(last=0))
        await asyncio.gather(first.of("a"), second.of("a"))

    async def test_one_goes_on_when_the_other_has_closed(
        self, store: Store, make: Callable[[], Store]
    ):
        news = News()
        store.watch(news.seen)
        other = make()
        await other.open()
        await other.create(new("a", worker="w2"))
        await other.close()
        assert await store.workers() == {"w2"}
        await store.claim("a", "w1")
        await store.append("a", 2, -1, [b"0"])
        await news.of("a")
        third = make()
        await third.open()
        try:
            await third.append("a", 2, 0, [b"1"])
            await news.of("a")
            assert await store.events("a") == [b"0", b"1"]
        finally:
            await third.close()
