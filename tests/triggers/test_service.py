"""The triggers service: what is created, listed, paused, run by hand and deleted."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from interplay.contracts.store import StoreAway
from interplay.interactions.failures import Rejected
from interplay.triggers.rows import TRIGGER
from interplay.wire.interaction import CreateInteraction
from interplay.wire.trigger import TriggerUpdate
from tests.api.api import requirement
from tests.triggers.conftest import HELD, OWNER, Shop, asked, created, history, told


@requirement("triggers:create")
async def test_a_new_trigger_is_active_and_knows_its_next_run(shop: Shop) -> None:
    one = await shop.open()
    trigger = await created(
        one, schedule="30 2 * * *", time_zone="Europe/Berlin", display_name="Nightly"
    )
    assert trigger.status == "active"
    assert trigger.next_run_time == "2036-06-02T00:30:00Z"
    assert trigger.create_time == trigger.update_time == "2036-06-01T08:00:00Z"
    assert (trigger.execution_timeout_seconds, trigger.max_consecutive_failures) == (600, 5)
    assert trigger.consecutive_failure_count == 0
    assert await one.triggers.get(trigger.id, OWNER) == trigger


@requirement("triggers:keys")
async def test_nobody_else_sees_a_trigger_or_its_executions(shop: Shop) -> None:
    one = await shop.open()
    trigger = await created(one)
    await one.triggers.run(trigger.id, OWNER, key=None)
    service = one.triggers
    for call in (
        service.get(trigger.id, "bob"),
        service.update(trigger.id, "bob", TriggerUpdate(status="paused")),
        service.delete(trigger.id, "bob"),
        service.run(trigger.id, "bob", key=None),
        service.executions(trigger.id, "bob", 10, None),
    ):
        with pytest.raises(Rejected, match="There is no trigger") as refused:
            await call
        assert refused.value.code == "not_found"
    assert (await service.list("bob", None, 10, None)).triggers == []
    assert (await service.get(trigger.id, OWNER)).status == "active"


@requirement("triggers:list")
async def test_pages_walk_every_trigger_once_newest_first(shop: Shop) -> None:
    one = await shop.open()
    ids = [(await created(one)).id for _ in range(5)]
    seen, before = list[str](), None
    while True:
        page = await one.triggers.list(OWNER, None, 2, before)
        seen += [trigger.id for trigger in page.triggers or []]
        if page.next_page_token is None:
            break
        before = int(page.next_page_token)
    assert seen == ids[::-1]


@requirement("triggers:list")
@pytest.mark.parametrize(
    ("filter", "found"),
    [
        (None, 2),
        ("", 2),
        ("status=active", 1),
        ('state = "PAUSED"', 1),
        ("status = 'error'", 0),
    ],
)
async def test_a_filter_picks_by_status(shop: Shop, filter: str | None, found: int) -> None:
    one = await shop.open()
    await created(one)
    paused = await created(one)
    await one.triggers.update(paused.id, OWNER, TriggerUpdate(status="paused"))
    page = await one.triggers.list(OWNER, filter, 10, None)
    assert len(page.triggers or []) == found


@pytest.mark.parametrize("filter", ["x", "status=done", "display_name=x", 'status="active', "a=b"])
async def test_another_filter_is_refused(shop: Shop, filter: str) -> None:
    one = await shop.open()
    with pytest.raises(Rejected, match=r"Supported: 'status=active'.* at 'filter'"):
        await one.triggers.list(OWNER, filter, 10, None)


@requirement("triggers:pause")
async def test_a_paused_trigger_rests_and_makes_up_for_nothing(shop: Shop) -> None:
    one = await shop.open()
    trigger = await created(one)
    shop.clock.at("2036-06-01 08:30")
    paused = await one.triggers.update(trigger.id, OWNER, TriggerUpdate(status="paused"))
    assert (paused.status, paused.next_run_time) == ("paused", None)
    assert paused.last_pause_time == paused.update_time == "2036-06-01T08:30:00Z"
    shop.clock.at("2036-06-01 12:15")
    await one.jobs.work()
    again = await one.triggers.update(trigger.id, OWNER, TriggerUpdate(status="paused"))
    assert again.last_pause_time == "2036-06-01T08:30:00Z"
    resumed = await one.triggers.update(trigger.id, OWNER, TriggerUpdate(status="active"))
    assert resumed.last_resume_time == "2036-06-01T12:15:00Z"
    assert resumed.next_run_time == "2036-06-01T13:00:00Z"
    assert await history(one, trigger.id) == []
    assert list(one.jobs.jobs) == [(TRIGGER, f"{trigger.id}.2")]
    shop.clock.at("2036-06-01 13:00")
    await one.jobs.work()
    assert [tick for tick, _ in await told(one, trigger.id)] == ["06-01T13:00"]


async def test_a_trigger_is_renamed_and_nothing_else_changes(shop: Shop) -> None:
    one = await shop.open()
    trigger = await created(one, display_name="old")
    shop.clock.now += 10
    named = await one.triggers.update(trigger.id, OWNER, TriggerUpdate(display_name="new"))
    assert (named.display_name, named.next_run_time) == ("new", trigger.next_run_time)
    assert named.update_time == "2036-06-01T08:00:10Z"
    shop.clock.now += 10
    same = await one.triggers.update(trigger.id, OWNER, TriggerUpdate(display_name="new"))
    assert same == named


async def test_nobody_sets_the_status_error(shop: Shop) -> None:
    one = await shop.open()
    trigger = await created(one)
    with pytest.raises(Rejected, match="at 'status'"):
        await one.triggers.update(trigger.id, OWNER, TriggerUpdate(status="error"))


@requirement("triggers:run-now")
@pytest.mark.parametrize("status", ["active", "paused"])
async def test_a_run_is_begun_by_hand_whatever_the_status(shop: Shop, status: Any) -> None:
    one = await shop.open(HELD, "done")
    trigger = await created(one)
    await one.triggers.update(trigger.id, OWNER, TriggerUpdate(status=status))
    shop.clock.at("2036-06-01 08:10:00")
    execution = await one.triggers.run(trigger.id, OWNER, key=None)
    assert execution.status == "in_progress"
    assert execution.trigger_id == trigger.id
    assert execution.scheduled_time == "2036-06-01T08:10:00Z"
    await one.jobs.work()
    (begun,) = await history(one, trigger.id)
    assert begun.id == execution.id
    shop.agent.gate("h").open()
    await shop.ended(begun.interaction_id or "")
    await one.runs.execution(begun.id)
    assert await told(one, trigger.id) == [("06-01T08:10", "completed")]
    there = await one.triggers.get(trigger.id, OWNER)
    assert there.status == status
    assert there.last_run_time == "2036-06-01T08:10:00Z"
    assert there.previous_interaction_id == begun.interaction_id


async def test_a_run_asked_for_twice_with_one_key_is_one(shop: Shop) -> None:
    one = await shop.open()
    trigger = await created(one)
    first, second = await asyncio.gather(
        *(one.triggers.run(trigger.id, OWNER, key="k") for _ in range(2))
    )
    assert first.id == second.id
    assert len(await history(one, trigger.id)) == 1


async def test_a_creation_with_a_key_is_made_once_and_not_with_another_body(shop: Shop) -> None:
    one = await shop.open()

    async def create(fingerprint: str) -> str:
        made = await one.triggers.create(asked(), OWNER, key="k", fingerprint=fingerprint)
        return made.id

    first, second = await asyncio.gather(create("f"), create("f"))
    assert first == second == await create("f")
    with pytest.raises(Rejected, match="Idempotency-Key 'k'"):
        await create("g")
    assert len((await one.triggers.list(OWNER, None, 10, None)).triggers or []) == 1


@requirement("triggers:delete")
async def test_after_a_delete_nothing_begins_and_the_history_stays(shop: Shop) -> None:
    one = await shop.open()
    trigger = await created(one)
    shop.clock.at("2036-06-01 09:00")
    await one.jobs.work()
    await one.triggers.delete(trigger.id, OWNER)
    assert (TRIGGER, f"{trigger.id}.1") not in one.jobs.jobs
    shop.clock.at("2036-06-01 10:00")
    assert await one.firing.trigger(f"{trigger.id}.1") is None
    assert [tick for tick, _ in await told(one, trigger.id)] == ["06-01T09:00"]
    with pytest.raises(Rejected, match="There is no trigger"):
        await one.triggers.get(trigger.id, OWNER)
    with pytest.raises(Rejected, match="There is no trigger"):
        await one.triggers.delete(trigger.id, OWNER)
    end = await one.triggers.executions(trigger.id, OWNER, 10, 1)
    assert end.trigger_executions == []


async def test_the_history_of_a_trigger_without_one_is_empty(shop: Shop) -> None:
    one = await shop.open()
    trigger = await created(one)
    page = await one.triggers.executions(trigger.id, OWNER, 10, None)
    assert (page.trigger_executions, page.next_page_token) == ([], None)
    await one.triggers.delete(trigger.id, OWNER)
    with pytest.raises(Rejected, match="There is no trigger"):
        await one.triggers.executions(trigger.id, OWNER, 10, None)


@requirement("triggers:history")
async def test_pages_walk_the_history_newest_first(shop: Shop) -> None:
    one = await shop.open()
    trigger = await created(one)
    shop.clock.at("2036-06-01 13:00")
    await one.jobs.work()
    whole = [execution.id for execution in await history(one, trigger.id)][::-1]
    seen, before = list[str](), None
    while True:
        page = await one.triggers.executions(trigger.id, OWNER, 2, before)
        seen += [execution.id for execution in page.trigger_executions or []]
        if page.next_page_token is None:
            break
        before = int(page.next_page_token)
    assert seen == whole
    assert len(seen) == 5


@requirement("triggers:limit")
async def test_a_key_has_so_many_triggers_and_no_more(shop: Shop) -> None:
    one = await shop.open(per_key=2)
    first = await created(one)
    await created(one)
    with pytest.raises(Rejected, match=r"triggers\.per_key") as refused:
        await created(one)
    assert refused.value.code == "quota_exceeded"
    made = await one.triggers.create(asked(), "bob", key=None, fingerprint="f")
    assert made.status == "active"
    await one.triggers.delete(first.id, OWNER)
    await created(one)


async def test_a_trigger_whose_job_could_not_be_stored_is_created_all_the_same(
    shop: Shop,
) -> None:
    one = await shop.open()

    async def away(*_: Any, **__: Any) -> None:
        raise StoreAway("The database is away.")

    submit, one.jobs.submit = one.jobs.submit, away
    trigger = await created(one)
    execution = await one.triggers.run(trigger.id, OWNER, key=None)
    one.jobs.submit = submit
    shop.clock.at("2036-06-01 09:00:10")
    assert await one.firing.sweep() == 2
    await one.jobs.work()
    assert execution.id in [made.id for made in await history(one, trigger.id)]
    assert len(await history(one, trigger.id)) == 2


async def test_the_interaction_is_told_back_as_it_was_given(shop: Shop) -> None:
    one = await shop.open()
    interaction = CreateInteraction(agent="a", input="x", labels={"k": "v"}, agent_config={"q": 1})
    trigger = await created(one, interaction=interaction)
    shop.clock.at("2036-06-01 09:00")
    await one.jobs.work()
    assert (await one.triggers.get(trigger.id, OWNER)).interaction == interaction
