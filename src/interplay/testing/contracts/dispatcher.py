"""What every dispatcher must do; see interplay.contracts.dispatcher."""

from __future__ import annotations

import asyncio
import time

import pytest

from interplay.testing.contracts.dispatcher_crew import Crew, Work, eventually
from interplay.testing.contracts.dispatcher_sharing import DispatcherSharing


@pytest.mark.asyncio
class DispatcherContract(DispatcherSharing):
    """Subclass it and give an `opens` and a `place` fixture; see DispatcherSharing."""

    async def test_a_submitted_job_is_done_once(self, crew: Crew):
        work = Work()
        dispatcher = await crew.worker(work, places=1)
        await dispatcher.submit("run", "a")
        await eventually(lambda: work.ended == ["a"])
        await dispatcher.submit("run", "behind")
        await eventually(lambda: "behind" in work.ended)
        assert work.began == ["a", "behind"]
        assert await dispatcher.waiting("run") == 0

    async def test_what_was_submitted_before_anybody_works_is_done_later(self, crew: Crew):
        early = await crew.join()
        await early.submit("run", "a")
        await early.close()
        work = Work()
        await crew.worker(work)
        await eventually(lambda: work.ended == ["a"])

    async def test_a_handler_is_called_again_at_the_time_it_answers(self, crew: Crew):
        asked: list[float] = []

        def answer(id: str, calls: int) -> float | None:
            asked.append(time.time() + 0.4)
            return asked[-1] if calls < 3 else None

        work = Work(answer=answer)
        dispatcher = await crew.worker(work)
        await dispatcher.submit("run", "a")
        await eventually(lambda: len(work.ended) == 3)
        assert work.times[1] >= asked[0] - 0.01
        assert work.times[2] >= asked[1] - 0.01
        await dispatcher.submit("run", "behind")
        await eventually(lambda: "behind" in work.ended)
        assert work.began.count("a") == 3

    async def test_a_job_is_not_done_before_it_is_due(self, crew: Crew):
        work = Work()
        dispatcher = await crew.worker(work)
        due = time.time() + 0.6
        await dispatcher.submit("run", "later", due=due)
        await dispatcher.submit("run", "now")
        await eventually(lambda: "later" in work.began)
        assert work.began == ["now", "later"]
        assert work.times[1] >= due - 0.01

    async def test_submitting_what_waits_or_is_being_done_changes_nothing(self, crew: Crew):
        work = Work(held=True)
        dispatcher = await crew.worker(work, places=1)
        other = await crew.join()
        await dispatcher.submit("run", "a")
        await eventually(lambda: work.began == ["a"])
        for one in (dispatcher, other, dispatcher, other):
            await one.submit("run", "a")
            await one.submit("run", "b")
        assert await dispatcher.waiting("run") == 1
        work.let_go("a", "b")
        await eventually(lambda: work.ended == ["a", "b"])
        await dispatcher.submit("run", "behind")
        work.let_go("behind")
        await eventually(lambda: "behind" in work.ended)
        assert work.began == ["a", "b", "behind"]

    async def test_the_same_id_of_another_kind_is_another_job(self, crew: Crew):
        runs, deliveries = Work(), Work()
        dispatcher = await crew.worker({"run": runs, "delivery": deliveries})
        await dispatcher.submit("run", "a")
        await dispatcher.submit("delivery", "a")
        await eventually(lambda: runs.ended == ["a"] and deliveries.ended == ["a"])

    async def test_what_was_done_may_be_submitted_again(self, crew: Crew):
        work = Work()
        dispatcher = await crew.worker(work)
        for times in range(1, 4):
            async with asyncio.timeout(15):
                while len(work.ended) < times:
                    await dispatcher.submit("run", "a")  # nothing happens until it is forgotten
                    await asyncio.sleep(0.01)

    async def test_lower_tiers_go_first(self, crew: Crew):
        work = Work(held=True)
        dispatcher = await crew.worker(work, places=1)
        await dispatcher.submit("run", "first")
        await eventually(lambda: work.began == ["first"])
        for id, tier in (("a", 3), ("c", 1), ("b", 2), ("d", 0)):
            await dispatcher.submit("run", id, tier=tier)
        work.let_go("first", "a", "b", "c", "d")
        await eventually(lambda: len(work.ended) == 5)
        assert work.began == ["first", "d", "c", "b", "a"]

    async def test_no_more_is_done_at_once_than_there_are_places(self, crew: Crew):
        work = Work(held=True)
        dispatcher = await crew.worker(work, places=3)
        ids = [str(number) for number in range(8)]
        for id in ids:
            await dispatcher.submit("run", id)
        await eventually(lambda: len(work.began) == 3)
        work.let_go(*ids)
        await eventually(lambda: len(work.ended) == 8)
        assert work.most == 3

    async def test_a_kind_without_a_place_does_not_hold_up_another(self, crew: Crew):
        runs, deliveries = Work(held=True), Work()
        dispatcher = await crew.worker({"run": runs, "delivery": deliveries}, places=1)
        for id in ("a", "b"):
            await dispatcher.submit("run", id)
        await eventually(lambda: len(runs.began) == 1)
        for id in ("x", "y", "z"):
            await dispatcher.submit("delivery", id)
        await eventually(lambda: deliveries.ended == ["x", "y", "z"])
        assert len(runs.began) == 1

    async def test_a_kind_nobody_handles_waits_for_who_does(self, crew: Crew):
        runs = Work()
        dispatcher = await crew.worker(runs)
        await dispatcher.submit("delivery", "x")
        await dispatcher.submit("run", "a")
        await eventually(lambda: runs.ended == ["a"])
        assert await dispatcher.waiting("delivery") == 1
        deliveries = Work()
        await crew.worker(deliveries, kind="delivery")
        await eventually(lambda: deliveries.ended == ["x"])

    async def test_work_that_is_done_without_a_job_takes_places(self, crew: Crew):
        work = Work(held=True)
        dispatcher = await crew.worker(work, places=2)
        dispatcher.occupy("run", 1)
        for id in ("a", "b", "c"):
            await dispatcher.submit("run", id)
        await eventually(lambda: work.began == ["a"])
        work.let_go("a")
        await eventually(lambda: work.began == ["a", "b"])
        assert work.most == 1
        dispatcher.occupy("run", -1)
        await eventually(lambda: work.began == ["a", "b", "c"], 2.0)
        assert work.most == 2

    async def test_nothing_is_taken_while_all_places_are_occupied(self, crew: Crew):
        work, marks = Work(), Work()
        dispatcher = await crew.worker({"run": work, "mark": marks}, places=2)
        dispatcher.occupy("run", 2)
        await dispatcher.submit("run", "a")
        await dispatcher.submit("mark", "m")
        await eventually(lambda: marks.ended == ["m"])
        assert work.began == []
        assert await dispatcher.waiting("run") == 1
        dispatcher.occupy("run", -2)
        await eventually(lambda: work.ended == ["a"], 2.0)

    async def test_a_handler_that_raises_is_called_again_after_a_pause_that_grows(self, crew: Crew):
        def answer(id: str, calls: int) -> None:
            if calls < 4:
                raise RuntimeError("told to fail")

        work = Work(answer=answer)
        dispatcher = await crew.worker(work, places=1)
        await dispatcher.submit("run", "a")
        await eventually(lambda: len(work.times) == 4, 30.0)
        pauses = [after - before for before, after in zip(work.times, work.times[1:], strict=False)]
        assert pauses[0] > 0.05
        assert pauses[0] < pauses[1] < pauses[2]
        await dispatcher.submit("run", "behind")
        await eventually(lambda: "behind" in work.ended)
        assert work.began.count("a") == 4

    async def test_others_go_on_while_one_fails(self, crew: Crew):
        def answer(id: str, calls: int) -> None:
            if id == "bad":
                raise RuntimeError("told to fail")

        work = Work(answer=answer)
        dispatcher = await crew.worker(work, places=1)
        await dispatcher.submit("run", "bad", tier=0)
        for id in ("a", "b"):
            await dispatcher.submit("run", id)
        await eventually(lambda: {"a", "b"} <= set(work.ended))
        assert "bad" in work.began

    async def test_a_cancelled_job_that_waits_is_forgotten(self, crew: Crew):
        work = Work(held=True)
        dispatcher = await crew.worker(work, places=1)
        for id in ("a", "b", "c"):
            await dispatcher.submit("run", id)
        await eventually(lambda: work.began == ["a"])
        await dispatcher.cancel("run", "b")
        assert await dispatcher.waiting("run") == 1
        work.let_go("a", "b", "c")
        await eventually(lambda: work.ended == ["a", "c"])
        await dispatcher.submit("run", "b")
        await eventually(lambda: work.ended == ["a", "c", "b"])

    async def test_a_cancelled_job_that_is_being_done_is_stopped_for_good(self, crew: Crew):
        work = Work(held=True)
        dispatcher = await crew.worker(work, places=1)
        await dispatcher.submit("run", "a")
        await eventually(lambda: work.began == ["a"])
        await dispatcher.cancel("run", "a")
        await eventually(lambda: work.stopped == ["a"])
        work.let_go("b")
        await dispatcher.submit("run", "b")
        await eventually(lambda: work.ended == ["b"])
        assert work.began == ["a", "b"]

    async def test_a_cancelled_job_may_be_submitted_again_at_once(self, crew: Crew):
        work = Work(held=True)
        dispatcher = await crew.worker(work, places=2)
        await dispatcher.submit("run", "a")
        await eventually(lambda: work.began == ["a"])
        await dispatcher.cancel("run", "a")
        await dispatcher.submit("run", "a")
        await eventually(lambda: work.began == ["a", "a"])
        work.let_go("a")
        await eventually(lambda: work.ended == ["a"])
        assert work.stopped == ["a"]

    async def test_cancelling_what_is_not_there_is_silent(self, crew: Crew):
        dispatcher = await crew.worker(Work())
        await dispatcher.cancel("run", "never")
        await dispatcher.cancel("nothing", "never")

    async def test_waiting_counts_what_has_no_place(self, crew: Crew):
        work = Work(held=True)
        dispatcher = await crew.worker(work, places=1)
        for number in range(4):
            await dispatcher.submit("run", str(number))
        await dispatcher.submit("delivery", "x")
        await eventually(lambda: len(work.began) == 1)
        assert await dispatcher.waiting("run") == 3
        assert await dispatcher.waiting("delivery") == 1
        assert await dispatcher.waiting("sweep") == 0

    async def test_many_jobs_at_once_are_each_done_once(self, crew: Crew):
        work = Work()
        dispatcher = await crew.worker(work, places=8)
        ids = [f"many-{number}" for number in range(150)]
        await asyncio.gather(*(dispatcher.submit("run", id) for id in ids))
        await eventually(lambda: len(work.ended) >= len(ids), 30.0)
        assert sorted(work.began) == sorted(ids)
        assert work.most <= 8
