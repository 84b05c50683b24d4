"""Deferred functions through the API: found on the way, by the server or by the caller."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.api import fold, requirement

SEARCH = {"type": "tool_search"}
WEATHER = {
    "type": "function",
    "name": "weather",
    "description": "The weather of a city. Long explanations follow.",
    "short_description": "The weather",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
    },
    "defer_loading": True,
}
PLAIN = {"type": "function", "name": "now", "description": "What time it is"}
TIDES = {**WEATHER, "name": "tides", "description": "Tides of a harbour", "short_description": None}
TOOLS = [SEARCH, WEATHER, PLAIN, TIDES]
LOAD = {
    "calls": [{"name": "tool_search", "arguments": {"function_names": ["weather"]}, "id": "s1"}]
}
CALL = {"calls": [{"name": "weather", "arguments": {"city": "Rome"}, "id": "c1"}]}


def offered(house: Any, turn: int) -> list[str]:
    return [spec.name for spec in house.model.turns[turn].functions]


@requirement("tool-search:server")
async def test_a_deferred_function_is_offered_once_it_was_found(opened: Any, house: Any) -> None:
    api = await opened(LOAD, CALL, "Warm.")
    first = (await api.create(input="a", tools=TOOLS)).body
    assert first["status"] == "requires_action", first
    call, result, made = first["steps"]
    assert call["type"] == "tool_search_call"
    assert call["arguments"] == {"function_names": ["weather"]}
    assert (result["type"], result["call_id"]) == ("tool_search_result", call["id"])
    declared = {name: value for name, value in WEATHER.items() if name != "defer_loading"}
    assert result["result"] == [declared]
    assert (made["type"], made["name"]) == ("function_call", "weather")
    assert offered(house, 0) == ["now", "tool_search"]
    assert offered(house, 1) == ["now", "tool_search", "weather"]
    search = house.model.turns[0].functions[1]
    assert "- weather: The weather\n- tides: Tides of a harbour" in search.description
    assert house.model.turns[1].functions[:2] == house.model.turns[0].functions
    answer = {"type": "function_result", "call_id": "c1", "result": "18"}
    second = await api.create(input=[answer], tools=TOOLS, previous_interaction_id=first["id"])
    assert second.text == "Warm."
    assert offered(house, 2) == ["now", "tool_search", "weather"]


@requirement("tool-search:chain")
@pytest.mark.parametrize("store", [True, False])
async def test_what_was_found_stays_offered_in_the_turns_that_follow(
    opened: Any, house: Any, store: bool
) -> None:
    api = await opened(LOAD, "Found.", "Yes.")
    asked = {"type": "user_input", "content": [{"type": "text", "text": "a"}]}
    first = (await api.create(input=[asked], tools=TOOLS, store=store)).body
    given: dict[str, Any] = {"input": "b", "previous_interaction_id": first["id"]}
    if not store:
        again = {"type": "user_input", "content": [{"type": "text", "text": "b"}]}
        given = {"input": [asked, *first["steps"], again], "store": False}
    answer = await api.create(tools=TOOLS, **given)
    assert answer.text == "Yes.", answer.raw
    assert offered(house, 2) == ["now", "tool_search", "weather"]


async def test_a_function_that_is_not_declared_any_more_is_not_offered(
    opened: Any, house: Any
) -> None:
    api = await opened(LOAD, "Found.", "Yes.")
    first = (await api.create(input="a", tools=TOOLS)).body
    kept = {"previous_interaction_id": first["id"], "tools": [SEARCH, PLAIN, TIDES]}
    assert (await api.create(input="b", **kept)).text == "Yes."
    assert offered(house, 2) == ["now", "tool_search"]


@requirement("tool-search:words")
async def test_words_find_functions(opened: Any, house: Any) -> None:
    words = {"calls": [{"name": "tool_search", "arguments": {"query": "harbour"}, "id": "s1"}]}
    api = await opened(words, "ok")
    body = (await api.create(input="a", tools=TOOLS)).body
    assert body["steps"][0]["arguments"] == {"function_names": ["tides"]}
    assert offered(house, 1) == ["now", "tool_search", "tides"]


@requirement("tool-search:server")
async def test_a_streamed_search_folds_to_the_same_steps(opened: Any) -> None:
    api = await opened(LOAD, "ok")
    events = await api.stream(input="a", tools=TOOLS)
    body = (await api.get(events[0]["interaction"]["id"])).body
    assert body["status"] == "completed"
    assert fold(events) == body["steps"][1:]
    assert await api.replay(body["id"]) == events


@requirement("tool-search:client")
@pytest.mark.parametrize("form", ["function_result", "tool_search_result"])
async def test_the_callers_own_search_names_functions_or_brings_them(
    opened: Any, house: Any, form: str
) -> None:
    own = {
        "type": "tool_search",
        "execution": "client",
        "name": "find_tools",
        "description": "Finds tools.",
        "parameters": {"type": "OBJECT", "properties": {"what": {"type": "STRING"}}},
    }
    find = {"calls": [{"name": "find_tools", "arguments": {"what": "x"}, "id": "s1"}]}
    brought = {"type": "function", "name": "stars", "parameters": {"type": "OBJECT"}}
    api = await opened(find, {"calls": [{"name": "stars", "id": "c1"}]}, "Seen.")
    first = (await api.create(input="a", tools=[own, WEATHER, PLAIN])).body
    assert first["status"] == "requires_action"
    assert first["steps"][0]["type"] == "function_call"
    assert first["steps"][0]["arguments"] == {"what": "x"}
    assert offered(house, 0) == ["now", "find_tools"]
    assert house.model.turns[0].functions[1].parameters["type"] == "object"
    result = {"type": form, "call_id": "s1", "result": [{**WEATHER}, brought]}
    follow = {"tools": [own, WEATHER, PLAIN], "previous_interaction_id": first["id"]}
    second = await api.create(input=[result], **follow)
    assert second.status == 200, second.raw
    assert offered(house, 1) == ["now", "find_tools", "weather", "stars"]
    assert house.model.turns[1].functions[3].parameters == {"type": "object"}
    assert second.body["steps"][-1]["name"] == "stars"
    answer = {"type": "function_result", "call_id": "c1", "result": "many"}
    follow["previous_interaction_id"] = second.body["id"]
    third = await api.create(input=[answer], **follow)
    assert third.text == "Seen.", third.raw
    assert offered(house, 2) == ["now", "find_tools", "weather", "stars"]


@requirement("tool-search:client")
async def test_what_the_callers_search_brings_must_be_a_function(opened: Any) -> None:
    own = {"type": "tool_search", "execution": "client"}
    find = {"calls": [{"name": "tool_search", "arguments": {"query": "x"}, "id": "s1"}]}
    api = await opened(find)
    first = (await api.create(input="a", tools=[own])).body
    broken = {"type": "function", "name": "a b"}
    result = {"type": "tool_search_result", "call_id": "s1", "result": [broken]}
    answer = await api.create(input=[result], tools=[own], previous_interaction_id=first["id"])
    assert answer.status == 400
    assert "'input[0].result[0].name'" in answer.message
    nobody = {"type": "tool_search_result", "call_id": "other", "result": []}
    answer = await api.create(input=[nobody], tools=[own], previous_interaction_id=first["id"])
    assert answer.status == 400
    assert "'input[0].call_id'" in answer.message


@requirement("tool-search:unasked")
async def test_a_deferred_function_called_by_its_name_alone_is_called(
    opened: Any, house: Any
) -> None:
    guess = {"calls": [{"name": "weather", "arguments": {"town": "Rome"}, "id": "c0"}]}
    api = await opened(guess, CALL)
    body = (await api.create(input="a", tools=TOOLS)).body
    assert body["status"] == "requires_action"
    assert "city" in body["steps"][1]["result"]
    assert offered(house, 1) == ["now", "tool_search", "weather"]


async def test_a_choice_that_names_a_deferred_function_shows_it(opened: Any, house: Any) -> None:
    api = await opened(CALL)
    choice = {"tool_choice": {"allowed_tools": {"mode": "any", "tools": ["weather"]}}}
    body = (await api.create(input="a", tools=TOOLS, generation_config=choice)).body
    assert body["status"] == "requires_action", body
    assert offered(house, 0) == ["now", "tool_search", "weather"]


async def test_a_model_that_must_call_must_still_call_once_it_has_found_something(
    opened: Any, house: Any
) -> None:
    api = await opened(LOAD, CALL)
    config = {"generation_config": {"tool_choice": "any"}}
    await api.create(input="a", tools=TOOLS, **config)
    assert [turn.choice.mode for turn in house.model.turns] == ["any", "any"]


@requirement("tool-search:many")
async def test_two_thousand_deferred_functions_beside_five_hundred(opened: Any, house: Any) -> None:
    deferred = [
        {**WEATHER, "name": f"deferred_{n}", "short_description": f"Number {n}"}
        for n in range(2000)
    ]
    plain = [{**PLAIN, "name": f"plain_{n}"} for n in range(500)]
    load = {"function_names": ["deferred_1999"], "query": "number 77"}
    api = await opened({"calls": [{"name": "tool_search", "arguments": load, "id": "s1"}]}, "ok")
    body = (await api.create(input="a", tools=[*plain, SEARCH, *deferred])).body
    assert body["status"] == "completed", body
    assert len(house.model.turns[0].functions) == 501
    assert "2000 functions can be loaded" in house.model.turns[0].functions[-1].description
    assert offered(house, 1)[501:503] == ["deferred_1999", "deferred_77"]


async def test_a_search_without_anything_deferred_changes_nothing(opened: Any, house: Any) -> None:
    api = await opened("ok")
    assert (await api.create(input="a", tools=[SEARCH, PLAIN])).status == 200
    assert offered(house, 0) == ["now"]
