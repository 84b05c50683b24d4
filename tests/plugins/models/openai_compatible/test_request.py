"""A turn becomes a request, in the dialect of its server."""

from typing import Any

import msgspec
import pytest

from interplay.contracts.model import Choice, FunctionSpec, Turn
from interplay.plugins.models.openai_compatible.config import (
    OpenAICompatibleConfig,
    facts_of,
)
from interplay.plugins.models.openai_compatible.request import build
from interplay.wire.content import TextContent
from interplay.wire.steps import ModelOutputStep, UserInputStep

CLOSED = {
    "type": "object",
    "properties": {"a": {"type": "string"}},
    "required": ["a"],
    "additionalProperties": False,
}
OPEN = {"type": "object", "properties": {"a": {"type": "string"}}}
TOOLS = [FunctionSpec(name="f", description="does f", parameters=OPEN), FunctionSpec(name="g")]


def config(**fields: Any) -> OpenAICompatibleConfig:
    return msgspec.convert({"base_url": "http://x/v1", **fields}, OpenAICompatibleConfig)


def body(dialect: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    entry = fields.pop("entry", {})
    settings = config(dialect=dialect or {}, **entry)
    steps = fields.pop("steps", [UserInputStep(content=[TextContent("hi")])])
    turn = Turn(model="asked", steps=steps, **fields)
    return msgspec.json.decode(
        build(turn, settings, facts_of(settings), model="theirs", origin="o/theirs")
    )


def test_a_plain_turn_asks_for_a_stream_with_usage_and_nothing_else():
    assert body() == {
        "model": "theirs",
        "messages": [{"role": "user", "content": "hi"}],
        "stream": True,
        "stream_options": {"include_usage": True},
    }


def test_every_knob_is_passed_on():
    found = body(
        system_instruction="be kind",
        max_output_tokens=5,
        temperature=0.0,
        top_p=0.9,
        top_k=40,
        seed=7,
        stop_sequences=["END"],
    )
    assert found["messages"][0] == {"role": "system", "content": "be kind"}
    knobs = {name: found[name] for name in ("max_tokens", "temperature", "top_p", "top_k")}
    assert knobs == {"max_tokens": 5, "temperature": 0.0, "top_p": 0.9, "top_k": 40}
    assert (found["seed"], found["stop"]) == (7, ["END"])


def test_fields_have_the_servers_names_or_are_left_out():
    names = {"max_tokens": "max_completion_tokens", "top_k": "", "stream_options": ""}
    found = body(
        {"names": names, "system_role": "developer"},
        max_output_tokens=5,
        top_k=1,
        system_instruction="x",
    )
    assert found["max_completion_tokens"] == 5
    assert not {"max_tokens", "top_k", "stream_options"} & set(found)
    assert found["messages"][0]["role"] == "developer"


def test_the_output_limit_of_the_model_is_kept():
    found = body(entry={"facts": {"max_output_tokens": 100}}, max_output_tokens=500)
    assert found["max_tokens"] == 100


def test_functions_are_offered():
    found = body(functions=TOOLS)
    assert found["tools"][0] == {
        "type": "function",
        "function": {"name": "f", "description": "does f", "parameters": OPEN},
    }
    assert found["tools"][1]["function"] == {
        "name": "g",
        "parameters": {"type": "object", "properties": {}},
    }
    assert found["tool_choice"] == "auto"


@pytest.mark.parametrize(
    ("choice", "word", "names"),
    [
        (Choice(mode="auto"), "auto", ["f", "g"]),
        (Choice(mode="validated"), "auto", ["f", "g"]),
        (Choice(mode="any"), "required", ["f", "g"]),
        (Choice(mode="any", names=["g"]), "required", ["g"]),
        (Choice(mode="auto", names=["f"]), "auto", ["f"]),
    ],
)
def test_a_choice_shows_only_what_may_be_called(choice: Choice, word: str, names: list[str]):
    found = body(functions=TOOLS, choice=choice)
    assert found["tool_choice"] == word
    assert [tool["function"]["name"] for tool in found["tools"]] == names


@pytest.mark.parametrize("choice", [Choice(mode="none"), Choice(mode="auto", names=[])])
def test_where_nothing_may_be_called_nothing_is_shown(choice: Choice):
    found = body(functions=TOOLS, choice=choice)
    assert not {"tools", "tool_choice"} & set(found)


def test_validated_functions_are_strict_where_their_schema_allows_it():
    tools = [FunctionSpec(name="f", parameters=CLOSED), FunctionSpec(name="g", parameters=OPEN)]
    found = body(functions=tools, choice=Choice(mode="validated"))
    assert [tool["function"].get("strict") for tool in found["tools"]] == [True, None]
    assert "strict" not in body(functions=tools)["tools"][0]["function"]


def test_words_for_calls_are_the_servers():
    dialect = {"required_word": "any", "parallel_calls": True}
    found = body(dialect, functions=TOOLS, choice=Choice(mode="any"))
    assert (found["tool_choice"], found["parallel_tool_calls"]) == ("any", True)


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        (
            "json_schema",
            {
                "type": "json_schema",
                "json_schema": {"name": "answer", "schema": CLOSED, "strict": True},
            },
        ),
        ("json_object_schema", {"type": "json_object", "schema": CLOSED}),
        ("json_object", {"type": "json_object"}),
        ("none", None),
    ],
)
def test_a_schema_is_asked_for_in_the_servers_way(form: str, expected: Any):
    found = body({"schema": form}, json=True, schema=CLOSED)
    assert found.get("response_format") == expected


