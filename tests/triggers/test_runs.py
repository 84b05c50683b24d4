"""Executions: begun once, followed to their end, and what that means for their trigger."""

from __future__ import annotations

import asyncio

import pytest

from interplay.settings import Limits
from interplay.triggers.rows import ExecutionRow, KeptTrigger, TriggerRow
from interplay.triggers.runs import Runs, body
from interplay.wire.environment import Environment
from interplay.wire.interaction import CreateInteraction
from interplay.wire.trigger import Trigger, TriggerExecution, TriggerUpdate
from tests.api.api import requirement
from tests.triggers.conftest import HELD, OWNER, Replica, Shop, created, history, told

BROKEN = {"fail": {"message": "No."}}


async def fired(shop: Shop, replica: Replica, trigger: Trigger, at: str) -> TriggerExecution:
    """Lets the trigger's tick come and begin; answers its execution."""
    shop.clock.at(at)
    await replica.jobs.work()
    return (await history(replica, trigger.id))[-1]


async def settled(shop: Shop, replica: Replica, trigger: Trigger, at: str) -> TriggerExecution:
    """The same, to its end."""
    execution = await fired(shop, replica, trigger, at)
    if execution.status == "in_progress":
        await shop.ended(execution.interaction_id or "")
        await replica.runs.execution(execution.id)
    return (await history(replica, trigger.id))[-1]


@requirement("triggers:execution")
async def test_a_run_that_completes_is_an_execution_that_completed(shop: Shop) -> None:
    one = await shop.open(HELD, "done")
    trigger = await created(one)
    begun = await fired(shop, one, trigger, "2036-06-01 09:00:01")
    assert begun.status == "in_progress"
    assert begun.start_time == "2036-06-01T09:00:01Z"
    assert begun.interaction_id is not None
    shop.agent.gate("h").open()
    await shop.ended(begun.interaction_id)
    shop.clock.now += 20
    await one.jobs.work()
    (execution,) = await history(one, trigger.id)
    assert (execution.status, execution.error) == ("completed", None)
    assert execution.end_time == "2036-06-01T09:00:21Z"
    there = await one.triggers.get(trigger.id, OWNER)
    assert there.previous_interaction_id == execution.interaction_id
    assert there.consecutive_failure_count == 0
    stored = await shop.assembly.store.get(begun.interaction_id)
    assert stored is not None
    assert (stored.background, stored.agent, stored.owner) == (True, "a", OWNER)
    assert [job for job in one.jobs.jobs if job[0] == "execution"] == []


@requirement("triggers:models")
async def test_a_model_is_run_as_an_agent_is(shop: Shop) -> None:
    one = await shop.open()
    trigger = await created(one, interaction=CreateInteraction(model="m", input="hello"))
    execution = await settled(shop, one, trigger, "2036-06-01 09:00")
    assert execution.status == "completed"
    stored = await shop.assembly.store.get(execution.interaction_id or "")
    assert stored is not None
    assert b"hello" in (stored.steps or b"")


@requirement("triggers:overlap")
async def test_a_tick_while_the_run_before_goes_on_is_skipped(shop: Shop) -> None:
    one = await shop.open(HELD, "done")
    trigger = await created(one, execution_timeout_seconds=36_000)
    first = await fired(shop, one, trigger, "2036-06-01 09:00")
    second = await fired(shop, one, trigger, "2036-06-01 10:00")
    assert second.status == "skipped"
    assert second.error == f"The execution {first.id} was still in progress."
    assert (second.interaction_id, second.start_time) == (None, None)
    shop.agent.gate("h").open()
    await shop.ended(first.interaction_id or "")
    third = await fired(shop, one, trigger, "2036-06-01 11:00")
    assert third.interaction_id not in (None, first.interaction_id)
    assert (await history(one, trigger.id))[0].status == "completed"
    assert len(shop.agent.runs) == 2


