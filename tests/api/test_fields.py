"""Fields of a request and an answer that have rules of their own."""

from __future__ import annotations

import struct
import time
from base64 import urlsafe_b64decode
from datetime import datetime
from typing import Any

import pytest

from interplay.testing.scripted_model import ScriptedModel
from tests.api.api import requirement, text_of

TEXT = {"type": "text", "text": "Hi"}


def parts_of(id: str) -> tuple[str, str]:
    """The root and the own part inside an id."""
    packed = urlsafe_b64decode(id.removeprefix("v1_") + "==")
    assert packed[:2] == b"\x0a\x17"
    assert packed[25:27] == b"\x12\x17"
    return packed[2:25].decode(), packed[27:].decode()


@requirement("interactions:create:ids")
async def test_ids_carry_the_root_and_the_time(opened: Any) -> None:
    api = await opened()
    first = (await api.create(input="a")).body
    second = (await api.create(input="b", previous_interaction_id=first["id"])).body
    root, own = parts_of(first["id"])
    assert root == own
    assert parts_of(second["id"])[0] == root
    assert parts_of(second["id"])[1] != root
    (seconds,) = struct.unpack("<I", urlsafe_b64decode(own + "=")[:4])
    assert seconds == datetime.fromisoformat(first["created"]).timestamp()


@requirement("interactions:create:times")
async def test_updated_is_the_time_of_the_end(
    opened: Any, house: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = await opened({"chunks": ["a", {"hold": "later"}, "b"]})
    begun = (await api.create(input="a", background=True)).body
    await house.model.gate("later").reached()
    clock = time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: clock() + 60_000_000_000)
    house.model.gate("later").open()
    ended = await api.ended(begun["id"])
    assert ended["created"] == begun["created"]
    took = datetime.fromisoformat(ended["updated"]) - datetime.fromisoformat(ended["created"])
    assert 59 <= took.total_seconds() <= 75


@requirement("interactions:create:service-tier")
@pytest.mark.parametrize("tier", ["standard", "flex", "priority"])
async def test_the_tier_is_said_in_the_answer(opened: Any, tier: str) -> None:
    api = await opened()
    answer = await api.create(input="a", service_tier=tier)
    assert answer.body["service_tier"] == tier
    assert (await api.get(answer.body["id"])).body["service_tier"] == tier


@requirement("input:media")
async def test_media_reach_the_model_and_come_back(opened: Any, house: Any) -> None:
    api = await opened("A dot.")
    picture = {"type": "image", "mime_type": "image/png", "data": "aGVsbG8="}
    made = await api.create(input=[picture, TEXT])
    seen = house.model.turns[0].steps[0].content
    assert (seen[0].data, seen[0].mime_type, seen[1].text) == ("aGVsbG8=", "image/png", "Hi")
    read = (await api.get(made.body["id"])).body
    assert read["steps"][0]["content"] == [picture, TEXT]


@requirement("input:media")
async def test_media_a_model_cannot_take_are_refused_by_path(house: Any) -> None:
    model = ScriptedModel.of(echo=True, facts={"inputs": ["text"]})
    _, api = await house.start(models={"m": model})
    picture = {"type": "image", "mime_type": "image/png", "data": "aGVsbG8="}
    answer = await api.create(input=[TEXT, picture])
    assert answer.status == 400
    assert "image" in answer.message
    assert "'input[0].content[1]'" in answer.message
    assert not model.turns


@requirement("input:stateless")
async def test_a_whole_conversation_can_be_sent_as_steps(opened: Any, house: Any) -> None:
    api = await opened("Ada.")
    steps = [
        {"type": "user_input", "content": [{"type": "text", "text": "I am Ada."}]},
        {"type": "thought", "summary": [TEXT]},
        {"type": "model_output", "content": [{"type": "text", "text": "Hello Ada."}]},
        {"type": "user_input", "content": [{"type": "text", "text": "Who am I?"}]},
    ]
    answer = await api.create(input=steps, store=False)
    assert answer.text == "Ada."
    kinds = [type(step).__name__ for step in house.model.turns[0].steps]
    assert kinds == ["UserInputStep", "ThoughtStep", "ModelOutputStep", "UserInputStep"]


