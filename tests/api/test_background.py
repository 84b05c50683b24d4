"""background=true: answered at once, polled, streamed, resumed, cancelled."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.api.api import ids, kinds, requirement, text_of

HELD = {"chunks": ["a ", {"hold": "middle"}, "b"]}


@requirement("background:poll")
async def test_a_background_interaction_answers_at_once_and_is_polled(
    opened: Any, house: Any
) -> None:
    api = await opened(HELD)
    made = await api.create(input="x", background=True)
    assert made.status == 200
    assert made.body["status"] == "in_progress"
    assert "steps" not in made.body
    await house.model.gate("middle").reached()
    running = (await api.get(made.body["id"])).body
    assert running["status"] == "in_progress"
    assert running["steps"][0]["type"] == "user_input"
    house.model.gate("middle").open()
    body = await api.ended(made.body["id"])
    assert body["status"] == "completed"
    assert text_of(body) == "a b"
    assert body["usage"]["total_output_tokens"] == 2


@requirement("background:stream")
async def test_a_background_stream_survives_its_client(opened: Any, house: Any) -> None:
    api = await opened(HELD)
    async with api.opened(
        json={"model": "m", "input": "x", "stream": True, "background": True}
    ) as live:
        seen = [await anext(live) for _ in range(4)]
    house.model.gate("middle").open()
    id = seen[0]["interaction"]["id"]
    rest = await api.replay(id, after=seen[-1]["event_id"])
    assert ids([*seen, *rest]) == list(range(len(seen) + len(rest)))
    assert kinds(rest)[-1] == "interaction.completed"


@requirement("background:queue")
async def test_runs_beyond_the_limit_wait_as_queued_and_then_run(opened: Any, house: Any) -> None:
    api = await opened(HELD, "second", limits={"background_runs": 1})
    first = (await api.create(input="x", background=True)).body
    second = (await api.create(input="y", background=True)).body
    assert second["status"] == "queued"
    assert (await api.get(second["id"])).body["status"] == "queued"
    house.model.gate("middle").open()
    assert (await api.ended(second["id"]))["status"] == "completed"
    assert (await api.ended(first["id"]))["status"] == "completed"
    events = await api.replay(second["id"])
    assert events[0]["interaction"]["status"] == "queued"
    assert events[1]["status"] == "in_progress"


@requirement("background:tiers")
async def test_a_priority_run_overtakes_those_that_wait(opened: Any, house: Any) -> None:
    api = await opened(HELD, "next", "last", limits={"background_runs": 1})
    await api.create(input="1", background=True)
    flex = (await api.create(input="2", background=True, service_tier="flex")).body
    fast = (await api.create(input="3", background=True, service_tier="priority")).body
    house.model.gate("middle").open()
    assert text_of(await api.ended(fast["id"])) == "next"
    assert text_of(await api.ended(flex["id"])) == "last"
    assert (await api.get(fast["id"])).body["service_tier"] == "priority"


@requirement("limits:queue")
async def test_a_full_queue_is_429_with_a_time_to_come_back(opened: Any, house: Any) -> None:
    api = await opened(HELD, limits={"background_runs": 1, "queue": 1})
    for _ in range(2):
        assert (await api.create(input="x", background=True)).status == 200
    full = await api.create(input="x", background=True)
    assert full.status == 429
    assert full.code == "too_many_requests"
    assert int(full.headers["retry-after"]) >= 1
    house.model.gate("middle").open()


@requirement("store:false-background")
async def test_background_needs_store(opened: Any) -> None:
    api = await opened()
    answer = await api.create(input="x", background=True, store=False)
    assert answer.status == 400
    assert answer.message == "store=true is required for background interactions"


@requirement("background:deferred")
async def test_the_deferred_tier_is_answered_at_once(opened: Any) -> None:
    api = await opened("later")
    made = (await api.create(input="x", service_tier="deferred")).body
    assert made["status"] == "in_progress"
    assert text_of(await api.ended(made["id"])) == "later"


@requirement("cancel:background")
async def test_cancel_ends_a_run_and_its_live_stream(opened: Any, house: Any) -> None:
    api = await opened(HELD)
    async with api.opened(
        json={"model": "m", "input": "x", "stream": True, "background": True}
    ) as live:
        seen = [await anext(live) for _ in range(4)]
        id = seen[0]["interaction"]["id"]
        cancelled = await api.cancel(id)
        assert cancelled.status == 200
        assert cancelled.body["status"] == "cancelled"
        assert "steps" not in cancelled.body
        rest = [event async for event in live]
    assert kinds(rest) == ["step.stop", "interaction.status_update", "interaction.completed"]
    assert rest[1]["status"] == rest[2]["interaction"]["status"] == "cancelled"
    await house.model.abandoned()
    stored = (await api.get(id)).body
    assert stored["status"] == "cancelled"
    assert text_of(stored) == "a "
    assert await api.replay(id) == [*seen, *rest]


@requirement("cancel:idempotent")
@pytest.mark.parametrize("path", ["/cancel", ":cancel"])
async def test_cancel_always_answers(opened: Any, path: str) -> None:
    api = await opened(HELD, "done")
    id = (await api.create(input="x", background=True)).body["id"]
    for _ in range(3):
        answer = await api.call("POST", f"/v1beta/interactions/{id}{path}", json={})
        assert answer.status == 200
        assert answer.body["status"] == "cancelled"
    done = (await api.create(input="x")).body["id"]
    assert (await api.cancel(done)).body["status"] == "completed"
    assert (await api.cancel("v1_unknown")).status == 404


async def test_a_queued_run_can_be_cancelled(opened: Any, house: Any) -> None:
    api = await opened(HELD, "third", limits={"background_runs": 1})
    await api.create(input="1", background=True)
    second = (await api.create(input="2", background=True)).body["id"]
    assert (await api.cancel(second)).body["status"] == "cancelled"
    assert (await api.get(second)).body["status"] == "cancelled"
    third = (await api.create(input="3", background=True)).body["id"]
    house.model.gate("middle").open()
    assert text_of(await api.ended(third)) == "third"
    assert kinds(await api.replay(second)) == [
        "interaction.created",
        "interaction.status_update",
        "interaction.completed",
    ]


@requirement("cancel:race")
async def test_a_cancel_that_races_the_end_leaves_one_terminal_event(opened: Any) -> None:
    api = await opened()
    for _ in range(60):
        id = (await api.create(input="x", background=True)).body["id"]
        answers = await asyncio.gather(*(api.cancel(id) for _ in range(3)))
        status = {answer.body["status"] for answer in answers}
        assert len(status) == 1
        events = await api.replay(id)
        assert kinds(events).count("interaction.completed") == 1
        assert events[-1]["interaction"]["status"] == status.pop()
        assert ids(events) == list(range(len(events)))


@requirement("background:deadline")
async def test_a_run_past_its_wall_time_fails(opened: Any) -> None:
    api = await opened(HELD, limits={"run_seconds": 0.2})
    id = (await api.create(input="x", background=True)).body["id"]
    body = await api.ended(id)
    assert body["status"] == "failed"
    assert body["errors"][0]["code"] == "deadline_exceeded"
