"""Bad input: refused with its path, never stored, never a 500, never a hang."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.api.api import requirement


async def send(api: Any, raw: bytes, kind: str = "application/json") -> Any:
    """POST of raw bytes."""
    return await api.call("POST", "/v1/interactions", data=raw, headers={"content-type": kind})


RAW: list[tuple[str, bytes]] = [
    ("empty", b""),
    ("not json", b"{"),
    ("trailing comma", b'{"model":"m","input":"x",}'),
    ("a list", b"[]"),
    ("a number", b"7"),
    ("invalid utf-8", b'{"model":"m","input":"\xff\xfe"}'),
    ("lone surrogate", b'{"model":"m","input":"\\ud800"}'),
    ("nan", b'{"model":"m","input":"x","generation_config":{"temperature":NaN}}'),
    ("deep", b'{"model":"m","response_format":' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
    ("deep object", b'{"a":' * 50_000 + b"1" + b"}" * 50_000),
    ("two documents", b'{"model":"m","input":"x"}{}'),
    ("big number", b'{"model":"m","input":"x","generation_config":{"seed":1' + b"0" * 400 + b"}}"),
]


@requirement("bad:malformed")
@pytest.mark.parametrize("raw", [r for _, r in RAW], ids=[n for n, _ in RAW])
async def test_a_body_that_is_no_request_is_400(opened: Any, house: Any, raw: bytes) -> None:
    api = await opened()
    answer = await send(api, raw)
    assert answer.status == 400, answer.raw[:300]
    assert answer.code in ("invalid_request", "parameter_unknown")
    assert len(answer.message) < 4000
    assert not house.model.turns
    assert (await api.call("GET", "/v1/interactions")).body["interactions"] == []


@requirement("bad:content-type")
async def test_another_content_type_is_415(opened: Any) -> None:
    api = await opened()
    raw = b'{"model":"m","input":"x"}'
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        assert (await send(api, raw, kind)).status == 415
    assert (await send(api, raw, "application/json; charset=utf-8")).status == 200


@requirement("bad:size")
async def test_a_body_over_the_limit_is_413(opened: Any) -> None:
    api = await opened(limits={"body_bytes": 1_000_000})
    big = json.dumps({"model": "m", "input": "x" * 2_000_000}).encode()
    answer = await send(api, big)
    assert answer.status == 413
    assert "limits.body_bytes" in answer.message

    async def chunks() -> Any:
        for start in range(0, len(big), 100_000):
            yield big[start : start + 100_000]

    chunked = await api.call(
        "POST", "/v1/interactions", data=chunks(), headers={"content-type": "application/json"}
    )
    assert chunked.status == 413


@requirement("bad:many-steps")
async def test_ten_thousand_steps_are_taken_and_more_than_the_limit_refused(opened: Any) -> None:
    api = await opened(limits={"steps_per_request": 10_000})
    step = {"type": "user_input", "content": [{"type": "text", "text": "x"}]}
    assert (await api.create(input=[step] * 10_000)).status == 200
    over = await api.create(input=[step] * 10_001)
    assert over.status == 400
    assert "at most 10000" in over.message


@requirement("bad:nul")
async def test_a_nul_in_a_text_is_a_character_like_any_other(opened: Any) -> None:
    api = await opened()
    text = "a\x00b\x1f \U0001f600 ü"
    made = await api.create(input=text)
    assert made.status == 200
    assert (await api.get(made.body["id"])).body["steps"][0]["content"][0]["text"] == text


@requirement("bad:base64")
@pytest.mark.parametrize("data", ["not base64!", "a", "====", "aGk*", "aGk=aGk=", "ä"])
async def test_broken_base64_is_400_with_its_path(opened: Any, data: str) -> None:
    api = await opened()
    picture = {"type": "image", "mime_type": "image/png", "data": data}
    answer = await api.create(input=[{"type": "text", "text": "x"}, picture])
    assert answer.status == 400
    assert "'input[1].data'" in answer.message


FAULTS: list[tuple[dict[str, Any], list[str]]] = [
    ({"imput": "x"}, ["Unknown parameter 'imput'", "Did you mean 'input'?"]),
    ({"input": "x", "systemInstruction": "y"}, ["Did you mean 'system_instruction'?"]),
    ({"input": 5}, ["'input'"]),
    ({"input": [{"type": "vidoe", "uri": "x"}]}, ["'vidoe'", "input[0]", "'video'"]),
    ({"input": [{"type": "user_input", "content": [{"type": "text", "text": 5}]}]},
     ["input[0].content[0].text"]),
    ({"input": [{"type": "function_call", "name": "f", "arguments": {}}]}, ["'id' at 'input[0]'"]),
    ({"input": "x", "generation_config": {"thinking_level": "enormous"}},
     ["'enormous'", "thinking_level", "'minimal'"]),
    ({"input": "x", "generation_config": {"presence_penalty": 1}},
     ["Unknown parameter 'presence_penalty' at 'generation_config'"]),
    ({"input": "x", "tools": [{"type": "invalid_tool_type_xyz"}]},
     ["The value 'invalid_tool_type_xyz' is not supported for 'type' at 'tools[0]'",
      "Supported values: "]),
    ({"input": "x", "generation_config": {"max_output_tokens": "9"}},
     ["generation_config.max_output_tokens"]),
    ({"input": "x", "service_tier": "gold"}, ["'gold'", "service_tier", "'flex'"]),
    ({"input": "x", "stream": "yes"}, ["stream"]),
]  # fmt: skip


@requirement("errors:paths")
@pytest.mark.parametrize(("fields", "said"), FAULTS)
async def test_a_fault_is_named_with_its_path(opened: Any, fields: Any, said: list[str]) -> None:
    api = await opened()
    answer = await api.create(**fields)
    assert answer.status == 400, answer.raw
    for part in said:
        assert part in answer.message, answer.message


@requirement("errors:every-fault")
async def test_every_fault_is_said_at_once(opened: Any) -> None:
    api = await opened()
    answer = await api.create(
        imput="x", tools=[{"type": "funktion"}], generation_config={"maxOutputTokens": 3}
    )
    for part in ("'imput'", "'tools[0]'", "'max_output_tokens'"):
        assert part in answer.message, answer.message


RULES: list[tuple[dict[str, Any], str]] = [
    ({}, "input"),
    ({"input": []}, "input"),
    ({"input": "x", "agent": "assistant", "model": "m"}, "Exactly one"),
    ({"input": "x", "model": None}, "Exactly one"),
    ({"input": "x", "agent_config": {"type": "dynamic"}}, "agent_config"),
    ({"input": "x", "cached_content": "c"}, "cached_content"),
    ({"input": "x", "continuation_token": "c"}, "continuation_token"),
    ({"input": "x", "webhook_config": {"uris": ["http://x"]}}, "webhook_config"),
    ({"input": "x", "environment": "remote"}, "environment"),
    ({"input": "x", "safety_settings": [
        {"type": "harassment", "threshold": "block_only_high"}]}, "safety_settings[0]"),
    ({"input": "x", "labels": {"Bad Key": "v"}}, "labels"),
    ({"input": "x", "labels": {"k": "V" * 64}}, "labels.k"),
    ({"input": "x", "generation_config": {"seed": -1}}, "generation_config.seed"),
    ({"input": "x", "generation_config": {"seed": 2**31}}, "generation_config.seed"),
    ({"input": "x", "generation_config": {"temperature": 9}}, "generation_config.temperature"),
    ({"input": "x", "generation_config": {"max_output_tokens": 0}},
     "generation_config.max_output_tokens"),
    ({"input": [{"type": "image"}]}, "input[0]"),
    ({"input": "x", "previous_interaction_id": ""}, "previous_interaction_id"),
    ({"input": "x", "response_mime_type": "text/html"}, "response_mime_type"),
    ({"input": "x", "generation_config": {"tool_choice": "any"}}, "tool_choice"),
]  # fmt: skip


@requirement("interactions:fields-honoured-or-refused")
@pytest.mark.parametrize(("fields", "said"), RULES)
async def test_what_cannot_be_honoured_is_refused_by_name(
    opened: Any, house: Any, fields: Any, said: str
) -> None:
    api = await opened()
    answer = await api.create(**fields)
    assert answer.status == 400, answer.raw
    assert said in answer.message, answer.message
    assert not house.model.turns


@requirement("models:unknown")
async def test_an_unknown_model_is_404_with_the_near_names(house: Any) -> None:
    from interplay.testing.scripted_model import ScriptedModel

    models = {"gemma-small": ScriptedModel.of(), "llama-big": ScriptedModel.of()}
    _, api = await house.start(models=models)
    answer = await api.create(model="gema-small", input="x")
    assert (answer.status, answer.code) == (404, "model_not_found")
    assert "Did you mean 'gemma-small'?" in answer.message
    agent = await api.create({"agent": "deep-research-preview-04-2026", "input": "x"})
    assert (agent.status, agent.code) == (404, "not_found")
    assert "'assistant'" in agent.message


@requirement("errors:unknown-path")
async def test_what_is_not_there_says_where_things_are(opened: Any) -> None:
    api = await opened()
    for method, path in (("GET", "/v2/interactions"), ("POST", "/v1/interaction"), ("GET", "/x")):
        answer = await api.call(method, path)
        assert (answer.status, answer.code) == (404, "not_found")
        assert "/v1/interactions" in answer.message
    answer = await api.call("PUT", "/v1/interactions", json={})
    assert answer.status == 405
    assert answer.code == "method_not_allowed"


@requirement("list:bad-token")
async def test_query_parameters_are_checked(opened: Any) -> None:
    api = await opened("x")
    id = (await api.create(input="x")).body["id"]
    for query in ({"stream": "maybe"}, {"fields": "steps"}, {"last_event_id": "x"}):
        assert (await api.get(id, **query)).status == 400
    for query in ("page_size=0", "page_size=x", "page_size=501", "page_token=x", "label=x"):
        assert (await api.call("GET", f"/v1/interactions?{query}")).status == 400


@requirement("http:head-options-cors")
async def test_head_options_and_browsers_are_served(opened: Any) -> None:
    api = await opened("x")
    id = (await api.create(input="x")).body["id"]
    head = await api.call("HEAD", f"/v1/interactions/{id}")
    assert (head.status, head.raw) == (200, b"")
    preflight = await api.call(
        "OPTIONS",
        "/v1/interactions",
        headers={
            "origin": "https://example.com",
            "access-control-request-method": "POST",
            "access-control-request-headers": "api-revision,x-goog-api-key,content-type",
        },
    )
    assert preflight.status == 200
    assert "api-revision" in preflight.headers["access-control-allow-headers"]
    answer = await api.create(input="x", headers={"origin": "https://example.com"})
    assert answer.headers["access-control-allow-origin"] == "*"
