"""JSON schemas of callers: what is cleaned, what is refused, and how values are checked."""

from __future__ import annotations

import socket
import threading
import time
from typing import Any

import pytest

from interplay.interactions.schema import SchemaFault, Validator, clean

WEATHER = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "days": {"type": "integer", "minimum": 1}},
    "required": ["city"],
}


def refused(schema: Any, path: str = "tools[0].parameters") -> SchemaFault:
    with pytest.raises(SchemaFault) as caught:
        clean(schema, path)
    return caught.value


def test_a_plain_schema_stays_as_it_is():
    assert clean(WEATHER, "p") == WEATHER
    assert clean({}, "p") == {}
    assert clean({"type": "object", "required": []}, "p") == {"type": "object", "required": []}
    titled = {"$schema": "http://json-schema.org/draft-07/schema#", "title": "T"}
    assert clean(titled, "p") == titled


def test_upper_case_types_become_lower_case_wherever_a_schema_stands():
    schema = {
        "type": "OBJECT",
        "properties": {
            "type": {"type": "STRING", "enum": ["STRING"], "default": {"type": "STRING"}},
            "list": {"type": "ARRAY", "items": {"anyOf": [{"type": "Integer"}, {"type": "NULL"}]}},
        },
        "additionalProperties": {"type": ["NUMBER", "null"]},
        "$defs": {"x": {"type": "BOOLEAN"}},
    }
    assert clean(schema, "p") == {
        "type": "object",
        "properties": {
            "type": {"type": "string", "enum": ["STRING"], "default": {"type": "STRING"}},
            "list": {"type": "array", "items": {"anyOf": [{"type": "integer"}, {"type": "null"}]}},
        },
        "additionalProperties": {"type": ["number", "null"]},
        "$defs": {"x": {"type": "boolean"}},
    }


@pytest.mark.parametrize(
    ("given", "cleaned"),
    [
        ({"type": "STRING", "nullable": True}, {"type": ["string", "null"]}),
        ({"type": "STRING", "nullable": False}, {"type": "string"}),
        (
            {"type": "string", "enum": ["a"], "nullable": True},
            {"type": ["string", "null"], "enum": ["a", None]},
        ),
        (
            {"anyOf": [{"type": "string"}], "nullable": True},
            {"anyOf": [{"type": "string"}, {"type": "null"}]},
        ),
        ({"type": "ARRAY", "minItems": "2"}, {"type": "array", "minItems": 2}),
        ({"type": "TYPE_UNSPECIFIED"}, {}),
        ({"$schema": "https://example.com/own"}, {}),
        (
            {"properties": {"nullable": {"type": "BOOLEAN"}}},
            {"properties": {"nullable": {"type": "boolean"}}},
        ),
    ],
)
def test_words_of_other_dialects_are_translated(given: dict[str, Any], cleaned: dict[str, Any]):
    assert clean(given, "p") == cleaned


@pytest.mark.parametrize(
    ("schema", "path", "words"),
    [
        ([], "tools[0].parameters", "Expected a JSON schema, which is an object"),
        ("x", "tools[0].parameters", "Expected a JSON schema, which is an object"),
        (
            {"properties": {"a": 5}},
            "tools[0].parameters.properties.a",
            "Expected a JSON schema, which is an object",
        ),
        (
            {"properties": ["a"]},
            "tools[0].parameters.properties",
            "Expected an object whose values are JSON schemas",
        ),
        (
            {"anyOf": [{"type": "strin"}]},
            "tools[0].parameters.anyOf[0].type",
            "The type 'strin' is not one of 'string', 'number', 'integer', 'boolean', 'array',"
            " 'object', 'null' (did you mean 'string'?)",
        ),
        ({"type": 5}, "tools[0].parameters.type", "Expected the name of a type"),
        ({"required": "a"}, "tools[0].parameters.required", '"a" is not of type "array"'),
        ({"pattern": "("}, "tools[0].parameters.pattern", '"(" is not a "regex"'),
        (
            {"items": {"$ref": "#/$defs/no"}},
            "tools[0].parameters.items.$ref",
            "The reference '#/$defs/no' points at nothing in the schema",
        ),
        ({"$ref": 5}, "tools[0].parameters.$ref", "Expected a reference such as '#/$defs/name'"),
        (
            {"items": {"$ref": "other.json"}},
            "tools[0].parameters.items.$ref",
            "The reference 'other.json' leads outside the schema; nothing is fetched, put the"
            " definition under '$defs'",
        ),
    ],
)
def test_a_schema_that_cannot_be_used_is_refused_at_its_spot(schema: Any, path: str, words: str):
    fault = refused(schema)
    assert (fault.path, fault.message) == (path, words)


def test_a_fault_at_the_top_has_the_path_it_was_given_and_none_of_its_own():
    assert refused({"type": "x"}, "").path == "type"
    assert str(refused([], "p")) == "Expected a JSON schema, which is an object at 'p'."


def nested(levels: int) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(levels):
        schema = {"properties": {"a": schema}}
    return schema


