"""Ticks: each becomes one execution, whoever looks, how often, and how late."""

from __future__ import annotations

import asyncio

import pytest

from interplay.contracts.records import Stale
from interplay.triggers.firing import MOST_MISSED
from interplay.triggers.rows import EXECUTION, TRIGGER, TriggerRow
from interplay.wire.trigger import TriggerUpdate
from tests.api.api import requirement
from tests.triggers.conftest import HELD, OWNER, Shop, created, history, told


@requirement("triggers:tick")
async def test_a_tick_begins_an_execution_and_the_next_one_is_known(shop: Shop) -> None:
    one = await shop.open(HELD)
    trigger = await created(one)
    assert trigger.next_run_time == "2036-06-01T09:00:00Z"
    shop.clock.at("2036-06-01 08:59:59")
    await one.jobs.work()
    assert await history(one, trigger.id) == []
    shop.clock.at("2036-06-01 09:00:01")
    await one.jobs.work()
    assert await told(one, trigger.id) == [("06-01T09:00", "in_progress")]
    there = await one.triggers.get(trigger.id, OWNER)
    assert there.next_run_time == "2036-06-01T10:00:00Z"
    assert there.last_run_time == "2036-06-01T09:00:01Z"


@requirement("triggers:once")
async def test_one_tick_at_two_replicas_at_the_same_time_is_one_run(shop: Shop) -> None:
    one = await shop.open()
    two = shop.replica()
    trigger = await created(one)
    job = f"{trigger.id}.1"
    shop.clock.at("2036-06-01 09:00:00")
    answers = await asyncio.gather(
        *(replica.firing.trigger(job) for replica in (one, two) for _ in range(5))
    )
    assert len(set(answers)) == 1
    (execution,) = await history(one, trigger.id)
    await asyncio.gather(
        *(replica.runs.execution(execution.id) for replica in (one, two) for _ in range(5))
    )
    (execution,) = await history(two, trigger.id)
    assert execution.interaction_id is not None
    await shop.ended(execution.interaction_id)
    await asyncio.gather(*(replica.runs.execution(execution.id) for replica in (one, two)))
    assert await told(two, trigger.id) == [("06-01T09:00", "completed")]
    assert len(shop.agent.runs) == 1


@requirement("triggers:once")
async def test_a_process_that_was_held_up_fires_nothing_a_second_time(shop: Shop) -> None:
    one = await shop.open()
    trigger = await created(one)
    old = await one.rows.get(TriggerRow, trigger.id)
    assert old is not None
    shop.clock.at("2036-06-01 09:00:00")
    await one.jobs.work()
    (execution,) = await history(one, trigger.id)
    await shop.ended(execution.interaction_id or "")
    with pytest.raises(Stale):
        await one.firing._fire(old, old.record.due or 0.0, shop.clock())
    shop.clock.now += 30
    await one.jobs.work()
    assert await told(one, trigger.id) == [("06-01T09:00", "completed")]
    assert len(shop.agent.runs) == 1


async def test_a_job_of_an_earlier_time_ends_at_once(shop: Shop) -> None:
    one = await shop.open()
    trigger = await created(one)
    for status in ("paused", "active"):
        await one.triggers.update(trigger.id, OWNER, TriggerUpdate(status=status))
    shop.clock.at("2036-06-01 09:00:00")
    assert await one.firing.trigger(f"{trigger.id}.1") is None
    assert await history(one, trigger.id) == []
    assert await one.firing.trigger(f"{trigger.id}.2") is not None
    assert len(await history(one, trigger.id)) == 1
    assert await one.firing.trigger("trg_nobody.1") is None


@requirement("triggers:missed")
async def test_after_a_downtime_the_last_missed_tick_is_run_and_the_others_are_skipped(
    shop: Shop,
) -> None:
    one = await shop.open(HELD)
    trigger = await created(one)
    shop.clock.at("2036-06-01 11:30")
    await one.jobs.work()
    executions = await told(one, trigger.id)
    assert sorted(executions) == [
        ("06-01T09:00", "skipped"),
        ("06-01T10:00", "skipped"),
        ("06-01T11:00", "in_progress"),
    ]
    skipped = (await history(one, trigger.id))[0]
    assert skipped.error == "No worker was there at that time."
    assert skipped.interaction_id is None
    assert (await one.triggers.get(trigger.id, OWNER)).next_run_time == "2036-06-01T12:00:00Z"


