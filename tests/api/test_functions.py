"""Functions: declared by the caller, called by the model, answered by the caller."""

from __future__ import annotations

from typing import Any

import pytest

from interplay.wire.steps import FunctionCallStep, FunctionResultStep
from tests.api.api import requirement

WEATHER = {
    "type": "function",
    "name": "weather",
    "description": "The weather of a city",
    "parameters": {"type": "OBJECT", "properties": {"city": {"type": "STRING"}}},
}
CALL = {"calls": [{"name": "weather", "arguments": {"city": "Paris"}, "id": "call0001"}]}
PARALLEL = {
    "calls": [
        {"name": "weather", "arguments": {"city": "Paris"}, "id": "call0001"},
        {"name": "weather", "arguments": {"city": "Rome"}, "id": "call0002"},
    ]
}


@requirement("functions:requires-action")
async def test_a_call_ends_in_requires_action(opened: Any, house: Any) -> None:
    api = await opened(CALL)
    body = (await api.create(input="a", tools=[WEATHER])).body
    assert body["status"] == "requires_action"
    assert body["steps"] == [
        {
            "type": "function_call",
            "id": "call0001",
            "name": "weather",
            "arguments": {"city": "Paris"},
        }
    ]
    spec = house.model.turns[0].functions[0]
    assert spec.parameters == {"type": "object", "properties": {"city": {"type": "string"}}}


RESULTS: list[tuple[str, Any]] = [
    ("text", "18 degrees"),
    ("object", {"degrees": 18}),
    ("blocks", [{"type": "text", "text": "18 degrees"}]),
    ("image", [{"type": "image", "mime_type": "image/png", "data": "aGk="}]),
]


@requirement("functions:result-forms")
@pytest.mark.parametrize("result", [r for _, r in RESULTS], ids=[n for n, _ in RESULTS])
@pytest.mark.parametrize("form", ["list", "single", "nested"])
async def test_a_result_is_taken_in_every_form(
    opened: Any, house: Any, result: Any, form: str
) -> None:
    api = await opened(CALL, "Warm.")
    first = (await api.create(input="a", tools=[WEATHER])).body
    step = {"type": "function_result", "call_id": "call0001", "name": "weather", "result": result}
    given: Any = {
        "list": [step],
        "single": step,
        "nested": [{"type": "user_input", "content": [step]}],
    }[form]
    answer = await api.create(input=given, previous_interaction_id=first["id"], tools=[WEATHER])
    assert answer.status == 200, answer.raw
    assert answer.text == "Warm."
    steps = house.model.turns[1].steps
    assert [type(s) for s in steps[1:]] == [FunctionCallStep, FunctionResultStep]
    if isinstance(result, list):
        assert steps[2].result[0].__struct_config__.tag == result[0]["type"]
    else:
        assert steps[2].result == result


@requirement("functions:parallel")
async def test_parallel_calls_are_answered_together(opened: Any, house: Any) -> None:
    api = await opened(PARALLEL, "ok")
    first = (await api.create(input="a", tools=[WEATHER])).body
    assert [s["id"] for s in first["steps"]] == ["call0001", "call0002"]
    results = [
        {"type": "function_result", "call_id": id, "result": id} for id in ("call0002", "call0001")
    ]
    second = await api.create(input=results, previous_interaction_id=first["id"])
    assert second.status == 200, second.raw


async def test_a_call_left_unanswered_is_told_to_the_model(opened: Any, house: Any) -> None:
    api = await opened(PARALLEL, "ok")
    first = (await api.create(input="a", tools=[WEATHER])).body
    result = {"type": "function_result", "call_id": "call0001", "result": "x"}
    assert (await api.create(input=[result], previous_interaction_id=first["id"])).status == 200
    given = [s for s in house.model.turns[1].steps if isinstance(s, FunctionResultStep)]
    assert {s.call_id: bool(s.is_error) for s in given} == {"call0001": False, "call0002": True}


@requirement("functions:mismatch")
async def test_a_result_nobody_asked_for_is_400(opened: Any) -> None:
    api = await opened(CALL)
    first = (await api.create(input="a", tools=[WEATHER])).body
    wrong = {"type": "function_result", "call_id": "other", "name": "weather", "result": "x"}
    for link in ({}, {"previous_interaction_id": first["id"]}):
        answer = await api.create(input=[wrong], **link)
        assert answer.status == 400
        assert "comes immediately after a function call turn" in answer.message
        assert "input[0].call_id" in answer.message


@requirement("functions:stateless")
async def test_a_whole_exchange_can_be_sent_without_state(opened: Any, house: Any) -> None:
    thinks = {"thought": {"signature": "c2ln"}, **CALL}
    api = await opened(thinks, "Warm.")
    asked = {"type": "user_input", "content": [{"type": "text", "text": "a"}]}
    first = (await api.create(input=[asked], tools=[WEATHER], store=False)).body
    result = {"type": "function_result", "call_id": "call0001", "result": "18"}
    second = await api.create(input=[asked, *first["steps"], result], tools=[WEATHER], store=False)
    assert second.text == "Warm."
    assert house.model.turns[1].steps[1].signature == "c2ln"


