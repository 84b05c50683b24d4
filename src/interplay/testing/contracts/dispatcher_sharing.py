"""What every dispatcher must do where several processes share work, and some of them die."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from typing import ClassVar

import pytest

from interplay.testing.contracts.dispatcher_crew import Crew, Work, eventually


@pytest.mark.asyncio
class DispatcherSharing:
    """The part of DispatcherContract that is about many processes; subclass that one."""

    silence: ClassVar[float] = 2.0
    """Seconds after which the dispatchers of the suite take a silent process for dead."""
    prompt: ClassVar[float] = 2.0
    """Seconds in which one drains, and in which work of a dead process is being done elsewhere."""

    @pytest.fixture
    def opens(self) -> str:
        """`module:function` of a function (place, silence) that answers an async context manager
        of one open dispatcher; whatever it needs besides is let go on leaving. Each call stands
        for one more process over the same place, and real processes import it as well."""
        raise NotImplementedError("Give your test class an `opens` fixture.")

    @pytest.fixture
    def place(self) -> str:
        """What they share, as text: a folder, a URL. Nothing is there when a test begins."""
        raise NotImplementedError("Give your test class a `place` fixture.")

    @pytest.fixture
    async def crew(self, opens: str, place: str) -> AsyncIterator[Crew]:
        """Opens dispatchers and processes, and lets go of them after the test."""
        async with AsyncExitStack() as stack:
            yield Crew(opens, place, self.silence, stack)

    async def test_every_start_has_a_name_of_its_own(self, crew: Crew):
        names: list[str] = []
        for _ in range(5):
            dispatcher = await crew.join()
            names.append(dispatcher.executor)
            await dispatcher.close()
        names += [(await crew.join()).executor for _ in range(3)]
        assert "" not in names
        assert len(set(names)) == 8

    async def test_two_share_the_work_and_nothing_is_done_twice(self, crew: Crew):
        first, second = Work(held=True), Work(held=True)
        one = await crew.worker(first, places=1)
        await crew.worker(second, places=1)
        ids = [str(number) for number in range(20)]
        for id in ids:
            await one.submit("run", id)
        await eventually(lambda: first.began and second.began)
        assert len(first.began) == len(second.began) == 1
        first.let_go(*ids)
        second.let_go(*ids)
        await eventually(lambda: len(first.ended) + len(second.ended) >= 20)
        assert sorted(first.began + second.began, key=int) == ids
        assert await one.waiting("run") == 0

    async def test_one_who_only_submits_takes_nothing(self, crew: Crew):
        clerk = await crew.join()
        await clerk.submit("run", "a")
        work = Work()
        await crew.worker(work)
        await eventually(lambda: work.ended == ["a"])
        started = time.monotonic()
        await clerk.submit("run", "b")
        await eventually(lambda: work.ended == ["a", "b"])
        assert time.monotonic() - started < self.prompt

    async def test_a_job_cancelled_elsewhere_while_it_waits_is_forgotten(self, crew: Crew):
        work = Work(held=True)
        dispatcher = await crew.worker(work, places=1)
        other = await crew.join()
        for id in ("a", "b", "c"):
            await dispatcher.submit("run", id)
        await eventually(lambda: work.began == ["a"])
        await other.cancel("run", "b")
        work.let_go("a", "b", "c")
        await eventually(lambda: "c" in work.ended)
        assert work.began == ["a", "c"]

    async def test_the_living_are_not_dead_and_the_closed_are(self, crew: Crew):
        one, two, gone = await crew.join(), await crew.join(), await crew.join()
        names = {one.executor, two.executor, gone.executor}
        assert await one.dead(names) == set()
        await gone.close()
        assert await one.dead(names) == {gone.executor}
        assert await one.dead(set()) == set()
        assert await one.dead({two.executor, ""}) == set()
        assert await two.dead({one.executor, "never-was"}) == {"never-was"}

    async def test_drain_hands_back_what_is_being_done_and_others_take_it_at_once(self, crew: Crew):
        first, second = Work(held=True), Work()
        one = await crew.worker(first, places=2)
        for id in ("a", "b", "c"):
            await one.submit("run", id)
        await eventually(lambda: len(first.began) == 2)
        started = time.monotonic()
        await one.drain()
        assert time.monotonic() - started < self.prompt
        assert sorted(first.stopped) == sorted(first.began)
        taken = time.monotonic()
        await crew.worker(second, places=3)
        await eventually(lambda: sorted(second.ended) == ["a", "b", "c"])
        assert time.monotonic() - taken < self.prompt
        assert len(first.began) == 2
        await one.drain()

    async def test_one_who_drained_takes_nothing_and_still_submits(self, crew: Crew):
        first, second = Work(), Work()
        one = await crew.worker(first)
        await one.drain()
        await one.submit("run", "a")
        await crew.worker(second)
        await eventually(lambda: second.ended == ["a"])
        assert first.began == []

    async def test_drain_does_not_wait_for_a_handler_that_clings(self, crew: Crew):
        begun, let_go = asyncio.Event(), asyncio.Event()

        async def clinging(id: str) -> None:
            begun.set()
            while not let_go.is_set():
                with suppress(asyncio.CancelledError):
                    await let_go.wait()

        one = await crew.join()
        one.work({"run": clinging}, {"run": 1})
        try:
            await one.submit("run", "a")
            await asyncio.wait_for(begun.wait(), 15)
            started = time.monotonic()
            await one.drain()
            assert time.monotonic() - started < self.prompt + 0.5
            work = Work()
            await crew.worker(work)
            await eventually(lambda: work.ended == ["a"])
        finally:
            let_go.set()

    async def test_what_a_closed_one_had_is_done_by_another(self, crew: Crew):
        first, second = Work(held=True), Work()
        one = await crew.worker(first)
        await one.submit("run", "a")
        await eventually(lambda: first.began == ["a"])
        await one.close()
        assert first.stopped == ["a"]
        await crew.worker(second)
        await eventually(lambda: second.ended == ["a"], self.prompt + 1)

    async def test_processes_share_the_work_and_nothing_is_done_twice(self, crew: Crew):
        there = await asyncio.gather(*(crew.elsewhere("work run=4") for _ in range(2)))
        clerk = await crew.join()
        ids = [f"shared-{number}" for number in range(120)]
        for at in range(0, len(ids), 20):
            await asyncio.gather(*(clerk.submit("run", id) for id in ids[at : at + 20]))
        await eventually(lambda: [len(one.began()) for one in there] == [4, 4])
        for one in there:
            one.tell("quick")
            for id in one.began():
                one.tell(f"finish {id}")
        await eventually(lambda: sum(len(one.began()) for one in there) >= len(ids), 30.0)
        assert sorted(id for one in there for id in one.began()) == sorted(ids)

    async def test_work_of_a_killed_process_is_taken_over(self, crew: Crew):
        there = await crew.elsewhere("work run=4")
        work = Work()
        here = await crew.join()
        await here.submit("run", "a")
        await here.submit("run", "b")
        await eventually(lambda: sorted(there.began()) == ["a", "b"])
        here.work({"run": work}, {"run": 4})
        assert await here.dead({there.executor, here.executor}) == set()
        there.signal(signal.SIGKILL)
        await eventually(lambda: sorted(work.ended) == ["a", "b"], self.prompt)
        assert await here.dead({there.executor, here.executor}) == {there.executor}
        assert sorted(work.began) == ["a", "b"]

    async def test_a_process_that_was_killed_leaves_work_for_who_starts_later(self, crew: Crew):
        there = await crew.elsewhere("work run=4", "submit run a")
        await eventually(lambda: there.began() == ["a"])
        there.signal(signal.SIGKILL)
        await there.end()
        work = Work()
        await crew.worker(work)
        await eventually(lambda: work.ended == ["a"], self.prompt + 1)

    async def test_a_process_that_drains_hands_over_at_once(self, crew: Crew):
        there = await crew.elsewhere("work run=4", "submit run a", "submit run b")
        await eventually(lambda: sorted(there.began()) == ["a", "b"])
        work = Work()
        await crew.worker(work)
        started = time.monotonic()
        there.tell("drain")
        await eventually(lambda: "drained" in there.said)
        assert time.monotonic() - started < self.prompt + 0.5
        await eventually(lambda: sorted(work.ended) == ["a", "b"], self.prompt)
        assert sorted(line for line in there.said if line.startswith("stopped")) == [
            "stopped run a",
            "stopped run b",
        ]

    async def test_a_frozen_process_counts_as_dead_and_its_jobs_go_to_others(self, crew: Crew):
        there = await crew.elsewhere("work run=4", "submit run a")
        await eventually(lambda: there.began() == ["a"])
        work = Work(held=True)
        here = await crew.worker(work)
        assert await here.dead({there.executor}) == set()
        frozen = time.monotonic()
        there.signal(signal.SIGSTOP)
        await eventually(lambda: work.began == ["a"], 3 * self.silence + 2.5 * self.prompt)
        assert time.monotonic() - frozen > self.silence / 2
        assert await here.dead({there.executor}) == {there.executor}
        there.signal(signal.SIGCONT)
        there.tell("finish a")
        there.tell("submit run b")
        await eventually(lambda: "b" in there.began() or "b" in work.began)
        there.tell("finish b")
        work.let_go("a", "b")
        await eventually(lambda: "a" in work.ended)
        assert work.began.count("a") == 1
        assert there.began().count("a") == 1

    async def test_a_process_that_is_long_at_work_is_not_taken_for_dead(self, crew: Crew):
        there = await crew.elsewhere("work run=4", "submit run a")
        await eventually(lambda: there.began() == ["a"])
        work = Work()
        here = await crew.worker(work)
        until = time.monotonic() + 2 * self.silence
        await eventually(lambda: work.began or time.monotonic() > until, 3 * self.silence)
        assert work.began == []
        assert await here.dead({there.executor}) == set()
        there.tell("finish a")
        await eventually(lambda: "ended run a" in there.said)