@requirement("thoughts:unsigned")
async def test_thoughts_and_calls_are_taken_back_without_signatures(opened: Any) -> None:
    api = await opened("ok")
    steps = [
        {"type": "user_input", "content": [TEXT]},
        {"type": "thought", "summary": [TEXT]},
        {"type": "function_call", "id": "c1", "name": "f", "arguments": {}},
        {"type": "function_result", "call_id": "c1", "name": "f", "result": "r"},
    ]
    assert (await api.create(input=steps)).status == 200


@requirement("thoughts:levels")
async def test_a_level_the_model_lacks_is_refused_with_those_it_has(house: Any) -> None:
    model = ScriptedModel.of(echo=True, facts={"thinking_levels": ["high"]})
    _, api = await house.start(models={"m": model})
    refused = await api.create(input="a", generation_config={"thinking_level": "low"})
    assert refused.status == 400
    assert "high" in refused.message
    assert (await api.create(input="a", generation_config={"thinking_level": "high"})).status == 200
    assert model.turns[0].thinking_level == "high"


@requirement("chain:not-inherited")
async def test_only_steps_are_carried_on(opened: Any, house: Any) -> None:
    api = await opened()
    tool = {"type": "function", "name": "f", "parameters": {"type": "object", "properties": {}}}
    first = await api.create(
        input="a", tools=[tool], system_instruction="Be brief.", generation_config={"seed": 1}
    )
    await api.create(input="b", previous_interaction_id=first.body["id"])
    turn = house.model.turns[1]
    assert (turn.functions, turn.system_instruction, turn.seed) == ([], None, None)
    assert len(turn.steps) == 3


@requirement("chain:unstored")
@requirement("interactions:get:unstored")
async def test_what_was_not_stored_cannot_be_read_or_gone_on_from(opened: Any) -> None:
    api = await opened()
    id = (await api.create(input="a", store=False)).body["id"]
    assert (await api.get(id)).status == 404
    answer = await api.create(input="b", previous_interaction_id=id)
    assert (answer.status, answer.code) == (404, "not_found")


@requirement("functions:result-error")
async def test_a_result_that_is_an_error_is_told_to_the_model(opened: Any, house: Any) -> None:
    api = await opened({"calls": [{"name": "f"}]}, "Too bad.")
    tool = {"type": "function", "name": "f"}
    first = (await api.create(input="a", tools=[tool])).body
    call = first["steps"][-1]
    failed = {"type": "function_result", "call_id": call["id"], "result": "no", "is_error": True}
    answer = await api.create(input=[failed], tools=[tool], previous_interaction_id=first["id"])
    assert answer.text == "Too bad."
    assert house.model.turns[1].steps[-1].is_error is True


@requirement("functions:empty-required")
@requirement("format:upper-case")
async def test_schemas_as_other_clients_write_them_are_taken(opened: Any, house: Any) -> None:
    api = await opened('{"a": "x"}')
    schema = {"type": "OBJECT", "properties": {"a": {"type": "STRING"}}, "required": []}
    tool = {"type": "function", "name": "f", "parameters": schema}
    form = {"type": "text", "mime_type": "application/json", "schema": schema}
    answer = await api.create(input="a", tools=[tool], response_format=form)
    assert answer.status == 200, answer.raw
    turn = house.model.turns[0]
    assert turn.functions[0].parameters["type"] == turn.schema["type"] == "object"
    assert turn.schema["properties"]["a"]["type"] == "string"


@requirement("cancel:foreground")
@requirement("cancel:stops-work")
async def test_cancel_ends_a_foreground_stream_and_stops_the_model(opened: Any, house: Any) -> None:
    api = await opened({"chunks": ["some", {"hold": "middle"}, "more"]})
    async with api.opened(json={"model": "m", "input": "a", "stream": True}) as events:
        id = (await anext(events))["interaction"]["id"]
        await house.model.gate("middle").reached()
        assert (await api.cancel(id)).body["status"] == "cancelled"
        last = [event async for event in events][-1]
    assert last["interaction"]["status"] == "cancelled"
    await house.model.abandoned()
    assert text_of((await api.get(id)).body) == "some"
