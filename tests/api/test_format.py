"""response_format: structured output in every form, validated always."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.api.api import requirement

SCHEMA = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
    "required": ["name", "age"],
}
FORMS: list[tuple[str, dict[str, Any]]] = [
    ("object", {"response_format": {
        "type": "text", "mime_type": "application/json", "schema": SCHEMA}}),
    ("list", {"response_format": [{
        "type": "text", "mime_type": "application/json", "schema": SCHEMA}]}),
    ("bare", {"response_format": SCHEMA}),
    ("beta", {"response_format": SCHEMA, "response_mime_type": "application/json"}),
    ("upper", {"response_format": {**SCHEMA, "type": "OBJECT"}}),
]  # fmt: skip


@requirement("format:forms")
@pytest.mark.parametrize("fields", [f for _, f in FORMS], ids=[n for n, _ in FORMS])
async def test_a_schema_is_taken_in_every_form(opened: Any, house: Any, fields: Any) -> None:
    api = await opened('{"name": "Ada", "age": 36}')
    answer = await api.create(input="a", **fields)
    assert answer.status == 200, answer.raw
    assert json.loads(answer.text) == {"name": "Ada", "age": 36}
    assert house.model.turns[0].schema == SCHEMA
    assert house.model.turns[0].json


@requirement("format:validated")
@pytest.mark.parametrize("text", ['{"name": "Ada"}', "not json", '{"name": 1, "age": 2}'])
async def test_output_that_does_not_fit_fails_and_says_why(opened: Any, text: str) -> None:
    api = await opened(text)
    answer = await api.create(input="a", response_format=SCHEMA)
    assert answer.status == 200
    assert answer.body["status"] == "failed"
    assert answer.body["errors"][0]["code"] == "malformed_output"
    assert answer.text == text


async def test_a_model_that_cannot_be_held_to_a_schema_is_told_it(house: Any) -> None:
    from interplay.testing.scripted_model import ScriptedModel

    model = ScriptedModel.of('{"name": "Ada", "age": 36}', facts={"schema": False})
    _, api = await house.start(models={"m": model})
    answer = await api.create(input="a", system_instruction="Hi.", response_format=SCHEMA)
    assert answer.body["status"] == "completed"
    told = model.turns[0].system_instruction or ""
    assert told.startswith("Hi.")
    assert '"required":["name","age"]' in told


async def test_top_level_arrays_and_enums_are_json_text(opened: Any) -> None:
    api = await opened('["a"]', '"Percussion"')
    listed = {"type": "array", "items": {"type": "string"}}
    assert (await api.create(input="a", response_format=listed)).text == '["a"]'
    kinds = {"type": "string", "enum": ["Percussion", "String"]}
    assert (await api.create(input="a", response_format=kinds)).text == '"Percussion"'


async def test_json_without_a_schema_must_still_be_json(opened: Any) -> None:
    api = await opened("[1]", "nope")
    asked = {"response_format": {"type": "text", "mime_type": "application/json"}}
    assert (await api.create(input="a", **asked)).body["status"] == "completed"
    assert (await api.create(input="a", **asked)).body["status"] == "failed"


BAD: list[tuple[Any, str]] = [
    ({"type": "text", "mime_type": "text/html"}, "response_format"),
    ({"type": "text", "mime_typ": "x"}, "response_format"),
    ([{"type": "text"}, {"type": "text"}], "response_format[1]"),
    ([1], "response_format[0]"),
    ("json", "response_format"),
    ({"type": "text", "mime_type": "application/json", "schema": {"type": "strng"}},
     "response_format.schema"),
]  # fmt: skip


@requirement("errors:format")
@pytest.mark.parametrize(("format", "path"), BAD)
async def test_a_bad_format_is_400_with_its_path(opened: Any, format: Any, path: str) -> None:
    api = await opened()
    answer = await api.create(input="a", response_format=format)
    assert answer.status == 400, answer.raw
    assert f"'{path}" in answer.message, answer.message


async def test_media_a_model_does_not_make_are_refused(house: Any) -> None:
    from interplay.testing.scripted_model import ScriptedModel

    model = ScriptedModel.of(facts={"outputs": ["text"], "inputs": ["text"]})
    _, api = await house.start(models={"m": model})
    made = await api.create(input="a", response_format={"type": "image"})
    assert (made.status, "'response_format'" in made.message) == (400, True)
    asked = await api.create(input="a", response_modalities=["image"])
    assert (asked.status, "'response_modalities'" in asked.message) == (400, True)
    picture = {"type": "image", "mime_type": "image/png", "data": "aGk="}
    seen = await api.create(input=[{"type": "text", "text": "x"}, picture])
    assert (seen.status, "'input[0].content[1]'" in seen.message) == (400, True)
