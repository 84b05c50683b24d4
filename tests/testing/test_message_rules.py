"""Each rule of the Messages API is broken once."""

from __future__ import annotations

from typing import Any

import pytest

from interplay.testing.message_rules import Refusal, Signatures, check

OLD, MID, NEW = "claude-haiku-4-5", "claude-opus-4-8", "claude-opus-5-5"
HEADERS = {"anthropic-version": "2023-06-01"}
TOOL = {"name": "f", "input_schema": {"type": "object", "properties": {}}}
USE = {"type": "tool_use", "id": "a", "name": "f", "input": {}}
RESULT = {"type": "tool_result", "tool_use_id": "a", "content": "one"}
BUDGET = {"thinking": {"type": "enabled", "budget_tokens": 1_024}, "max_tokens": 2_000}
SCHEMA = {"type": "object", "properties": {}, "additionalProperties": False}


def text(words: str, **more: Any) -> dict[str, Any]:
    return {"type": "text", "text": words, **more}


def said(role: str, *blocks: Any) -> dict[str, Any]:
    return {"role": role, "content": [text(b) if isinstance(b, str) else b for b in blocks]}


def body(*messages: Any, model: str = OLD, **fields: Any) -> dict[str, Any]:
    given = [*messages] or [said("user", "hello")]
    return {"model": model, "max_tokens": 99, "messages": given, **fields}


def format(schema: dict[str, Any]) -> dict[str, Any]:
    return {"output_config": {"format": {"type": "json_schema", "schema": schema}}}


GOOD = [
    body(),
    body(said("user", "a"), said("assistant", "b")),
    body(said("user", "a"), said("assistant", USE), said("user", RESULT, "so?"), tools=[TOOL]),
    body(**BUDGET),
    body(**format(SCHEMA)),
    body(model=NEW, thinking={"type": "adaptive"}),
    body(tools=[TOOL], tool_choice={"type": "tool", "name": "f"}, temperature=0.5),
]
BAD = [
    (body(model="gpt"), "model: gpt"),
    (body(seed=1), "seed: Extra inputs"),
    (body(max_tokens=0), "max_tokens"),
    (body(max_tokens=64_001), "max_tokens"),
    (body(said("assistant", "a")), "roles must alternate"),
    (body(said("user", "a"), said("user", "b")), "roles must alternate"),
    (body(said("user")), "non-empty"),
    (body(said("user", " ")), "non-whitespace"),
    (body(said("user", USE)), "unexpected 'tool_use'"),
    (body(said("user", "a"), said("assistant", RESULT)), "unexpected 'tool_result'"),
    (body(said("user", {"type": "image", "source": {"type": "url", "url": "gs://x"}})), "url"),
    (
        body(
            said(
                "user",
                {
                    "type": "image",
                    "source": {"type": "base64", "media_type": "image/tiff", "data": ""},
                },
            )
        ),
        "media_type",
    ),
    (
        body(said("user", "a"), said("assistant", USE), said("user", "b"), tools=[TOOL]),
        "without `tool_result` blocks",
    ),
    (
        body(said("user", "a"), said("assistant", USE), said("user", "b", RESULT), tools=[TOOL]),
        "without `tool_result` blocks",
    ),
    (body(said("user", RESULT)), "unexpected `tool_use_id`"),
    (
        body(said("user", "a"), said("assistant", "b"), said("user", RESULT)),
        "unexpected `tool_use_id`",
    ),
    (body(said("user", "a"), said("assistant", USE), said("user", RESULT)), "must define tools"),
    (
        body(
            said("user", "a"),
            said("assistant", {**USE, "id": "a:b"}),
            said("user", {**RESULT, "tool_use_id": "a:b"}),
            tools=[TOOL],
        ),
        "id and name",
    ),
    (body(said("user", "a"), said("assistant", "b ")), "trailing whitespace"),
    (body(said("user", "a"), said("assistant", "b"), model=NEW), "does not support assistant"),
    (body(said("user", "a"), said("assistant", "b"), **BUDGET), "Prefill is not supported"),
    (
        body(said("user", "a"), said("assistant", "b"), **format(SCHEMA)),
        "Prefill is not supported",
    ),
    (
        body(
            said("user", "a"), said("assistant", USE), said("user", RESULT), tools=[TOOL], **BUDGET
        ),
        "must start with a thinking block",
    ),
    (
        body(
            said("user", "a"),
            said("assistant", {"type": "thinking", "thinking": "x", "signature": "y"}, "b"),
            said("user", "c"),
        ),
        "Invalid `signature`",
    ),
    (body(model=NEW, thinking={"type": "disabled"}), "not supported for this model"),
    (body(model=NEW, thinking={"type": "adaptive", "block_binding": {}}), "block_binding"),
    (body(thinking={"type": "enabled", "budget_tokens": 99}), "budget_tokens"),
    (body(tools=[TOOL], tool_choice={"type": "any"}, **BUDGET), "forces tool use"),
    (body(tools=[TOOL], tool_choice={"type": "any"}, model=NEW), "forced tool use"),
    (body(tool_choice={"type": "auto"}), "while providing tools"),
    (body(tools=[TOOL], tool_choice={"type": "tool", "name": "g"}), "not found"),
    (body(tools=[TOOL, TOOL]), "unique"),
    (body(tools=[{**TOOL, "name": "a.b"}]), "unique and match"),
    (body(tools=[{"name": "f", "input_schema": {}}]), "Field required"),
    (body(tools=[{**TOOL, "strict": True}]), "additionalProperties"),
    (body(temperature=0.5, top_p=0.5), "not supported"),
    (body(temperature=0.5, model=MID), "not supported"),
    (body(top_k=5, model=MID), "not supported"),
    (body(temperature=1.5), "range"),
    (body(temperature=0.5, **BUDGET), "may not be set"),
    (body(stop_sequences=[" "]), "stop_sequences"),
    (body(output_config={"effort": "huge"}), "effort"),
    (body(**format({"type": "object"})), "additionalProperties"),
    (body(**format({**SCHEMA, "properties": {"a": {"minimum": 1}}})), "'minimum'"),
    (body(model="claude-3-haiku-20240307", **format(SCHEMA)), "output_config.format"),
    (
        body(said("user", *[text("a", cache_control={"type": "ephemeral"}) for _ in range(5)])),
        "maximum of 4",
    ),
    (body(said("user", text("a", cache_control={"type": "x"}))), "unknown form"),
]


@pytest.mark.parametrize("given", GOOD)
def test_what_is_right_is_taken(given: dict[str, Any]):
    check(given, HEADERS, Signatures())


@pytest.mark.parametrize(("given", "words"), BAD)
def test_what_breaks_a_rule_is_refused_in_words(given: dict[str, Any], words: str):
    with pytest.raises(Refusal) as refused:
        check(given, HEADERS, Signatures())
    assert words in refused.value.message


def test_a_request_says_which_version_it_means():
    with pytest.raises(Refusal, match="anthropic-version"):
        check(body(), {}, Signatures())


def test_a_signature_stands_for_one_model_one_thought_and_one_place():
    signatures = Signatures()
    signed = signatures.sign(NEW, "hm", "before")
    signatures.check(NEW, signed, "hm")
    assert signatures.stands(signed, "before")
    assert not signatures.stands(signed, "other")
    for model, thought in ((OLD, "hm"), (NEW, "ho")):
        with pytest.raises(Refusal, match="Invalid"):
            signatures.check(model, signed, thought)