async def test_calls_a_client_sends_again_are_not_doubled(opened: Any, house: Any) -> None:
    api = await opened(CALL, "ok")
    first = (await api.create(input="a", tools=[WEATHER])).body
    result = {"type": "function_result", "call_id": "call0001", "result": "18"}
    answer = await api.create(
        input=[first["steps"][0], result], previous_interaction_id=first["id"]
    )
    assert answer.status == 200
    calls = [s for s in house.model.turns[1].steps if isinstance(s, FunctionCallStep)]
    assert len(calls) == 1


CHOICES: list[tuple[Any, tuple[str, list[str] | None]]] = [
    ("auto", ("auto", None)),
    ("any", ("any", None)),
    ("none", ("none", None)),
    ("validated", ("validated", None)),
    ({"allowed_tools": {"mode": "any", "tools": ["weather"]}}, ("any", ["weather"])),
    ({"allowed_tools": {"tools": ["weather"]}}, ("auto", ["weather"])),
]


@requirement("functions:tool-choice")
@pytest.mark.parametrize(("given", "expected"), CHOICES)
async def test_tool_choice_reaches_the_model(
    opened: Any, house: Any, given: Any, expected: Any
) -> None:
    api = await opened("ok")
    answer = await api.create(input="a", tools=[WEATHER], generation_config={"tool_choice": given})
    assert answer.status == 200, answer.raw
    choice = house.model.turns[0].choice
    assert (choice.mode, choice.names) == expected


BAD_TOOLS: list[tuple[Any, str]] = [
    ([{"type": "function", "parameters": {}}], "tools[0].name"),
    ([{"type": "function", "name": "has space"}], "tools[0].name"),
    ([WEATHER, WEATHER], "tools[1].name"),
    ([{"type": "function", "name": "f", "parameters": "x"}], "tools[0].parameters"),
    ([{"type": "function", "name": "f", "parameters": {"type": "objekt"}}], "tools[0].parameters"),
    ([{"type": "function", "name": "f", "parameters": {"$ref": "#/$defs/no"}}], "tools[0]"),
    ([{"type": "funktion", "name": "f"}], "tools[0]"),
    ([{"type": "google_maps"}], "tools[0]"),
    ([{"type": "function", "name": "f", "defer_loading": True}], "tools[0].defer_loading"),
    ([{"type": "tool_search", "name": "find"}], "tools[0].name"),
    ([{"type": "tool_search", "parameters": {}}], "tools[0].parameters"),
    ([{"type": "tool_search"}, {"type": "tool_search"}], "tools[1]"),
    ([{"type": "tool_search", "execution": "client", "name": "a b"}], "tools[0].name"),
    (
        [{"type": "tool_search", "execution": "client", "parameters": {"type": "objekt"}}],
        "tools[0].parameters",
    ),
]


@requirement("errors:tools")
@pytest.mark.parametrize(("tools", "path"), BAD_TOOLS)
async def test_a_bad_tool_is_400_with_its_path(opened: Any, tools: Any, path: str) -> None:
    api = await opened()
    answer = await api.create(input="a", tools=tools)
    assert answer.status == 400, answer.raw
    assert f"'{path}" in answer.message, answer.message


async def test_an_allowed_tool_that_was_not_declared_is_400(opened: Any) -> None:
    api = await opened()
    answer = await api.create(
        input="a",
        tools=[WEATHER],
        generation_config={"tool_choice": {"allowed_tools": {"tools": ["wether"]}}},
    )
    assert answer.status == 400
    assert "generation_config.tool_choice.allowed_tools.tools[0]" in answer.message
    assert "Supported values: 'weather'" in answer.message


async def test_a_call_cut_off_by_the_token_limit_is_incomplete_and_was_not_made(
    opened: Any, house: Any
) -> None:
    cut = {"calls": [{"name": "weather", "raw": '{"city": '}], "end": {"reason": "length"}}
    api = await opened(cut, "ok")
    body = (await api.create(input="a", tools=[WEATHER])).body
    assert body["status"] == "incomplete"
    assert [step["type"] for step in body["steps"]] == ["function_call", "function_result"]
    assert body["steps"][1]["is_error"] is True
    follow = await api.create(input="go on", previous_interaction_id=body["id"])
    assert follow.status == 200


async def test_five_hundred_functions_are_taken(opened: Any, house: Any) -> None:
    api = await opened("ok")
    tools = [{**WEATHER, "name": f"f{n}"} for n in range(500)]
    assert (await api.create(input="a", tools=tools)).status == 200
    assert len(house.model.turns[0].functions) == 500
