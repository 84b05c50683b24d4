"""Tools the server executes, alone and beside the caller's functions."""

from __future__ import annotations

from typing import Any

from interplay.testing.script import Fail
from interplay.testing.scripted_tool import ScriptedTool
from tests.api.api import fold, requirement, text_of

SEARCH = {"type": "google_search"}
FUNCTION = {"type": "function", "name": "f"}


def asks(query: str, id: str = "srch0001") -> dict[str, Any]:
    """A turn in which the model calls the search."""
    return {"calls": [{"name": "google_search", "arguments": {"query": query}, "id": id}]}


@requirement("functions:server-tool")
async def test_a_server_tool_runs_and_its_steps_stand_in_the_timeline(
    opened: Any, house: Any
) -> None:
    tool = ScriptedTool("google_search", ["Rome is in Italy."])
    api = await opened(asks("Rome"), "In Italy.", tools={"google_search": tool})
    body = (await api.create(input="Where is Rome?", tools=[SEARCH])).body
    assert body["status"] == "completed"
    assert [step["type"] for step in body["steps"]] == [
        "google_search_call",
        "google_search_result",
        "model_output",
    ]
    assert body["steps"][0]["arguments"] == {"queries": ["Rome"]}
    assert body["steps"][1]["result"] == [{"search_suggestions": "Rome is in Italy."}]
    assert [type(step).__name__ for step in house.model.turns[1].steps][1:] == [
        "GoogleSearchCallStep",
        "GoogleSearchResultStep",
    ]
    tool.verify()


@requirement("functions:server-tool")
async def test_a_streamed_server_tool_folds_to_the_same_steps(opened: Any) -> None:
    tool = ScriptedTool("google_search", ["Rome is in Italy."])
    api = await opened(asks("Rome"), "In Italy.", tools={"google_search": tool})
    events = await api.stream(input="Where is Rome?", tools=[SEARCH])
    read = (await api.get(events[0]["interaction"]["id"])).body
    assert fold(events) == read["steps"][1:]


@requirement("functions:server-and-own")
async def test_server_tools_and_functions_work_in_one_request(opened: Any) -> None:
    tool = ScriptedTool("google_search", ["found"])
    both = {"calls": [*asks("x")["calls"], {"name": "f", "id": "func0001"}]}
    api = await opened(both, "Done.", tools={"google_search": tool})
    first = (await api.create(input="a", tools=[SEARCH, FUNCTION])).body
    assert first["status"] == "requires_action"
    kinds = {step["type"] for step in first["steps"]}
    assert kinds == {"google_search_call", "google_search_result", "function_call"}
    result = {"type": "function_result", "call_id": "func0001", "name": "f", "result": "r"}
    second = await api.create(
        input=[result], tools=[SEARCH, FUNCTION], previous_interaction_id=first["id"]
    )
    assert second.body["status"] == "completed", second.raw


@requirement("functions:tool-failure")
async def test_a_tool_that_fails_is_told_to_the_model_as_a_result(opened: Any, house: Any) -> None:
    tool = ScriptedTool("google_search", [Fail(message="The engine is down.")])
    api = await opened(asks("x"), "I could not search.", tools={"google_search": tool})
    body = (await api.create(input="a", tools=[SEARCH])).body
    assert body["status"] == "completed"
    assert text_of(body) == "I could not search."
    results = [step for step in body["steps"] if step.get("is_error")]
    assert len(results) == 1
    assert "The engine is down." in str(results[0]["result"])


@requirement("functions:too-many")
@requirement("limits:turns")
async def test_a_model_that_never_stops_calling_is_stopped(opened: Any) -> None:
    tool = ScriptedTool("google_search", ["again"] * 5)
    replies = [asks("x", f"srch000{n}") for n in range(5)]
    api = await opened(*replies, tools={"google_search": tool}, limits={"turns": 3})
    body = (await api.create(input="a", tools=[SEARCH])).body
    assert body["status"] == "failed"
    assert body["errors"][0]["code"] == "too_many_tool_calls"
    assert "limits.turns" in body["errors"][0]["message"]
    assert len(tool.calls) == 3


@requirement("functions:server-tool-live")
async def test_a_call_is_seen_while_its_tool_is_at_work(opened: Any) -> None:
    tool = ScriptedTool("google_search", [{"hold": "h"}, "Rome is in Italy."])
    api = await opened(asks("Rome"), "In Italy.", tools={"google_search": tool})
    body = {"model": "m", "input": "Where is Rome?", "tools": [SEARCH], "stream": True}
    async with api.opened(json=body) as live:
        seen = [await anext(live)]
        while "delta" not in seen[-1]:
            seen.append(await anext(live))
        assert seen[-1]["delta"]["arguments"] == {"queries": ["Rome"]}
        await tool.gate("h").reached()
        tool.gate("h").open()
        seen += [event async for event in live]
    assert [step["type"] for step in fold(seen)][-1] == "model_output"
