"""Both schemas of the API over the same stored interactions."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.api import Api, requirement

OLD = {"api-revision": "2026-05-07"}
NEW = {"api-revision": "2026-05-20"}
SDK_1 = {"x-goog-api-client": "google-genai-sdk/1.75.0 gl-python/3.11"}
SDK_3 = {"x-goog-api-client": "google-genai-sdk/3.4.0 gl-python/3.11"}


def speaking(api: Api, headers: dict[str, str]) -> Api:
    """The same server for a client that sends these headers."""
    return Api(api.url, api.session, {**api.headers, **headers})


@requirement("schema:steps")
@pytest.mark.parametrize("headers", [{}, NEW, SDK_3])
async def test_clients_of_today_are_answered_with_steps(opened: Any, headers: Any) -> None:
    body = (await speaking(await opened("Hello."), headers).create(input="a")).body
    assert "steps" in body
    assert "outputs" not in body
    assert "role" not in body


@requirement("schema:outputs-by-revision")
@requirement("schema:outputs-by-client")
@pytest.mark.parametrize("headers", [OLD, SDK_1])
async def test_clients_of_the_first_schema_are_answered_with_outputs(
    opened: Any, headers: Any
) -> None:
    body = (await speaking(await opened("Hello."), headers).create(input="a")).body
    assert body["outputs"] == [{"type": "text", "text": "Hello."}]
    assert body["role"] == "model"
    assert "steps" not in body


@requirement("schema:outputs-by-body")
async def test_bodies_of_the_first_schema_are_understood(opened: Any, house: Any) -> None:
    api = speaking(await opened('{"a": 1}'), OLD)
    answer = await api.create(
        input=[
            {"role": "user", "content": "Hi"},
            {"role": "model", "content": [{"type": "text", "text": "Hello."}]},
            {"role": "user", "content": "And?"},
        ],
        response_mime_type="application/json",
        response_format={"type": "object", "properties": {"a": {"type": "integer"}}},
    )
    assert answer.status == 200, answer.raw
    turn = house.model.turns[0]
    kinds = [type(step).__name__ for step in turn.steps]
    assert kinds == ["UserInputStep", "ModelOutputStep", "UserInputStep"]
    assert turn.schema["properties"] == {"a": {"type": "integer"}}


@requirement("schema:same-object")
async def test_one_interaction_can_be_read_and_gone_on_from_in_both(opened: Any) -> None:
    api = await opened("one", "two", "three")
    old, new = speaking(api, OLD), speaking(api, NEW)
    first = (await old.create(input="a")).body
    second = (await new.create(input="b", previous_interaction_id=first["id"])).body
    third = (await old.create(input="c", previous_interaction_id=second["id"])).body
    assert [block["text"] for block in third["outputs"]] == ["three"]
    assert [s["type"] for s in (await new.get(first["id"])).body["steps"]] == [
        "user_input",
        "model_output",
    ]
    read = (await old.get(second["id"], include_input="true")).body
    assert read["outputs"] == [{"type": "text", "text": "two"}]
    assert read["input"]


@requirement("schema:outputs-stream")
async def test_a_stream_of_the_first_schema_has_its_own_events(opened: Any) -> None:
    thought = {"summary": "Hm.", "signature": "c2ln"}
    reply = {"thought": thought, "chunks": ["a", "b"], "calls": [{"name": "f"}]}
    api = speaking(await opened(reply), OLD)
    events = await api.stream(input="x", tools=[{"type": "function", "name": "f"}])
    kinds = [event["event_type"] for event in events]
    assert kinds[0] == "interaction.start"
    assert kinds[-1] == "interaction.complete"
    assert {"content.start", "content.delta", "content.stop"} <= set(kinds)
    calls = [e["delta"] for e in events if e.get("delta", {}).get("type") == "function_call"]
    assert [(call["name"], call["arguments"]) for call in calls] == [("f", {})]
    texts = [e["delta"]["text"] for e in events if e.get("delta", {}).get("type") == "text"]
    assert texts == ["a", "b"]


@requirement("schema:outputs-resume")
async def test_resuming_after_any_event_of_the_first_schema_gives_the_rest(opened: Any) -> None:
    reply = {"chunks": ["a", "b"], "calls": [{"name": "f", "arguments": {"x": 1}}]}
    api = speaking(await opened(reply), OLD)
    events = await api.stream(input="x", tools=[{"type": "function", "name": "f"}])
    id = events[0]["interaction"]["id"]
    assert await api.replay(id) == events
    for number, event in enumerate(events[:-1]):
        if "event_id" in event:
            assert await api.replay(id, after=event["event_id"]) == events[number + 1 :]


async def test_what_a_stateless_history_held_is_no_output(opened: Any) -> None:
    api = await opened("Warm.")
    history = [
        {"type": "user_input", "content": [{"type": "text", "text": "Weather?"}]},
        {"type": "function_call", "id": "call0001", "name": "f", "arguments": {}},
        {"type": "function_result", "call_id": "call0001", "result": "18"},
    ]
    made = (await api.create(input=history)).body
    old = {"x-goog-api-client": "google-genai-sdk/1.55.0 gl-python/3.11"}
    read = (await api.call("GET", f"/v1beta/interactions/{made['id']}", headers=old)).body
    assert read["outputs"] == [{"type": "text", "text": "Warm."}]


async def test_outputs_can_stand_beside_steps(opened: Any) -> None:
    body = (await (await opened("Hello.", outputs_beside_steps=True)).create(input="a")).body
    assert body["outputs"] == [{"type": "text", "text": "Hello."}]
    assert body["steps"]
