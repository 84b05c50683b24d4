"""The schemas of the document: they take what the wire types take, and say what each one is."""

from __future__ import annotations

from typing import Any

import jsonschema_rs
import msgspec
import pytest

from interplay.server.openapi_schemas import schemas
from interplay.wire.content import TextContent
from interplay.wire.deltas import TextDelta
from interplay.wire.errors import Error, ErrorBody
from interplay.wire.events import InteractionCompletedEvent, InteractionHead, StepDelta
from interplay.wire.interaction import Interaction
from interplay.wire.steps import ModelOutputStep
from interplay.wire.trigger import TriggerExecution
from interplay.wire.usage import Usage

SCHEMAS = schemas()


def errors(name: str, value: Any) -> list[str]:
    schema = {"$ref": f"#/components/schemas/{name}", "components": {"schemas": SCHEMAS}}
    found = jsonschema_rs.validator_for(schema).iter_errors(value)
    return [error.message for error in found]


@pytest.mark.parametrize(
    "body",
    [
        {"model": "m", "input": "hi"},
        {"model": "m", "input": [{"type": "text", "text": "hi"}], "stream": True},
        {"agent": "a", "input": [], "agent_config": {"type": "dynamic"}},
        {"agent": "a", "agent_config": {"type": "mine", "own": 1}},
        {"model": "m", "response_format": {"type": "object", "properties": {}}},
        {"model": "m", "response_format": [{"type": "text", "mime_type": "application/json"}]},
        {"model": "m", "tools": [{"type": "function", "name": "f", "parameters": {}}]},
        {"model": "m", "generation_config": {"tool_choice": "any", "seed": 1}},
    ],
)
def test_a_body_that_decodes_fits(body: dict[str, Any]):
    assert errors("CreateInteraction", body) == []


@pytest.mark.parametrize(
    "body",
    [
        {"modle": "m"},
        {"model": 5},
        {"tools": [{"type": "nope"}]},
        {"generation_config": {"thinking_level": "LOW"}},
        {"input": [{"type": "text"}]},
    ],
)
def test_a_body_that_does_not_decode_does_not_fit(body: dict[str, Any]):
    assert errors("CreateInteraction", body) != []


@pytest.mark.parametrize(
    ("body", "fits"),
    [
        ({"schedule": "@daily", "time_zone": "UTC", "interaction": {"agent": "a"}}, True),
        ({"schedule": "@daily", "time_zone": "UTC", "interaction": {"agnet": "a"}}, False),
        ({"schedule": "@daily", "interaction": {"agent": "a"}}, False),
    ],
)
def test_the_body_of_a_trigger_holds_that_of_an_interaction(body: dict[str, Any], fits: bool):
    assert (errors("TriggerCreateParams", body) == []) is fits


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TriggerExecution", TriggerExecution(id="e", trigger_id="t", status="skipped")),
        (
            "Interaction",
            Interaction(
                id="v1_x",
                status="completed",
                steps=[ModelOutputStep(content=[TextContent(text="hi")])],
                usage=Usage(total_tokens=3),
            ),
        ),
        ("Event", StepDelta(delta=TextDelta(text="hi"), index=0, event_id="v1_e")),
        ("Event", InteractionCompletedEvent(interaction=InteractionHead("v1_x", "completed"))),
        ("ErrorBody", ErrorBody(Error("not_found", "Result not found."))),
    ],
)
def test_what_is_answered_fits_and_may_grow(name: str, value: msgspec.Struct):
    sent = msgspec.json.decode(msgspec.json.encode(value))
    assert errors(name, sent) == []
    assert errors(name, {**sent, "added_later": 1}) == []


def test_every_schema_of_a_wire_type_says_what_it_is():
    for name, schema in SCHEMAS.items():
        if "properties" in schema and "title" in schema:
            said = schema.get("description", "")
            assert len(said) > 10, name
            assert said != name
            assert "    " not in said, f"{name}: indentation left in"


def test_the_string_under_a_field_becomes_its_description():
    fields = SCHEMAS["CreateInteraction"]["properties"]
    assert fields["stream"]["description"] == "Answer as server-sent events."
    assert fields["stream"]["anyOf"][0] == {"type": "boolean"}
    assert "JSON schema" in fields["response_format"]["description"]