def test_json_without_a_schema_is_any_object():
    assert body(json=True)["response_format"] == {"type": "json_object"}


@pytest.mark.parametrize(
    ("schema", "strict", "expected"),
    [
        (OPEN, "where_it_fits", None),
        ({"type": "array", "items": CLOSED}, "where_it_fits", None),
        ({**CLOSED, "properties": {"a": OPEN}}, "where_it_fits", None),
        ({**CLOSED, "properties": {"a": CLOSED}}, "where_it_fits", True),
        (OPEN, "always", True),
        (CLOSED, "never", None),
    ],
)
def test_a_schema_is_strict_only_where_a_strict_server_takes_it(schema, strict, expected):
    found = body({"strict_schema": strict}, json=True, schema=schema)
    assert found["response_format"]["json_schema"].get("strict") is expected


@pytest.mark.parametrize(
    ("form", "level", "expected"),
    [
        ("reasoning_effort", "low", {"reasoning_effort": "low"}),
        ("reasoning", "high", {"reasoning": {"effort": "high"}}),
        (
            "chat_template_kwargs",
            "minimal",
            {"chat_template_kwargs": {"enable_thinking": False, "kept": 1}},
        ),
        ("thinking", "medium", {"thinking": {"type": "enabled"}}),
        ({"low": {"budget": 100}}, "low", {"budget": 100}),
    ],
)
def test_a_thinking_level_is_asked_for_in_the_servers_way(form, level, expected):
    extra = {"chat_template_kwargs": {"kept": 1}} if form == "chat_template_kwargs" else {}
    found = body({"thinking": form}, thinking_level=level, entry={"extra_body": extra})
    assert {name: found[name] for name in expected} == expected


def test_a_prefix_is_what_the_model_goes_on_from():
    dialect = {
        "prefill_fields": {"continue_final_message": True, "add_generation_prompt": False},
        "prefill_message": {"prefix": True},
    }
    found = body(dialect, prefix="One, two")
    assert found["messages"][-1] == {"role": "assistant", "content": "One, two", "prefix": True}
    assert found["continue_final_message"] is True
    assert found["add_generation_prompt"] is False
    steps = [ModelOutputStep(content=[TextContent("Zero, ")])]
    assert body(steps=steps, prefix="one")["messages"] == [
        {"role": "assistant", "content": "Zero, one"}
    ]


def test_extra_fields_come_last_and_win():
    found = body(entry={"extra_body": {"temperature": 1, "x": [1]}}, temperature=0.5)
    assert (found["temperature"], found["x"]) == (1, [1])


def test_a_conversation_is_hinted_at_without_its_name():
    dialect = {"conversation_field": "prompt_cache_key"}
    one, two = (body(dialect, conversation=name)["prompt_cache_key"] for name in ("a", "a"))
    assert one == two
    assert body(dialect, conversation="b")["prompt_cache_key"] != one
    assert "prompt_cache_key" not in body(dialect)
