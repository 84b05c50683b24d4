"""Calls that share statements."""

import asyncio

import pytest

from interplay.contracts.store import StoreAway, StoreUnusable
from interplay.plugins.stores.postgres.lanes import Lane


class Runs:
    """What the lane ran; each waits until it is let go."""

    def __init__(self):
        self.batches = []
        self.go, self.begun = asyncio.Event(), asyncio.Event()
        self.go.set()
        self.raises = None

    async def __call__(self, items, since):
        self.batches.append(items)
        self.begun.set()
        await self.go.wait()
        if self.raises is not None:
            self.raises(items)
        return [ValueError(item) if item.startswith("bad") else item.upper() for item in items]


@pytest.fixture
async def runs():
    return Runs()


@pytest.fixture
async def lane(runs):
    return Lane(runs, lambda item: item[0], lambda item: 1)


async def test_what_comes_while_one_runs_goes_together_in_the_next(lane, runs):
    runs.go.clear()
    first = asyncio.create_task(lane.do("a"))
    await runs.begun.wait()
    others = [asyncio.create_task(lane.do(item)) for item in "bcd"]
    await asyncio.sleep(0)
    runs.go.set()
    assert await asyncio.gather(first, *others) == ["A", "B", "C", "D"]
    assert runs.batches == [["a"], ["b", "c", "d"]]


async def test_of_one_key_one_goes_at_a_time_in_order(lane, runs):
    items = ["a1", "b1", "a2", "a3", "b2", "c1"]
    answers = await asyncio.gather(*map(lane.do, items))
    assert answers == [item.upper() for item in items]
    assert runs.batches == [["a1", "b1", "c1"], ["a2", "b2"], ["a3"]]


async def test_what_came_of_one_is_its_own(lane):
    done = await asyncio.gather(*map(lane.do, ["a", "bad", "c"]), return_exceptions=True)
    assert (done[0], done[2]) == ("A", "C")
    assert isinstance(done[1], ValueError)


async def test_a_batch_that_was_spoilt_is_tried_one_by_one(lane, runs):
    def spoil(items):
        if "x" in items:
            raise RuntimeError("x")

    runs.raises = spoil
    done = await asyncio.gather(*map(lane.do, "axb"), return_exceptions=True)
    assert (done[0], done[2]) == ("A", "B")
    assert isinstance(done[1], RuntimeError)
    assert runs.batches == [["a", "x", "b"], ["a"], ["x"], ["b"]]


async def test_a_database_that_is_away_is_so_for_everyone_and_asked_once(lane, runs):
    def away(items):
        raise StoreAway("away")

    runs.raises = away
    done = await asyncio.gather(*map(lane.do, "abc"), return_exceptions=True)
    assert [type(one) for one in done] == [StoreAway] * 3
    assert len({id(one) for one in done}) == 3
    assert runs.batches == [["a", "b", "c"]]
    runs.raises = None
    assert await lane.do("d") == "D"


async def test_who_has_given_up_is_not_written(lane, runs):
    runs.go.clear()
    tasks = [asyncio.create_task(lane.do("a"))]
    await runs.begun.wait()
    tasks += [asyncio.create_task(lane.do(item)) for item in "bc"]
    await asyncio.sleep(0)
    tasks[1].cancel()
    await asyncio.sleep(0)
    runs.go.set()
    assert await asyncio.gather(*tasks[::2]) == ["A", "C"]
    assert runs.batches == [["a"], ["c"]]


async def test_close_waits_for_what_is_under_way(lane, runs):
    runs.go.clear()
    one = asyncio.create_task(lane.do("a"))
    await asyncio.sleep(0)
    closing = asyncio.create_task(lane.close())
    await asyncio.sleep(0)
    assert not closing.done()
    runs.go.set()
    await closing
    assert await one == "A"
    await lane.close()


async def test_nobody_waits_for_a_lane_that_was_broken_off(lane, runs):
    runs.go.clear()
    calls = [asyncio.create_task(lane.do(item)) for item in ("a1", "a2")]
    await runs.begun.wait()
    for task in asyncio.all_tasks() - {asyncio.current_task(), *calls}:
        if "_drain" in repr(task):
            task.cancel()
    done = await asyncio.gather(*calls, return_exceptions=True)
    assert [type(one) for one in done] == [StoreUnusable] * 2