async def test_a_tick_right_after_an_end_that_is_not_yet_written_down_is_run(shop: Shop) -> None:
    one = await shop.open(HELD, "done")
    trigger = await created(one, execution_timeout_seconds=36_000)
    first = await fired(shop, one, trigger, "2036-06-01 09:00")
    shop.agent.gate("h").open()
    await shop.ended(first.interaction_id or "")
    for job in list(one.jobs.jobs):
        if job[0] == "execution":
            del one.jobs.jobs[job]
    second = await settled(shop, one, trigger, "2036-06-01 10:00")
    assert second.status == "completed"
    assert (await history(one, trigger.id))[0].status == "completed"


@requirement("triggers:overlap")
async def test_of_two_executions_at_the_same_time_one_is_run(shop: Shop) -> None:
    one = await shop.open(HELD, "done")
    two = shop.replica()
    trigger = await created(one)
    asked = [await r.triggers.run(trigger.id, OWNER, key=None) for r in (one, two)]
    await asyncio.gather(
        *(r.runs.execution(e.id) for r in (one, two) for e in asked for _ in range(3))
    )
    statuses = sorted(status for _, status in await told(one, trigger.id))
    assert statuses == ["in_progress", "skipped"]
    await shop.agent.gate("h").reached()
    assert len(shop.agent.runs) == 1


@requirement("triggers:timeout")
async def test_a_run_that_takes_too_long_is_cancelled(shop: Shop) -> None:
    one = await shop.open(HELD)
    trigger = await created(one, execution_timeout_seconds=90)
    begun = await fired(shop, one, trigger, "2036-06-01 09:00:00")
    shop.clock.at("2036-06-01 09:01:29")
    await one.jobs.work()
    assert (await history(one, trigger.id))[0].status == "in_progress"
    shop.clock.at("2036-06-01 09:01:30")
    await one.jobs.work()
    (execution,) = await history(one, trigger.id)
    assert execution.status == "timed_out"
    assert execution.error == "The run took longer than 90 s (execution_timeout_seconds)."
    assert execution.end_time == "2036-06-01T09:01:30Z"
    stored = await shop.assembly.store.get(begun.interaction_id or "")
    assert stored is not None
    assert stored.status == "cancelled"
    there = await one.triggers.get(trigger.id, OWNER)
    assert there.consecutive_failure_count == 1


async def test_a_run_that_ends_just_before_it_is_cancelled_ends_as_it_did(shop: Shop) -> None:
    one = await shop.open(HELD, "done")
    trigger = await created(one, execution_timeout_seconds=90)
    begun = await fired(shop, one, trigger, "2036-06-01 09:00:00")
    shop.agent.gate("h").open()
    await shop.ended(begun.interaction_id or "")
    shop.clock.at("2036-06-01 09:05:00")
    row = await one.rows.get(ExecutionRow, begun.id)
    assert row is not None
    await one.runs._stop(row, begun.interaction_id or "")
    assert (await history(one, trigger.id))[0].status == "completed"


async def test_a_timeout_broken_off_by_a_crash_is_one_all_the_same(shop: Shop) -> None:
    """The interaction was cancelled for its time, and then the process died."""
    one = await shop.open(HELD)
    trigger = await created(one, execution_timeout_seconds=90)
    begun = await fired(shop, one, trigger, "2036-06-01 09:00:00")

    def late(row: ExecutionRow) -> bool:
        row.kept.late = True
        return True

    await one.rows.change(ExecutionRow, begun.id, late)
    await shop.assembly.service.cancel(begun.interaction_id or "", OWNER)
    await one.runs.execution(begun.id)
    assert (await history(one, trigger.id))[0].status == "timed_out"


