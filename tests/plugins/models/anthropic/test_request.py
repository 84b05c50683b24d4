"""A turn becomes the body of a request."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from interplay.contracts.model import Choice, FunctionSpec
from interplay.plugins.models.anthropic.config import facts_of
from interplay.plugins.models.anthropic.dialect import dialect_of
from interplay.plugins.models.anthropic.request import MUST_CALL, build
from interplay.wire.steps import FunctionCallStep, FunctionResultStep
from tests.plugins.models.anthropic.upstream import NEW, OLD, WEATHER, config, output, turn, user

OTHER = FunctionSpec(name="other")
COLOUR = {"type": "object", "properties": {"c": {"enum": ["red"]}}}
LOOP = (user("go"), FunctionCallStep({}, "a", "f"), FunctionResultStep("a", "one"))


def body(*steps: Any, name: str = OLD, entry: dict[str, Any] | None = None, **fields: Any) -> Any:
    made = config(model=name, **(entry or {}))
    asked = turn(*steps, name=name, **fields)
    dialect = dialect_of(name, made.dialect)
    sent = build(asked, made, facts_of(made), dialect, model=name, origin=f"anthropic/{name}")
    return msgspec.json.decode(sent.body)


def test_a_plain_turn_is_small():
    assert body(entry={"cache": "off"}) == {
        "model": OLD,
        "max_tokens": 32_000,
        "stream": True,
        "messages": [{"role": "user", "content": [{"type": "text", "text": "hello"}]}],
    }


def test_the_limit_is_the_callers_then_the_operators_and_never_beyond_the_model():
    assert body(max_output_tokens=7)["max_tokens"] == 7
    assert body(max_output_tokens=900_000)["max_tokens"] == 64_000
    assert body(entry={"max_tokens": 5})["max_tokens"] == 5
    assert body(entry={"facts": {"max_output_tokens": 9}})["max_tokens"] == 9


def test_sampling_is_sent_where_the_model_takes_it():
    how = {"temperature": 1.5, "top_p": 0.9, "top_k": 3, "stop_sequences": ["x", " "], "seed": 1}
    one = body(**how)
    assert (one["temperature"], one["top_k"], one["stop_sequences"]) == (1.0, 3, ["x"])
    assert "top_p" not in one
    assert "seed" not in one
    assert body(top_p=0.9)["top_p"] == 0.9
    assert body(name="claude-3-haiku-20240307", **how)["top_p"] == 0.9
    none = body(name=NEW, **how)
    assert not {"temperature", "top_p", "top_k"} & none.keys()
    assert none["stop_sequences"] == ["x"]


def test_sampling_is_not_sent_while_it_thinks_nor_to_later_versions_of_the_api():
    assert "temperature" not in body(temperature=0.5, thinking_level="low")
    assert "temperature" not in body(temperature=0.5, entry={"anthropic_version": "2026-10-21"})


@pytest.mark.parametrize(
    ("choice", "shown", "expected"),
    [
        (Choice(), ["get_weather", "other"], {"type": "auto"}),
        (Choice(mode="any"), ["get_weather", "other"], {"type": "any"}),
        (
            Choice(mode="any", names=["other"]),
            ["other"],
            {"type": "tool", "name": "other"},
        ),
        (Choice(mode="none"), ["get_weather", "other"], {"type": "none"}),
        (Choice(mode="validated", names=["other"]), ["other"], {"type": "auto"}),
    ],
)
def test_functions_and_the_choice_among_them(choice: Choice, shown: list[str], expected: Any):
    made = body(functions=[WEATHER, OTHER], choice=choice)
    assert [tool["name"] for tool in made["tools"]] == shown
    assert made["tool_choice"] == expected


def test_arguments_are_held_to_closed_schemas_where_they_are_to_be_valid():
    made = body(functions=[WEATHER, OTHER], choice=Choice(mode="validated"))
    assert [tool.get("strict", False) for tool in made["tools"]] == [True, False]
    assert made["tools"][1]["input_schema"] == {"type": "object", "properties": {}}


def test_who_cannot_be_made_to_call_is_told_to():
    made = body(name=NEW, functions=[WEATHER], choice=Choice(mode="any"))
    assert made["tool_choice"] == {"type": "auto"}
    assert made["system"][0]["text"] == MUST_CALL


def test_functions_that_were_called_and_are_gone_are_declared():
    made = body(*LOOP)
    assert [tool["name"] for tool in made["tools"]] == ["f"]
    assert made["tool_choice"] == {"type": "none"}


def test_who_would_call_all_the_same_is_shown_no_functions():
    how: Any = {"name": "qwen3", "functions": [WEATHER]}
    assert "tools" not in body(*LOOP, choice=Choice(mode="none"), **how)
    assert "tools" in body(*LOOP, **how)
    assert "tools" not in body(*LOOP, name="qwen3")


def test_json_is_held_to_its_schema():
    made = body(json=True, schema=COLOUR)
    format = made["output_config"]["format"]
    assert format == {"type": "json_schema", "schema": {**COLOUR, "additionalProperties": False}}
    assert "system" not in made


@pytest.mark.parametrize(
    "how",
    [
        {"schema": None},
        {"schema": {"type": "array"}},
        {"schema": COLOUR, "prefix": "{"},
    ],
)
def test_json_that_cannot_be_held_is_told(how: dict[str, Any]):
    made = body(json=True, system_instruction="Be kind.", **how)
    assert "output_config" not in made
    assert made["system"][0]["text"].startswith("Be kind.\n\nAnswer with one JSON value")


def test_what_a_schema_loses_is_told_beside_it():
    limited = {"type": "object", "properties": {"n": {"type": "integer", "minimum": 3}}}
    made = body(json=True, schema=limited)
    assert "minimum" in made["system"][0]["text"]
    assert "minimum" not in str(made["output_config"])


def test_an_effort_and_a_format_stand_in_one_place():
    made = body(name=NEW, json=True, schema=COLOUR, thinking_level="low")
    assert made["output_config"].keys() == {"format", "effort"}


def test_a_loop_that_did_not_begin_with_a_thought_goes_on_without_thinking():
    assert "thinking" not in body(*LOOP, thinking_level="low", functions=[WEATHER])
    assert "thinking" in body(user("x"), thinking_level="low", functions=[WEATHER])


def marks(made: Any) -> list[Any]:
    blocks = [*made.get("tools", []), *made.get("system", [])]
    for message in made["messages"]:
        blocks += message["content"]
    return [at for at, block in enumerate(blocks) if "cache_control" in block]


def test_what_the_next_turn_begins_with_is_marked():
    made = body(user("a"), output("b"), user("c"), system_instruction="s", functions=[WEATHER])
    assert marks(made) == [1, 2, 4]
    assert made["system"][0]["cache_control"] == {"type": "ephemeral"}
    assert marks(body(functions=[WEATHER])) == [0, 1]
    assert marks(body(user("a"), prefix="so")) == [0]
    assert marks(body(user("a"), entry={"cache": "off"})) == []
    hour = body(user("a"), entry={"cache": "1h"})
    assert hour["messages"][0]["content"][0]["cache_control"]["ttl"] == "1h"


def test_fields_of_the_operators_are_added():
    made = body(entry={"extra_body": {"service_tier": "auto"}})
    assert made["service_tier"] == "auto"