def test_depth_and_size_are_limited():
    assert clean(nested(60), "p") == nested(60)
    assert "nested deeper than 64" in refused(nested(70)).message
    assert "not plain JSON" in refused(nested(5_000)).message
    assert "larger than 1048576 bytes" in refused({"description": "x" * 2_000_000}).message


def test_recursive_schemas_are_allowed():
    tree = {"type": "object", "properties": {"kids": {"type": "array", "items": {"$ref": "#"}}}}
    assert clean(tree, "p") == tree
    check = Validator.of(tree)
    assert check.errors({"kids": [{"kids": []}]}) == []
    assert check.errors({"kids": [{"kids": 5}]}) == ["5 is not of type \"array\" at 'kids[0].kids'"]


@pytest.mark.parametrize(
    "reference",
    ["#/$defs/a", "#/$defs/a~1b", "#/%24defs/a", "#named", "https://own.example/s#/$defs/a"],
)
def test_references_inside_the_schema_resolve(reference: str):
    schema = {
        "$id": "https://own.example/s",
        "$defs": {"a": {"$anchor": "named", "type": "string"}, "a/b": {"type": "string"}},
        "items": {"$ref": reference},
    }
    assert Validator.of(clean(schema, "p")).errors([5]) == ["5 is not of type \"string\" at '[0]'"]


def test_a_schema_that_explodes_when_references_expand_is_refused():
    defs: dict[str, Any] = {
        f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(40)
    }
    defs["d40"] = {"type": "string"}
    assert "grows beyond" in refused({"$ref": "#/$defs/d0", "$defs": defs}).message
    chain: dict[str, Any] = {f"d{n}": {"$ref": f"#/$defs/d{n + 1}"} for n in range(2_000)}
    chain["d2000"] = {}
    assert "levels deep" in refused({"$ref": "#/$defs/d0", "$defs": chain}).message


def test_a_deep_value_of_a_branching_recursive_schema_is_judged_in_bounded_time():
    arm = {"type": "object", "properties": {"a": {"$ref": "#"}}}
    check = Validator.of(clean({"anyOf": [{"type": "integer"}, arm, dict(arm)]}, "p"))
    value: Any = "wrong"
    for _ in range(60):
        value = {"a": value}
    start = time.process_time()
    assert check.errors(value) == ["It does not fit its schema (too deeply nested to say where)"]
    assert time.process_time() - start < 10


def test_a_pattern_that_backtracks_without_end_is_stopped():
    check = Validator.of(clean({"type": "string", "pattern": "^(?=(a+)+$)(a|aa)+$"}, "p"))
    start = time.process_time()
    assert check.errors("a" * 60 + "b") != []
    assert time.process_time() - start < 10


@pytest.mark.requirement("format:remote-ref")
def test_no_reference_is_ever_fetched():
    asked: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(10)
        port = server.getsockname()[1]

        def answer() -> None:
            while True:
                connection, _ = server.accept()
                with connection:
                    got = connection.recv(1_000)
                    asked.append(got)
                    if got == b"stop":
                        return

        thread = threading.Thread(target=answer)
        thread.start()
        there = f"http://127.0.0.1:{port}/s.json"
        assert "leads outside" in refused({"$ref": there}).message
        assert "leads outside" in refused({"$ref": f"{there}#/x"}).message
        assert "leads outside" in refused({"$ref": "file:///etc/passwd"}).message
        refused({"properties": {"a": {"$id": there, "$ref": "/t.json"}}})
        assert Validator.of(clean({"$schema": there, "type": "string"}, "p")).errors("x") == []
        for direct in ({"$ref": there}, {"$schema": there}, {"$dynamicRef": there}):
            with pytest.raises(SchemaFault):
                Validator.of(direct)
        unused = refused({"$defs": {"a": {"$ref": there}}}, "p")
        assert unused.path == "p.$defs.a.$ref"
        with socket.create_connection(("127.0.0.1", port), timeout=120) as last:
            last.sendall(b"stop")
        thread.join(10)
    assert asked == [b"stop"]


def test_every_error_of_a_value_comes_with_its_path():
    assert Validator.of(WEATHER).errors({"city": "Oslo"}) == []
    assert Validator.of(WEATHER).errors({"days": 0}) == [
        '"city" is a required property',
        "0 is less than the minimum of 1 at 'days'",
    ]
    assert Validator.of({}).errors(None) == []


def test_errors_are_few_and_short():
    check = Validator.of({"type": "array", "items": {"type": "string", "maxLength": 1}})
    found = check.errors(["x" * 5_000 + "\n"] * 50)
    assert len(found) == 10
    assert all(len(error) < 250 for error in found)


def test_values_that_are_not_sound_json_are_an_error_and_not_a_crash():
    deep: Any = 1
    for _ in range(900):
        deep = [deep]
    check = Validator.of({"type": "string"})
    assert check.errors(deep) != []
    assert check.errors("\ud800")[0].startswith("It cannot be checked: ")


def test_equal_schemas_share_a_validator_and_cleaning_hands_out_copies():
    assert Validator.of(dict(WEATHER)) is Validator.of(dict(WEATHER))
    first = clean(WEATHER, "p")
    first["properties"]["city"]["type"] = "number"
    assert clean(WEATHER, "p") == WEATHER