@requirement("triggers:failures")
async def test_failures_one_after_the_other_put_the_trigger_into_error(shop: Shop) -> None:
    one = await shop.open(BROKEN)
    trigger = await created(one, max_consecutive_failures=2)
    first = await settled(shop, one, trigger, "2036-06-01 09:00")
    assert first.status == "failed"
    assert first.error is not None
    assert first.error.endswith("No.")
    there = await one.triggers.get(trigger.id, OWNER)
    assert (there.status, there.consecutive_failure_count) == ("active", 1)
    await settled(shop, one, trigger, "2036-06-01 10:00")
    there = await one.triggers.get(trigger.id, OWNER)
    assert (there.status, there.consecutive_failure_count) == ("error", 2)
    assert there.next_run_time is None
    shop.clock.at("2036-06-01 12:00")
    await one.jobs.work()
    assert len(await history(one, trigger.id)) == 2
    resumed = await one.triggers.update(trigger.id, OWNER, TriggerUpdate(status="active"))
    assert (resumed.consecutive_failure_count, resumed.status) == (0, "active")
    await settled(shop, one, trigger, "2036-06-01 13:00")
    assert len(await history(one, trigger.id)) == 3


@requirement("triggers:failures")
async def test_a_success_begins_the_count_anew(shop: Shop) -> None:
    one = await shop.open(BROKEN)
    trigger = await created(one, max_consecutive_failures=2)
    await settled(shop, one, trigger, "2036-06-01 09:00")
    working, shop.agent.acts = shop.agent.acts, []
    await settled(shop, one, trigger, "2036-06-01 10:00")
    assert (await one.triggers.get(trigger.id, OWNER)).consecutive_failure_count == 0
    shop.agent.acts = working
    await settled(shop, one, trigger, "2036-06-01 11:00")
    there = await one.triggers.get(trigger.id, OWNER)
    assert (there.status, there.consecutive_failure_count) == ("active", 1)


async def test_a_paused_trigger_whose_runs_by_hand_fail_stays_paused(shop: Shop) -> None:
    one = await shop.open(BROKEN)
    trigger = await created(one, max_consecutive_failures=1)
    await one.triggers.update(trigger.id, OWNER, TriggerUpdate(status="paused"))
    execution = await one.triggers.run(trigger.id, OWNER, key=None)
    await one.jobs.work()
    begun = (await history(one, trigger.id))[0]
    await shop.ended(begun.interaction_id or "")
    await one.runs.execution(execution.id)
    there = await one.triggers.get(trigger.id, OWNER)
    assert (there.status, there.consecutive_failure_count) == ("paused", 1)


async def test_a_failure_is_counted_once_however_often_it_is_written_down(shop: Shop) -> None:
    one = await shop.open(BROKEN)
    two = shop.replica()
    trigger = await created(one)
    begun = await fired(shop, one, trigger, "2036-06-01 09:00")
    await shop.ended(begun.interaction_id or "")
    row = await one.rows.get(ExecutionRow, begun.id)
    assert row is not None
    stored = await shop.assembly.store.get(begun.interaction_id or "")
    await asyncio.gather(*(r.runs._settle(row, stored) for r in (one, two) for _ in range(5)))
    assert (await one.triggers.get(trigger.id, OWNER)).consecutive_failure_count == 1


async def test_what_a_run_is_refused_is_the_execution_s_error(shop: Shop) -> None:
    one = await shop.open()
    trigger = await created(one)

    def other(row: TriggerRow) -> bool:
        row.kept.interaction.agent = "gone"
        return True

    await one.rows.change(TriggerRow, trigger.id, other)
    execution = await fired(shop, one, trigger, "2036-06-01 09:00")
    assert execution.status == "failed"
    assert execution.error is not None
    assert execution.error.startswith("not_found: ")
    assert (await one.triggers.get(trigger.id, OWNER)).consecutive_failure_count == 1


