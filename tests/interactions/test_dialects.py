"""Requests as clients have sent them, in the form this server decodes."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interplay.interactions.dialects import current, response_format
from interplay.interactions.legacy import wants_outputs
from interplay.wire.generation import ResponseFormat
from interplay.wire.interaction import CreateInteraction

RECORDED = Path(__file__).parents[1] / "fixtures" / "requests"
SDKS = sorted(path.stem for path in RECORDED.glob("*.json"))
SCHEMA = {"type": "OBJECT", "properties": {"a": {"type": "STRING"}}}
TYPED = {"type": "text", "mime_type": "application/json", "schema": SCHEMA}


def recorded(sdk: str) -> dict[str, Any]:
    return json.loads((RECORDED / f"{sdk}.json").read_text(encoding="utf-8"))


def read(body: dict[str, Any]) -> dict[str, Any]:
    """The rewritten body, which must decode."""
    before = copy.deepcopy(body)
    rewritten = current(body)
    assert body == before
    msgspec.convert(rewritten, CreateInteraction)
    return rewritten


def test_requests_of_every_sdk_are_here():
    assert [sdk.partition("-")[0] for sdk in SDKS] == ["js"] * 3 + ["python"] * 5


@pytest.mark.requirement("schema:outputs-by-body")
@pytest.mark.parametrize("sdk", SDKS)
def test_every_recorded_request_decodes(sdk: str):
    requests = recorded(sdk)["requests"]
    assert len(requests) > 20
    for body in requests.values():
        rewritten = read(body)
        assert read(rewritten) == rewritten
        formats = rewritten.get("response_format")
        for entry in formats if isinstance(formats, list) else [formats] if formats else []:
            msgspec.convert(entry, ResponseFormat)


@pytest.mark.parametrize("sdk", SDKS)
def test_every_recorded_client_is_told_by_its_headers(sdk: str):
    headers = [(name.encode(), value.encode()) for name, value in recorded(sdk)["headers"]]
    outputs = "-1." in sdk
    assert wants_outputs(headers, "2026-05-20") is outputs
    assert wants_outputs(headers, "2026-05-07") is outputs


@pytest.mark.parametrize("sdk", [sdk for sdk in SDKS if "-1." in sdk])
def test_a_recorded_conversation_of_turns_keeps_its_order(sdk: str):
    steps = read(recorded(sdk)["requests"]["turns_with_call"])["input"]
    assert [step["type"] for step in steps] == [
        "user_input",
        "thought",
        "function_call",
        "function_result",
    ]


def test_prefixes_of_names_go():
    assert read({"model": "models/m", "input": "Hi"})["model"] == "m"
    assert read({"agent": "agents/a", "input": "Hi"})["agent"] == "a"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([{"function_declarations": [{"name": "f"}, {"name": "g"}]}], ["function", "function"]),
        ([{"functionDeclarations": [{"name": "f"}], "googleSearch": {}}], ["function", None]),
        ([{"google_search": {}}, {"code_execution": {}}], ["google_search", "code_execution"]),
        ([{"name": "f", "parameters": {"type": "object"}}], ["function"]),
        ([{"name": "m", "url": "https://example.com"}], ["mcp_server"]),
        ([{"type": "function", "function": {"name": "f"}}], ["function"]),
        ({"type": "google_search"}, ["google_search"]),
        ([], []),
    ],
)
def test_tools_in_other_forms(given: Any, expected: list[str | None]):
    tools = read({"model": "m", "input": "Hi", "tools": given})["tools"]
    assert [tool["type"] for tool in tools] == [kind or "google_search" for kind in expected]


def test_a_functions_schema_may_be_named_as_in_generate_content():
    declared = {"name": "f", "parameters_json_schema": SCHEMA}
    [tool] = read({"tools": [{"function_declarations": [declared]}]})["tools"]
    assert tool == {"type": "function", "name": "f", "parameters": SCHEMA}


def test_allowed_tools_may_be_plain_names():
    server = {"type": "mcp_server", "name": "m", "url": "https://example.com"}
    for allowed in (["x", "y"], {"tools": ["x", "y"]}, [{"tools": ["x", "y"]}]):
        [tool] = read({"tools": [{**server, "allowed_tools": allowed}]})["tools"]
        assert tool["allowed_tools"] == [{"tools": ["x", "y"]}]


def test_the_one_field_the_first_sdks_write_in_camel_case():
    tool = {"type": "computer_use", "excludedPredefinedFunctions": ["drag"]}
    [renamed] = read({"tools": [tool]})["tools"]
    assert renamed == {"type": "computer_use", "excluded_predefined_functions": ["drag"]}


@pytest.mark.parametrize("mime_type", ["application/json", None])
def test_a_bare_schema_becomes_the_text_format(mime_type: str | None):
    rewritten = read({"response_format": SCHEMA, "response_mime_type": mime_type})
    assert rewritten["response_format"] == TYPED
    assert rewritten.get("response_mime_type") is None


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "array", "items": {"type": "string"}},
        {"type": "string", "enum": ["Strings", "Percussion"]},
        {"type": ["object", "null"]},
        {"anyOf": [{"type": "object"}, {"type": "null"}]},
        {"$ref": "#/$defs/a", "$defs": {"a": {"type": "object"}}},
    ],
)
def test_a_bare_schema_need_not_be_an_object(schema: dict[str, Any]):
    assert response_format(schema)["schema"] == schema
    assert response_format([schema])[0]["schema"] == schema


def test_a_mime_type_without_a_schema_is_a_format_too():
    rewritten = read({"response_mime_type": "application/json"})
    assert rewritten["response_format"] == {"type": "text", "mime_type": "application/json"}


def test_a_mime_type_that_contradicts_the_format_stays():
    body = {"response_format": TYPED, "response_mime_type": "text/plain"}
    assert read(body) == body


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"mimeType": "application/json", "schema": SCHEMA}, TYPED),
        ({"type": "text", "mimeType": "application/json", "schema": SCHEMA}, TYPED),
        ({"type": "image", "image_size": "2k"}, {"type": "image", "image_size": "2K"}),
        (
            {"type": "image", "mimeType": "image/jpeg", "aspectRatio": "1:1", "imageSize": "1K"},
            {"type": "image", "mime_type": "image/jpeg", "aspect_ratio": "1:1", "image_size": "1K"},
        ),
        (
            {"type": "audio", "bitRate": 1, "sampleRate": 2},
            {"type": "audio", "bit_rate": 1, "sample_rate": 2},
        ),
        ({"mime_type": "image/jpeg"}, {"type": "image", "mime_type": "image/jpeg"}),
    ],
)
def test_formats_as_every_sdk_names_them(given: Any, expected: Any):
    assert response_format(given) == expected
    msgspec.convert(response_format(given), ResponseFormat)


@pytest.mark.parametrize("given", [None, "json", 7, {}, {"type": "yaml"}, [None], {"type": {}}])
def test_a_format_that_is_not_understood_stays(given: Any):
    assert response_format(given) == given


@pytest.mark.parametrize(
    "given",
    [
        {"voice": "Kore", "language": "en"},
        [{"voice": "Kore", "language": "en"}],
        {"speakers": [{"voice": "Kore", "language": "en"}]},
        {"voice_config": {"prebuilt_voice_config": {"voice_name": "Kore"}}, "language_code": "en"},
        {
            "multi_speaker_voice_config": {
                "speaker_voice_configs": [
                    {
                        "language": "en",
                        "voice_config": {"prebuilt_voice_config": {"voice_name": "Kore"}},
                    }
                ]
            }
        },
    ],
)
def test_speech_config_in_every_form(given: Any):
    config = read({"generation_config": {"speech_config": given}})["generation_config"]
    assert config["speech_config"] == [{"voice": "Kore", "language": "en"}]


def test_values_in_capitals_are_taken():
    rewritten = read(
        {
            "response_modalities": ["TEXT", "IMAGE"],
            "service_tier": "FLEX",
            "generation_config": {
                "thinking_level": "LOW",
                "tool_choice": {"allowed_tools": {"mode": "ANY", "tools": ["f"]}},
                "image_config": {"image_size": "2k"},
                "stop_sequences": "END",
            },
        }
    )
    assert rewritten == {
        "response_modalities": ["text", "image"],
        "service_tier": "flex",
        "generation_config": {
            "thinking_level": "low",
            "tool_choice": {"allowed_tools": {"mode": "any", "tools": ["f"]}},
            "image_config": {"image_size": "2K"},
            "stop_sequences": ["END"],
        },
    }


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("remote", "remote"),
        ({"enabled": True}, "remote"),
        ({"enabled": False}, None),
        ({"env_id": "e1"}, "e1"),
        ({"enabled": True, "env_id": "e1"}, "e1"),
        ({"sources": []}, {"type": "remote", "sources": []}),
        ({"type": "remote", "environment_id": "e1"}, {"type": "remote", "environment_id": "e1"}),
    ],
)
def test_environments_in_other_forms(given: Any, expected: Any):
    assert read({"environment": given})["environment"] == expected


def test_a_system_instruction_of_texts_becomes_one_text():
    given = ["Be brief.", {"type": "text", "text": "Be kind."}]
    assert read({"system_instruction": given})["system_instruction"] == "Be brief.\nBe kind."


def test_explicit_nulls_and_empty_values_are_taken():
    body = {
        "model": "m",
        "input": "Hi",
        "generation_config": None,
        "previous_interaction_id": None,
        "tools": [],
        "system_instruction": "",
    }
    assert read(body) == body


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda children: (
        st.lists(children, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    "type",
                    "role",
                    "content",
                    "text",
                    "result",
                    "arguments",
                    "items",
                    "summary",
                    "annotations",
                    "name",
                    "function_declarations",
                    "allowed_tools",
                    "schema",
                    "mime_type",
                    "tool_choice",
                    "speech_config",
                    "env_id",
                    "enabled",
                ]
            ),
            children
            | st.sampled_from(["user", "model", "user_input", "text", "function_result", "object"]),
            max_size=5,
        )
    ),
    max_leaves=20,
)
FIELDS = [
    *("model", "agent", "input", "system_instruction", "tools", "generation_config"),
    *("response_format", "response_mime_type", "response_modalities", "environment"),
    *("service_tier", "labels"),
]


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=5))
def test_no_body_makes_it_raise_or_is_changed(body: dict[str, Any]):
    before = copy.deepcopy(body)
    current(body)
    assert body == before


def test_a_deeply_nested_result_does_not_make_it_raise():
    deep: Any = 1
    for _ in range(5_000):
        deep = [deep]
    step = {"type": "function_result", "call_id": "c", "result": deep}
    assert current({"input": [step]})["input"][0]["call_id"] == "c"
