"""The dispatcher of one machine, where the store or the machine fails it, and at rest."""

import asyncio
import logging
import os
import time
from contextlib import AsyncExitStack

import pytest

from interplay.contracts.jobs import Job
from interplay.contracts.store import StoreAway, StoreUnusable
from interplay.plugins.dispatchers.local import LocalDispatcher
from interplay.plugins.dispatchers.local.executors import Executors
from interplay.testing.contracts.dispatcher_crew import Work, eventually
from interplay.testing.manual_clock import ManualClock
from tests.plugins.dispatchers.memory_jobs import MemoryJobs


@pytest.fixture
def jobs():
    return MemoryJobs()


@pytest.fixture
async def start(tmp_path, jobs):
    """Opens a dispatcher and lets it work."""
    async with AsyncExitStack() as stack:

        async def started(work, places=4, **how):
            dispatcher = LocalDispatcher(jobs=jobs, folder=tmp_path, **how)
            await dispatcher.open()
            stack.push_async_callback(dispatcher.close)
            dispatcher.work({"run": work}, {"run": places})
            return dispatcher

        yield started


async def is_quiet(jobs, seconds):
    """Whether nothing is asked of the jobs for so long."""
    before = jobs.calls
    try:
        await eventually(lambda: jobs.calls > before, seconds)
    except TimeoutError:
        return True
    return False


async def test_alone_it_asks_nothing_of_the_store_while_nothing_happens(start, jobs):
    work = Work()
    dispatcher = await start(work)
    await dispatcher.submit("run", "a")
    await eventually(lambda: not jobs.entries)
    async with asyncio.timeout(60):
        while not await is_quiet(jobs, 0.1):
            pass
    assert await is_quiet(jobs, 0.5)
    await dispatcher.submit("run", "b")
    await eventually(lambda: work.ended == ["a", "b"])


async def test_alone_it_waits_for_what_is_due_and_asks_once(start, jobs):
    work = Work()
    dispatcher = await start(work)
    due = time.time() + 0.4
    await dispatcher.submit("run", "later", due=due)
    await eventually(lambda: work.began == ["later"])
    assert work.times[0] >= due - 0.01
    assert jobs.calls < 12


async def test_alone_it_takes_what_an_earlier_process_had(start, jobs):
    await jobs.put(Job(kind="run", id="a"))
    await jobs.take({"run": 1}, "earlier-1", time.time())
    work = Work()
    await start(work)
    await eventually(lambda: work.ended == ["a"])


async def test_alone_everybody_else_is_dead(start):
    dispatcher = await start(Work())
    assert await dispatcher.dead({dispatcher.executor, "", "1-ab"}) == {"1-ab"}


@pytest.mark.parametrize("shared", [True, False])
async def test_it_goes_on_when_the_store_is_back(start, jobs, shared):
    work = Work()
    dispatcher = await start(work, shared=shared)
    jobs.away = True
    with pytest.raises(StoreAway):
        await dispatcher.submit("run", "a")
    dispatcher.occupy("run", -1)  # it looks, and finds nobody
    jobs.away = False
    await dispatcher.submit("run", "b")
    await eventually(lambda: work.ended == ["b"])


async def test_what_ends_while_the_store_is_away_is_not_done_again(start, jobs):
    work = Work(held=True)
    dispatcher = await start(work)
    await dispatcher.submit("run", "a")
    await eventually(lambda: work.began == ["a"])
    jobs.away = True
    work.let_go("a")
    await eventually(lambda: work.ended == ["a"])
    before = jobs.calls
    await eventually(lambda: jobs.calls > before)
    jobs.away = False
    await eventually(lambda: not jobs.entries)
    assert work.began == ["a"]


async def test_what_was_taken_without_an_answer_is_done_all_the_same(start, jobs):
    work = Work(held=True)
    dispatcher = await start(work)
    await dispatcher.submit("run", "a")
    await eventually(lambda: work.began == ["a"])
    jobs.unanswered = 1
    await dispatcher.submit("run", "b")
    await eventually(lambda: work.began == ["a", "b"])
    work.let_go("a", "b")
    await eventually(lambda: not jobs.entries)
    assert work.began == ["a", "b"]


async def test_a_fault_while_taking_is_logged_and_it_goes_on(start, jobs, caplog):
    work = Work()
    dispatcher = await start(work)
    jobs.fault = RuntimeError("told to break")
    with caplog.at_level(logging.ERROR):
        await dispatcher.submit("run", "a")
        await eventually(lambda: work.ended == ["a"])
    assert "told to break" in caplog.text


async def test_a_job_others_took_from_it_and_let_fall_is_not_begun_a_second_time(start, jobs):
    work = Work(held=True)
    dispatcher = await start(work)
    await dispatcher.submit("run", "a")
    await eventually(lambda: work.began == ["a"])
    await jobs.free([dispatcher.executor])
    await dispatcher.submit("run", "b")
    await eventually(lambda: "b" in work.began)
    await eventually(lambda: jobs.taker("a") == dispatcher.executor)
    work.let_go("a", "b")
    await eventually(lambda: not jobs.entries)
    assert work.began == ["a", "b"]