async def test_a_full_queue_is_waited_for_until_the_time_is_up(shop: Shop) -> None:
    full = Limits(background_runs=1, queue=0)
    one = await shop.open(HELD, "done", limits=full)
    first, second = await created(one), await created(one, execution_timeout_seconds=60)
    shop.clock.at("2036-06-01 09:00:00")
    await one.jobs.work()
    waiting = [await history(one, trigger.id) for trigger in (first, second)]
    assert [execution.status for (execution,) in waiting] == ["in_progress"] * 2
    assert sorted(execution.interaction_id is None for (execution,) in waiting) == [False, True]
    lacking = next(execution for (execution,) in waiting if execution.interaction_id is None)
    shop.clock.now += 5
    assert await one.runs.execution(lacking.id) == shop.clock() + 5
    shop.clock.now += 600
    await one.runs.execution(lacking.id)
    row = await one.rows.get(ExecutionRow, lacking.id)
    assert row is not None
    assert row.record.state == "failed"
    assert (row.kept.error or "").startswith("too_many_requests: ")


@pytest.mark.parametrize("how", ["cancel", "delete"])
async def test_a_run_that_its_owner_ends_is_a_failure(shop: Shop, how: str) -> None:
    one = await shop.open(HELD)
    trigger = await created(one)
    begun = await fired(shop, one, trigger, "2036-06-01 09:00")
    await getattr(shop.assembly.service, how)(begun.interaction_id, OWNER)
    await one.runs.execution(begun.id)
    (execution,) = await history(one, trigger.id)
    assert execution.status == "failed"
    assert execution.error is not None


@requirement("triggers:delete")
async def test_a_run_goes_on_to_its_end_when_its_trigger_is_deleted(shop: Shop) -> None:
    one = await shop.open(HELD, "done")
    trigger = await created(one)
    begun = await fired(shop, one, trigger, "2036-06-01 09:00")
    await one.triggers.delete(trigger.id, OWNER)
    shop.agent.gate("h").open()
    await shop.ended(begun.interaction_id or "")
    shop.clock.at("2036-06-01 10:00")
    await one.jobs.work()
    assert await told(one, trigger.id) == [("06-01T09:00", "completed")]


@pytest.mark.parametrize(
    ("how", "said"), [("delete", "was deleted"), ("pause", "status was paused")]
)
async def test_an_execution_that_has_not_begun_is_skipped_when_nothing_may_begin(
    shop: Shop, how: str, said: str
) -> None:
    one = await shop.open()
    trigger = await created(one)
    shop.clock.at("2036-06-01 09:00")
    await one.firing.trigger(f"{trigger.id}.1")
    if how == "delete":
        await one.triggers.delete(trigger.id, OWNER)
    else:
        await one.triggers.update(trigger.id, OWNER, TriggerUpdate(status="paused"))
    await one.jobs.work()
    (execution,) = await history(one, trigger.id)
    assert execution.status == "skipped"
    assert said in (execution.error or "")
    assert shop.agent.runs == []


@pytest.mark.parametrize("made", [True, False])
async def test_a_crash_while_the_interaction_is_created_and_then_no_trigger(
    shop: Shop, made: bool
) -> None:
    one = await shop.open()
    trigger = await created(one)
    begun = await fired(shop, one, trigger, "2036-06-01 09:00")
    await shop.ended(begun.interaction_id or "")

    def before(row: ExecutionRow) -> bool:
        row.record.state, row.kept.interaction_id = "in_progress", None
        row.kept.ended = row.record.expires = None
        return True

    await one.rows.change(ExecutionRow, begun.id, before)
    if not made:
        await shop.assembly.service.delete(begun.interaction_id or "", OWNER)
    await one.triggers.delete(trigger.id, OWNER)
    await one.runs.execution(begun.id)
    (execution,) = await history(one, trigger.id)
    if made:
        assert (execution.status, execution.interaction_id) == ("completed", begun.interaction_id)
    else:
        assert (execution.status, execution.error) == ("failed", "The trigger was deleted.")


