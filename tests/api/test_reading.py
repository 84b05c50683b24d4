"""GET: the timeline, while it grows and afterwards, for any number of readers."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.api.api import fold, kinds, requirement


@requirement("interactions:get:own-steps")
async def test_only_its_own_steps_are_shown_not_the_chains(opened: Any) -> None:
    api = await opened("one", "two")
    first = (await api.create(input="a")).body
    second = (await api.create(input="b", previous_interaction_id=first["id"])).body
    read = (await api.get(second["id"])).body
    texts = [step["content"][0]["text"] for step in read["steps"]]
    assert texts == ["b", "two"]
    assert read["previous_interaction_id"] == first["id"]


@requirement("interactions:get:stream-false")
@requirement("interactions:get:include-input")
async def test_parameters_the_sdks_always_send_change_nothing(opened: Any) -> None:
    api = await opened()
    id = (await api.create(input="a")).body["id"]
    plain = (await api.get(id)).body
    assert (await api.get(id, stream="false")).body == plain
    assert (await api.get(id, include_input="true", stream="False")).body == plain


@requirement("interactions:get:running")
async def test_a_running_interaction_shows_the_steps_it_has_finished(
    opened: Any, house: Any
) -> None:
    thought = {"summary": "Hm.", "signature": "c2ln"}
    api = await opened({"thought": thought, "chunks": ["a", {"hold": "middle"}, "b"]})
    id = (await api.create(input="x", background=True)).body["id"]
    await house.model.gate("middle").reached()
    read = (await api.get(id)).body
    assert read["status"] == "in_progress"
    assert [step["type"] for step in read["steps"]][:2] == ["user_input", "thought"]
    house.model.gate("middle").open()
    assert (await api.ended(id))["status"] == "completed"


@requirement("interactions:get:unknown")
@requirement("interactions:resume:unknown")
async def test_an_unknown_id_is_404_as_json_and_as_stream(opened: Any) -> None:
    api = await opened()
    for query in ({}, {"stream": "true"}):
        answer = await api.get("v1_unknown", **query)
        assert (answer.status, answer.code) == (404, "not_found")


@requirement("interactions:resume:needs-stream")
async def test_last_event_id_needs_a_stream(opened: Any) -> None:
    api = await opened()
    events = await api.stream(input="a")
    id = events[0]["interaction"]["id"]
    answer = await api.get(id, last_event_id=events[0]["event_id"])
    assert answer.status == 400
    assert "last_event_id" in answer.message


@requirement("interactions:resume:from-start")
async def test_a_replay_is_the_stream_again(opened: Any) -> None:
    thought = {"summary": "Hm.", "signature": "c2ln"}
    api = await opened({"thought": thought, "chunks": ["a", "b"], "calls": [{"name": "f"}]})
    config = {"thinking_summaries": "auto"}
    tools = [{"type": "function", "name": "f"}]
    events = await api.stream(input="x", tools=tools, generation_config=config)
    assert await api.replay(events[0]["interaction"]["id"]) == events


@requirement("interactions:resume:after-restart")
async def test_a_replay_after_a_restart_is_the_stream_again(house: Any) -> None:
    from contextlib import AsyncExitStack

    from interplay.testing.scripted_model import ScriptedModel

    model = ScriptedModel.of({"chunks": ["a", "b", "c"]})
    async with AsyncExitStack() as first:
        _, api = await house.start(models={"m": model}, stack=first)
        events = await api.stream(input="x")
    _, api = await house.start(models={"m": model})
    id = events[0]["interaction"]["id"]
    assert await api.replay(id) == events
    assert await api.replay(id, after=events[3]["event_id"]) == events[4:]


@requirement("interactions:resume:many-readers")
async def test_every_reader_sees_the_same_events(opened: Any, house: Any) -> None:
    api = await opened({"chunks": ["a", {"hold": "middle"}, "b", "c"]})
    id = (await api.create(input="x", background=True)).body["id"]
    await house.model.gate("middle").reached()
    readers = [asyncio.create_task(api.replay(id)) for _ in range(8)]
    house.model.gate("middle").open()
    seen = await asyncio.gather(*readers)
    assert all(events == seen[0] for events in seen)
    assert kinds(seen[0])[-1] == "interaction.completed"
    assert fold(seen[0]) == (await api.get(id)).body["steps"][1:]


@requirement("interactions:stream:no-steps-at-end")
@requirement("interactions:stream:usage")
async def test_the_last_event_has_the_usage_and_no_steps(opened: Any) -> None:
    api = await opened("one two")
    last = (await api.stream(input="x"))[-1]["interaction"]
    assert "steps" not in last
    assert last["usage"]["total_output_tokens"] == 2
