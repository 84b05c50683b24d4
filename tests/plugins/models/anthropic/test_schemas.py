"""Schemas as the API can hold a model to them."""

from typing import Any

import pytest

from interplay.plugins.models.anthropic.schemas import held, instruction

TEXT = {"type": "string"}


def of(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


def test_objects_are_closed_at_every_depth():
    made = held(of(a=of(b=TEXT), c={"type": "array", "items": of(d=TEXT)}))
    assert made is not None
    assert made.whole
    assert made.schema["additionalProperties"] is False
    assert made.schema["properties"]["a"]["additionalProperties"] is False
    assert made.schema["properties"]["c"]["items"]["additionalProperties"] is False


def test_limits_the_api_does_not_know_are_left_out_and_that_is_said():
    made = held(of(a={"type": "integer", "minimum": 1, "description": "n"}))
    assert made is not None
    assert not made.whole
    assert made.schema["properties"]["a"] == {"type": "integer", "description": "n"}


def test_notes_are_left_out_without_a_word():
    made = held({**of(a=TEXT), "$schema": "x", "examples": []})
    assert made is not None
    assert made.whole
    assert "$schema" not in made.schema


def test_references_inside_the_schema_stay():
    schema = {**of(a={"$ref": "#/$defs/A"}), "$defs": {"A": of(b=TEXT)}}
    made = held(schema)
    assert made is not None
    assert made.schema["$defs"]["A"]["additionalProperties"] is False


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "array", "items": TEXT},
        {"type": "object"},
        of(a={"type": "object"}),
        of(a={"oneOf": [TEXT]}),
        {**of(a=TEXT), "additionalProperties": TEXT},
        {**of(a=TEXT), "patternProperties": {"x": TEXT}},
        {**of(a={"$ref": "#/$defs/A"}), "$defs": {"A": of(b={"$ref": "#/$defs/A"})}},
        of(a={"$ref": "https://x/y"}),
        of(a={"$ref": "#/$defs/gone"}),
        of(a={"$ref": "#"}),
        of(a=True),
    ],
)
def test_what_cannot_be_put_so_is_not(schema: Any):
    assert held(schema) is None


def test_a_schema_is_left_as_it_was():
    schema = of(a={"type": "integer", "minimum": 1})
    held(schema)
    assert schema == of(a={"type": "integer", "minimum": 1})


def test_a_model_that_cannot_be_held_is_told():
    assert "nothing else" in instruction(None)
    assert '{"type":"object"}' in instruction({"type": "object"})
