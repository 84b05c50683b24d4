"""What every store must do with jobs; see interplay.contracts.jobs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from interplay.contracts.jobs import Job, Jobs
from interplay.contracts.store import Store


def ids(found: list[Job]) -> list[str]:
    """The ids of what was found, in order."""
    return [one.id for one in found]


@pytest.mark.asyncio
class JobsContract:
    """Subclass it and give a `make` fixture: a callable that builds the store, not opened, on
    the same place each time; the place is empty when a test begins."""

    @pytest.fixture
    def make(self) -> Callable[[], Store]:
        """Builds the store under test."""
        raise NotImplementedError("Give your test class a `make` fixture.")

    @pytest.fixture
    async def jobs(self, make: Callable[[], Store]) -> AsyncIterator[Jobs]:
        """The jobs of the store, opened."""
        store = make()
        await store.open()
        yield store.jobs
        await store.close()

    async def test_a_job_is_taken_once_and_counts_its_tries(self, jobs: Jobs):
        assert await jobs.put(Job(kind="run", id="a", due=5.25, tier=3)) is True
        taken = await jobs.take({"run": 9}, "w1", 10.0)
        assert taken == [Job(kind="run", id="a", due=5.25, tier=3, tries=1)]
        assert await jobs.take({"run": 9}, "w1", 10.0) == []
        assert await jobs.take({"run": 9}, "w2", 10.0) == []
        await jobs.again("run", "a", "w1", 7.0)
        assert await jobs.take({"run": 9}, "w2", 10.0) == [
            Job(kind="run", id="a", due=7.0, tier=3, tries=2)
        ]

    async def test_a_job_is_put_once_until_it_is_done(self, jobs: Jobs):
        assert await jobs.put(Job(kind="run", id="a", due=5.0)) is True
        assert await jobs.put(Job(kind="run", id="a", due=1.0, tier=0)) is False
        assert await jobs.put(Job(kind="trigger", id="a", due=8.0)) is True
        assert await jobs.next(["run"]) == 5.0
        await jobs.take({"run": 1}, "w1", 10.0)
        assert await jobs.put(Job(kind="run", id="a")) is False
        await jobs.done("run", "a", "w1")
        assert await jobs.put(Job(kind="run", id="a")) is True
        assert (await jobs.take({"run": 1}, "w1", 10.0))[0].tries == 1

    async def test_of_many_who_put_the_same_at_once_one_does(self, jobs: Jobs):
        puts = [jobs.put(Job(kind="run", id="a")) for _ in range(20)]
        assert (await asyncio.gather(*puts)).count(True) == 1
        assert await jobs.waiting("run") == 1

    async def test_the_lowest_tier_goes_first_then_the_longest_due(self, jobs: Jobs):
        for id, tier, due in (
            ("a", 1, 3.0),
            ("b", 1, 1.0),
            ("c", 0, 4.0),
            ("future", 0, 100.0),
            ("d", 2, 0.0),
            ("e", 0, 2.0),
        ):
            await jobs.put(Job(kind="run", id=id, tier=tier, due=due))
        order: list[str] = []
        for _ in range(6):
            order += ids(await jobs.take({"run": 1}, "w1", 50.0))
        assert order == ["e", "c", "b", "a", "d"]
        assert ids(await jobs.take({"run": 1}, "w1", 100.0)) == ["future"]

    async def test_each_kind_has_its_places(self, jobs: Jobs):
        for number in range(5):
            await jobs.put(Job(kind="run", id=f"r{number}", due=number))
            await jobs.put(Job(kind="delivery", id=f"d{number}", due=number))
        await jobs.put(Job(kind="trigger", id="t"))
        taken = await jobs.take({"run": 2, "delivery": 3, "sweep": 4}, "w1", 50.0)
        runs, deliveries = (
            [job for job in taken if job.kind == kind] for kind in ("run", "delivery")
        )
        assert (ids(runs), ids(deliveries)) == (["r0", "r1"], ["d0", "d1", "d2"])
        assert len(taken) == 5
        assert await jobs.take({"run": 0, "trigger": -1}, "w1", 50.0) == []
        assert await jobs.take({}, "w1", 50.0) == []

    async def test_many_who_take_at_once_share_what_is_there(self, jobs: Jobs):
        for number in range(50):
            await jobs.put(Job(kind="run", id=str(number)))
        takes = [jobs.take({"run": 3}, f"w{number}", 1.0) for number in range(20)]
        taken = [ids(one) for one in await asyncio.gather(*takes)]
        assert max(len(one) for one in taken) == 3
        assert sorted(id for one in taken for id in one) == sorted(map(str, range(50)))

    async def test_only_who_has_taken_a_job_ends_it_or_gives_it_back(self, jobs: Jobs):
        await jobs.put(Job(kind="run", id="a"))
        await jobs.done("run", "a", "w1")
        await jobs.done("run", "a", "")
        await jobs.again("run", "a", "", 70.0)
        assert await jobs.next(["run"]) == 0.0
        await jobs.take({"run": 1}, "w1", 1.0)
        await jobs.done("run", "a", "w2")
        await jobs.again("run", "a", "w2", 3.0)
        await jobs.done("run", "nobody", "w1")
        await jobs.again("run", "nobody", "w1", 3.0)
        assert await jobs.takers() == {"w1"}
        assert await jobs.waiting("run") == 0
        await jobs.again("run", "a", "w1", 3.5)
        assert await jobs.takers() == set()
        await jobs.done("run", "a", "w1")
        assert await jobs.next(["run"]) == 3.5

    async def test_what_the_dead_have_taken_is_free_again(self, jobs: Jobs):
        for id in "abcd":
            await jobs.put(Job(kind="run", id=id, due=2.0))
        await jobs.take({"run": 2}, "w1", 5.0)
        await jobs.take({"run": 1}, "w2", 5.0)
        await jobs.take({"run": 1}, "w3", 5.0)
        assert await jobs.takers() == {"w1", "w2", "w3"}
        assert await jobs.free([]) == 0
        assert await jobs.free(["w4"]) == 0
        assert await jobs.free({"w1", "w2"}) == 3
        assert await jobs.takers() == {"w3"}
        assert await jobs.waiting("run") == 3
        taken = await jobs.take({"run": 9}, "w3", 5.0)
        assert [job.tries for job in taken] == [2, 2, 2]
        await jobs.done("run", taken[0].id, "w1")
        assert await jobs.free(["w3"]) == 4

    async def test_next_is_when_the_first_that_is_nobodys_is_due(self, jobs: Jobs):
        assert await jobs.next(["run"]) is None
        for id, tier, due in (("a", 0, 9.0), ("b", 2, 4.5), ("c", 1, 6.0)):
            await jobs.put(Job(kind="run", id=id, tier=tier, due=due))
        await jobs.put(Job(kind="trigger", id="t", due=1.25))
        assert await jobs.next(["run"]) == 4.5
        assert await jobs.next(["run", "trigger", "sweep"]) == 1.25
        assert await jobs.next([]) is None
        assert await jobs.next(["sweep"]) is None
        await jobs.take({"run": 1}, "w1", 5.0)
        assert await jobs.next(["run"]) == 6.0
        await jobs.again("run", "b", "w1", 2.0)
        assert await jobs.next(["run"]) == 2.0

    async def test_a_dropped_job_is_gone_whoever_has_it(self, jobs: Jobs):
        for id in "ab":
            await jobs.put(Job(kind="run", id=id))
        await jobs.take({"run": 1}, "w1", 1.0)
        for id in "abc":
            await jobs.drop("run", id)
        assert await jobs.takers() == set()
        assert await jobs.waiting("run") == 0
        assert await jobs.free(["w1"]) == 0

    async def test_waiting_counts_what_is_nobodys(self, jobs: Jobs):
        for number in range(3):
            await jobs.put(Job(kind="run", id=str(number), due=number * 1_000.0))
        await jobs.put(Job(kind="trigger", id="t"))
        assert await jobs.waiting("run") == 3
        await jobs.take({"run": 9}, "w1", 1_000.0)
        assert await jobs.waiting("run") == 1
        assert await jobs.waiting("trigger") == 1
        assert await jobs.waiting("sweep") == 0

    async def test_jobs_are_there_after_the_store_was_closed_and_opened(
        self, make: Callable[[], Store]
    ):
        first = make()
        await first.open()
        await first.jobs.put(Job(kind="run", id="a"))
        await first.jobs.put(Job(kind="run", id="b", due=7.5, tier=2))
        await first.jobs.take({"run": 1}, "w1", 1.0)
        await first.close()
        second = make()
        await second.open()
        try:
            assert await second.jobs.takers() == {"w1"}
            assert await second.jobs.next(["run"]) == 7.5
            assert await second.jobs.free(["w1"]) == 1
            taken = await second.jobs.take({"run": 5}, "w2", 9.0)
            assert [(job.id, job.tries) for job in taken] == [("a", 2), ("b", 1)]
        finally:
            await second.close()