@requirement("triggers:missed")
@pytest.mark.parametrize(("late", "status"), [(30, "in_progress"), (90, "skipped")])
async def test_where_missed_ticks_are_skipped_only_a_short_delay_is_run(
    shop: Shop, late: int, status: str
) -> None:
    one = await shop.open(HELD, missed="skip")
    trigger = await created(one)
    shop.clock.at("2036-06-01 10:00")
    shop.clock.now += late
    await one.jobs.work()
    assert await told(one, trigger.id) == [("06-01T09:00", "skipped"), ("06-01T10:00", status)]
    assert (await one.triggers.get(trigger.id, OWNER)).next_run_time == "2036-06-01T11:00:00Z"


async def test_of_a_long_downtime_the_newest_ticks_are_recorded(shop: Shop) -> None:
    one = await shop.open(HELD)
    trigger = await created(one, schedule="* * * * *")
    shop.clock.at("2036-09-01 00:00:30")
    await one.jobs.work()
    executions = await told(one, trigger.id)
    assert len(executions) == MOST_MISSED + 1
    assert max(executions) == ("09-01T00:00", "in_progress")
    assert min(executions) == ("08-31T22:20", "skipped")


@requirement("triggers:clock")
async def test_a_clock_that_is_set_back_fires_no_tick_again(shop: Shop) -> None:
    one = await shop.open()
    trigger = await created(one)
    shop.clock.at("2036-06-01 09:00:00")
    await one.jobs.work()
    shop.clock.at("2036-06-01 08:30:00")
    for key in one.jobs.jobs:
        one.jobs.jobs[key] = 0.0
    assert await one.firing.trigger(f"{trigger.id}.1") == shop.clock() + 5_400
    there = await one.triggers.get(trigger.id, OWNER)
    assert there.next_run_time == "2036-06-01T10:00:00Z"
    shop.clock.at("2036-06-01 09:00:05")
    assert await one.firing.trigger(f"{trigger.id}.1") == shop.clock() + 3_595
    assert [tick for tick, _ in await told(one, trigger.id)] == ["06-01T09:00"]


@requirement("triggers:clock")
async def test_a_job_that_comes_before_its_time_waits_for_it(shop: Shop) -> None:
    one = await shop.open()
    trigger = await created(one)
    assert await one.firing.trigger(f"{trigger.id}.1") == shop.clock() + 3_600
    assert await history(one, trigger.id) == []


@requirement("triggers:lost-jobs")
async def test_what_a_crash_left_without_a_job_is_handed_over_again(shop: Shop) -> None:
    one = await shop.open()
    trigger = await created(one)
    one.jobs.jobs.clear()
    assert await one.firing.sweep() == 0
    shop.clock.at("2036-06-01 09:00:10")
    assert await one.firing.sweep() == 1
    assert list(one.jobs.jobs) == [(TRIGGER, f"{trigger.id}.1")]
    await one.firing.trigger(f"{trigger.id}.1")
    one.jobs.jobs.clear()
    shop.clock.now += 10
    assert await one.firing.sweep() == 1
    ((kind, id),) = one.jobs.jobs
    assert kind == EXECUTION
    await one.jobs.work()
    (execution,) = await history(one, trigger.id)
    assert execution.id == id
    await shop.ended(execution.interaction_id or "")


async def test_a_time_zone_that_this_machine_does_not_know_puts_the_trigger_into_error(
    shop: Shop,
) -> None:
    one = await shop.open()
    trigger = await created(one)

    def elsewhere(row: TriggerRow) -> bool:
        row.kept.time_zone = "Mars/Olympus_Mons"
        return True

    await one.rows.change(TriggerRow, trigger.id, elsewhere)
    shop.clock.at("2036-06-01 09:00:00")
    await one.jobs.work()
    (execution,) = await history(one, trigger.id)
    assert execution.status == "failed"
    assert "Mars/Olympus_Mons" in (execution.error or "")
    there = await one.triggers.get(trigger.id, OWNER)
    assert (there.status, there.next_run_time) == ("error", None)


async def test_a_trigger_without_a_further_tick_rests(shop: Shop) -> None:
    one = await shop.open()
    shop.clock.at("8996-02-28 00:00")
    trigger = await created(one, schedule="0 0 29 2 *")
    shop.clock.at("8996-02-29 00:00:01")
    await one.jobs.work()
    there = await one.triggers.get(trigger.id, OWNER)
    assert (there.status, there.next_run_time) == ("active", None)
