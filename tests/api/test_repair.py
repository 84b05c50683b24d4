"""Calls that cannot be made as the model wrote them: told once, never taken back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from interplay.contracts.failure import Refused
from interplay.contracts.tool import CallSite, ToolCall
from interplay.testing.scripted_tool import ScriptedTool
from interplay.wire.steps import FunctionCallStep, FunctionResultStep
from tests.api.api import fold, requirement

WEATHER = {
    "type": "function",
    "name": "weather",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
        "required": ["city"],
    },
}
SEARCH = {"type": "google_search"}


def calls(*made: dict[str, Any]) -> dict[str, Any]:
    """A turn with these calls."""
    return {"calls": [{"name": "weather", "id": f"call{n}", **one} for n, one in enumerate(made)]}


GOOD = {"arguments": {"city": "Rome"}, "id": "good"}
BAD: dict[str, tuple[dict[str, Any], str, str]] = {
    "does not fit": ({"arguments": {"city": 7}}, "malformed_function_call", "'city'"),
    "lacks a field": ({"arguments": {}}, "malformed_function_call", "city"),
    "no JSON": ({"raw": '{"city": '}, "malformed_function_call", "not JSON"),
    "no object": ({"raw": "[1]"}, "malformed_function_call", "not a JSON object"),
    "not declared": ({"name": "wether"}, "unexpected_tool_call", "Did you mean 'weather'?"),
}


@requirement("functions:repaired")
@pytest.mark.parametrize("name", list(BAD))
@pytest.mark.parametrize("background", [False, True])
async def test_a_call_that_cannot_be_made_is_told_once_and_put_right(
    opened: Any, house: Any, name: str, background: bool
) -> None:
    call, _, said = BAD[name]
    api = await opened(calls(call), calls(GOOD))
    made = (await api.create(input="a", tools=[WEATHER], background=background)).body
    body = await api.ended(made["id"])
    assert body["status"] == "requires_action", body
    kinds = [step["type"] for step in body["steps"][1:]]
    assert kinds == ["function_call", "function_result", "function_call"]
    result = body["steps"][2]
    assert (result["call_id"], result["is_error"]) == ("call0", True)
    assert said in result["result"]
    told = house.model.turns[1].steps[-1]
    assert isinstance(told, FunctionResultStep)
    assert said in str(told.result)
    answer = {"type": "function_result", "call_id": "good", "result": "18"}
    after = await api.create(input=[answer], tools=[WEATHER], previous_interaction_id=body["id"])
    assert after.body["status"] == "completed", after.raw


@requirement("functions:malformed")
@pytest.mark.parametrize("name", list(BAD))
async def test_a_model_that_was_told_and_calls_so_again_fails_with_the_code(
    opened: Any, name: str
) -> None:
    call, code, said = BAD[name]
    api = await opened(calls(call), calls(call))
    body = (await api.create(input="a", tools=[WEATHER])).body
    assert body["status"] == "failed"
    assert body["errors"][0]["code"] == code
    assert said in body["errors"][0]["message"]


@requirement("functions:repaired")
async def test_a_model_is_told_again_when_it_called_rightly_in_between(opened: Any) -> None:
    bad = {**calls(BAD["not declared"][0])}
    search = {"calls": [{"name": "google_search", "arguments": {"query": "q"}, "id": "s1"}]}
    tool = ScriptedTool(results=["found"])
    api = await opened(bad, search, bad, "done", tools={"google_search": tool})
    body = (await api.create(input="a", tools=[WEATHER, SEARCH])).body
    assert body["status"] == "completed", body


@requirement("functions:repaired")
async def test_arguments_that_were_shown_are_not_taken_back(opened: Any) -> None:
    api = await opened(calls(BAD["does not fit"][0]), calls(GOOD))
    events = await api.stream(input="a", tools=[WEATHER])
    body = (await api.get(events[0]["interaction"]["id"])).body
    assert fold(events) == body["steps"][1:]
    assert await api.replay(body["id"]) == events
    opened_at = [event["index"] for event in events if event["event_type"] == "step.start"]
    closed_at = [event["index"] for event in events if event["event_type"] == "step.stop"]
    assert opened_at == closed_at == [0, 1, 2]


@requirement("functions:repaired")
async def test_the_good_call_beside_a_bad_one_waits_for_its_result(opened: Any, house: Any) -> None:
    api = await opened(calls(BAD["does not fit"][0], GOOD), "done")
    first = (await api.create(input="a", tools=[WEATHER])).body
    assert first["status"] == "requires_action"
    results = [
        {"type": "function_result", "call_id": id, "result": "18"} for id in ("call0", "good")
    ]
    second = await api.create(input=results, tools=[WEATHER], previous_interaction_id=first["id"])
    assert second.body["status"] == "completed", second.raw
    given = [s for s in house.model.turns[1].steps if isinstance(s, FunctionResultStep)]
    assert {step.call_id: step.is_error for step in given} == {"call0": True, "good": None}


@requirement("functions:fitted")
async def test_arguments_of_a_served_tool_are_put_right_where_nothing_is_lost(opened: Any) -> None:
    tool = ScriptedTool(results=["found"])
    call = {"name": "google_search", "arguments": {"query": 1492}, "id": "s1"}
    api = await opened({"calls": [call]}, "done", tools={"google_search": tool})
    body = (await api.create(input="a", tools=[SEARCH])).body
    assert body["status"] == "completed"
    assert tool.calls[0][0].arguments == {"query": "1492"}
    assert tool.calls[0][1].argument_faults == []


@requirement("functions:repaired")
async def test_a_served_tools_call_that_is_no_json_is_told_once(opened: Any, house: Any) -> None:
    broken = {"calls": [{"name": "google_search", "raw": "{", "id": "s1"}]}
    right = {"calls": [{"name": "google_search", "arguments": {"query": "q"}, "id": "s2"}]}
    tool = ScriptedTool(results=["found"])
    api = await opened(broken, right, "done", tools={"google_search": tool})
    body = (await api.create(input="a", tools=[SEARCH])).body
    assert body["status"] == "completed", body
    told = house.model.turns[1].steps[-2:]
    assert told[0] == FunctionCallStep({}, "s1", "google_search")
    assert (told[1].call_id, told[1].is_error) == ("s1", True)
    assert "not JSON" in told[1].result


@requirement("functions:malformed")
async def test_a_served_tools_call_that_is_no_json_twice_fails(opened: Any) -> None:
    broken = {"calls": [{"name": "google_search", "raw": "{", "id": "s1"}]}
    tool = ScriptedTool(results=[])
    api = await opened(broken, broken, tools={"google_search": tool})
    body = (await api.create(input="a", tools=[SEARCH])).body
    assert body["errors"][0]["code"] == "malformed_tool_call"
    assert tool.calls == []


@requirement("functions:too-many")
@pytest.mark.parametrize("served", [False, True])
async def test_more_calls_than_the_limit_end_an_interaction(opened: Any, served: bool) -> None:
    name = "google_search" if served else "weather"
    made = [
        {"name": name, "arguments": {"city": "x", "query": "x"}, "id": f"c{n}"} for n in range(9)
    ]
    tool = ScriptedTool(results=["found"] * 9)
    api = await opened({"calls": made}, tools={"google_search": tool}, limits={"tool_calls": 8})
    body = (await api.create(input="a", tools=[WEATHER, SEARCH])).body
    assert body["status"] == "failed"
    assert body["errors"][0]["code"] == "too_many_tool_calls"
    assert "limits.tool_calls" in body["errors"][0]["message"]
    assert tool.calls == []


async def test_a_thousand_calls_in_one_answer_are_all_answered_a_few_at_a_time(opened: Any) -> None:
    made = [
        {"name": "google_search", "arguments": {"query": f"{n}"}, "id": f"c{n}"}
        for n in range(1000)
    ]
    tool = ScriptedTool(results=["found"] * 1000)
    api = await opened({"calls": made}, "done", tools={"google_search": tool})
    body = (await api.create(input="a", tools=[SEARCH])).body
    assert body["status"] == "completed"
    asked = [step["id"] for step in body["steps"] if step["type"] == "google_search_call"]
    assert asked == [f"c{n}" for n in range(1000)]
    tool.verify()


class Strict(ScriptedTool):
    """Refuses arguments that do not fit, and tells when a call of it is over."""

    def __init__(self, *results: Any) -> None:
        super().__init__("google_search", results)
        self.over = asyncio.Event()

    async def call(self, call: ToolCall, at: CallSite) -> AsyncIterator[Any]:
        if at.argument_faults:
            raise Refused("; ".join(at.argument_faults))
        try:
            async for piece in super().call(call, at):
                yield piece
        finally:
            self.over.set()


def searches(query: Any, id: str) -> dict[str, Any]:
    return {"calls": [{"name": "google_search", "arguments": {"query": query}, "id": id}]}


@requirement("functions:repaired")
async def test_a_tool_that_refuses_arguments_is_called_rightly_the_next_time(opened: Any) -> None:
    replies = searches({}, "s1"), searches("q", "s2"), "done"
    api = await opened(*replies, tools={"google_search": Strict("found")})
    body = (await api.create(input="a", tools=[SEARCH])).body
    assert body["status"] == "completed", body
    assert (body["steps"][1]["call_id"], body["steps"][1]["is_error"]) == ("s1", True)


@requirement("functions:malformed")
async def test_arguments_a_tool_refuses_twice_in_a_row_fail(opened: Any) -> None:
    replies = searches({}, "s1"), searches({}, "s2")
    api = await opened(*replies, tools={"google_search": Strict()})
    body = (await api.create(input="a", tools=[SEARCH])).body
    assert body["errors"][0]["code"] == "malformed_tool_call"
    assert "query" in body["errors"][0]["message"]


async def test_a_tool_at_work_is_stopped_when_its_interaction_is_cancelled(opened: Any) -> None:
    tool = Strict({"hold": "h"}, "found")
    api = await opened(searches("q", "s1"), tools={"google_search": tool})
    made = (await api.create(input="a", tools=[SEARCH], background=True)).body
    await tool.gate("h").reached()
    assert (await api.cancel(made["id"])).body["status"] == "cancelled"
    async with asyncio.timeout(60):
        await tool.over.wait()
    body = await api.ended(made["id"])
    assert body["status"] == "cancelled"
    assert [step["type"] for step in body["steps"][1:]] == ["google_search_call"]