async def test_a_job_that_stops_itself_is_called_again(start, jobs):
    def answer(id, calls):
        if calls == 1:
            raise asyncio.CancelledError

    work = Work(answer=answer)
    dispatcher = await start(work)
    await dispatcher.submit("run", "a")
    await eventually(lambda: not jobs.entries and len(work.began) == 2)


async def test_the_pause_after_a_failure_is_short_again_after_a_success(start):
    def answer(id, calls):
        if calls in (1, 2, 4):
            raise RuntimeError("told to fail")
        return time.time() if calls < 5 else None

    work = Work(answer=answer)
    dispatcher = await start(work)
    await dispatcher.submit("run", "a")
    await eventually(lambda: len(work.times) == 5)
    first, second, _, last = (b - a for a, b in zip(work.times, work.times[1:], strict=False))
    assert second > first + 0.1
    assert last < second - 0.1


async def test_drain_ends_in_time_without_a_store(start, jobs):
    work = Work(held=True)
    dispatcher = await start(work)
    await dispatcher.submit("run", "a")
    await eventually(lambda: work.began == ["a"])
    jobs.away = True
    began = time.monotonic()
    await dispatcher.drain()
    assert time.monotonic() - began < 20
    assert work.stopped == ["a"]
    await dispatcher.close()
    await dispatcher.close()


async def test_a_job_cancelled_before_its_first_step_leaves_its_place(start, jobs):
    work = Work()
    dispatcher = await start(work, places=1)
    take = jobs.take

    async def taken(places, executor, now):
        found = await take(places, executor, now)
        if found and found[0].id == "a":  # as soon as it is begun
            cancels.append(asyncio.create_task(dispatcher.cancel("run", "a")))
        return found

    cancels = []
    jobs.take = taken
    await dispatcher.submit("run", "a")
    await dispatcher.submit("run", "b")
    await eventually(lambda: work.ended[-1:] == ["b"])
    await asyncio.gather(*cancels)
    assert work.began == ["b"]


async def test_it_works_once(start):
    dispatcher = await start(Work())
    with pytest.raises(RuntimeError, match="already"):
        dispatcher.work({}, {})


async def test_a_folder_that_cannot_be_used_is_said(tmp_path, jobs):
    (tmp_path / "executors").write_text("in the way")
    dispatcher = LocalDispatcher(jobs=jobs, folder=tmp_path, shared=True)
    with pytest.raises(StoreUnusable, match="executors"):
        await dispatcher.open()


def opened(folder, name, silence=30.0, clock=time.monotonic):
    executors = Executors(folder, name, silence, clock=clock)
    executors.open()
    return executors


def test_the_files_of_the_dead_are_removed(tmp_path):
    (tmp_path / "9-dead.lock").touch()
    first = opened(tmp_path, "1-aa")
    second = opened(tmp_path, "2-bb")
    assert sorted(os.listdir(tmp_path)) == ["1-aa.lock", "2-bb.lock"]
    assert first.dead({"2-bb", "9-dead"}) == {"9-dead"}
    second.close()
    assert first.dead({"2-bb"}) == {"2-bb"}
    first.close()
    first.close()
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("name", ["../1-aa", "1-aa/", ".", "", "1-aa.lock", "x" * 999, "1-a\n"])
def test_a_name_that_is_no_executors_is_nobody_alive(tmp_path, name):
    executors = opened(tmp_path, "1-aa")
    assert executors.dead({name}) == {name}
    executors.close()


def test_who_is_silent_is_dead_until_he_gives_a_sign(tmp_path):
    clock = ManualClock(100.0)
    silent = opened(tmp_path, "1-aa", clock=clock)
    watcher = opened(tmp_path, "2-bb", clock=clock)
    for _ in range(5):
        clock.advance(5)
        watcher.beat()
    assert watcher.dead({"1-aa"}) == set()
    clock.advance(5)
    assert watcher.dead({"1-aa"}) == {"1-aa"}
    os.utime(tmp_path / "1-aa.lock", (1, 1))  # a wall clock that was set back
    assert watcher.dead({"1-aa"}) == set()
    silent.close()
    watcher.close()


def test_who_slept_himself_takes_nobody_for_silent(tmp_path):
    clock = ManualClock(100.0)
    other = opened(tmp_path, "1-aa", clock=clock)
    sleeper = opened(tmp_path, "2-bb", clock=clock)
    clock.advance(3_600)
    assert sleeper.dead({"1-aa"}) == set()
    other.close()
    sleeper.close()


def test_a_file_that_was_removed_is_made_again(tmp_path):
    first = opened(tmp_path, "1-aa")
    second = opened(tmp_path, "2-bb")
    (tmp_path / "1-aa.lock").unlink()
    assert second.dead({"1-aa"}) == {"1-aa"}
    first.beat()
    assert second.dead({"1-aa"}) == set()
    first.close()
    second.close()