@requirement("triggers:once")
async def test_a_crash_right_after_the_creation_makes_no_second_run(shop: Shop) -> None:
    one = await shop.open(HELD, "done")
    trigger = await created(one)
    begun = await fired(shop, one, trigger, "2036-06-01 09:00")
    await shop.agent.gate("h").reached()

    def before(row: ExecutionRow) -> bool:
        row.kept.interaction_id = None
        return True

    await one.rows.change(ExecutionRow, begun.id, before)
    await shop.replica().runs.execution(begun.id)
    (execution,) = await history(one, trigger.id)
    assert execution.interaction_id == begun.interaction_id
    assert len(shop.agent.runs) == 1


async def test_a_process_held_up_until_the_end_gives_the_trigger_back(
    shop: Shop,
) -> None:
    one = await shop.open()
    two = shop.replica()
    trigger = await created(one)
    asked = await one.triggers.run(trigger.id, OWNER, key=None)
    late = await two.rows.get(ExecutionRow, asked.id)
    assert late is not None
    await one.jobs.work()
    begun = (await history(one, trigger.id))[0]
    await shop.ended(begun.interaction_id or "")
    await one.runs.execution(asked.id)
    assert (await history(one, trigger.id))[0].status == "completed"
    begun_late = await two.runs._begin(late)
    assert begun_late is not None
    assert not begun_late.open
    row = await one.rows.get(TriggerRow, trigger.id)
    assert row is not None
    assert row.kept.running is None


async def test_what_runs_long_is_looked_at_less_often(shop: Shop) -> None:
    one = await shop.open(HELD)
    trigger = await created(one, execution_timeout_seconds=3_000)
    begun = await fired(shop, one, trigger, "2036-06-01 09:00")
    start, pauses = shop.clock(), list[float]()
    for age in (0, 5, 100, 1_000, 2_990):
        shop.clock.now = start + age
        pauses.append((await one.runs.execution(begun.id) or 0.0) - shop.clock())
    assert pauses == [1.0, 1.0, 10.0, 30.0, 10.0]


async def test_the_end_is_seen_at_once_while_a_run_is_watched(shop: Shop) -> None:
    one = await shop.open(HELD, "done")
    runs = Runs(one.rows, shop.assembly.store, shop.assembly.service, shop.assembly.reading)
    trigger = await created(one)
    asked = await one.triggers.run(trigger.id, OWNER, key=None)
    watching = asyncio.create_task(runs.execution(asked.id))
    await shop.agent.gate("h").reached()
    shop.agent.gate("h").open()
    async with asyncio.timeout(60):
        assert await watching is None
    assert (await history(one, trigger.id))[0].status == "completed"


async def test_a_run_deleted_while_it_is_watched_is_a_failure(shop: Shop) -> None:
    one = await shop.open(HELD)
    runs = Runs(one.rows, shop.assembly.store, shop.assembly.service, shop.assembly.reading)
    trigger = await created(one)
    asked = await one.triggers.run(trigger.id, OWNER, key=None)
    watching = asyncio.create_task(runs.execution(asked.id))
    await shop.agent.gate("h").reached()
    async with asyncio.timeout(60):
        while (begun := (await history(one, trigger.id))[0]).interaction_id is None:  # noqa: ASYNC110
            await asyncio.sleep(0)
        await shop.assembly.service.delete(begun.interaction_id, OWNER)
        assert await watching is None
    assert (await history(one, trigger.id))[0].status == "failed"


@requirement("triggers:environment")
def test_every_run_works_in_the_environment_of_the_runs_before():
    kept = KeptTrigger(
        schedule="@daily",
        time_zone="UTC",
        timeout=1,
        max_failures=1,
        interaction=CreateInteraction(agent="a", input="x", environment=Environment()),
    )
    assert body(kept, None).environment == Environment()
    assert body(kept, "env_1").environment == "env_1"
    assert body(kept, "env_1").background is True
    assert kept.interaction.environment == Environment()
    assert kept.interaction.background is None
