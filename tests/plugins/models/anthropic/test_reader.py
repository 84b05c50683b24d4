"""Events become pieces; what the API does not send is told."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from interplay.contracts.failure import Failure
from interplay.plugins.models.anthropic.chunks import Event
from interplay.plugins.models.anthropic.reader import Reader
from interplay.plugins.models.remote import signature
from interplay.plugins.models.remote.faults import Garbled, Server
from interplay.testing.pieces import Said, said
from interplay.wire.deltas import ArgumentsDelta, TextDelta, ThoughtSignatureDelta
from interplay.wire.steps import FunctionCallStep
from tests.plugins.models.anthropic.upstream import turn, user

START = {"type": "message_start", "message": {"usage": {"input_tokens": 3, "output_tokens": 1}}}


def stop(reason: str = "end_turn", **fields: Any) -> dict[str, Any]:
    return {"type": "message_delta", "delta": {"stop_reason": reason, **fields}}


def block(index: int, begun: dict[str, Any], *deltas: dict[str, Any]) -> list[dict[str, Any]]:
    events: list[Any] = [{"type": "content_block_start", "index": index, "content_block": begun}]
    events += [{"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas]
    return [*events, {"type": "content_block_stop", "index": index}]


def text(index: int, *words: str) -> list[dict[str, Any]]:
    deltas = [{"type": "text_delta", "text": word} for word in words]
    return block(index, {"type": "text", "text": ""}, *deltas)


def thought(index: int, words: str, signed: str = "s==") -> list[dict[str, Any]]:
    return block(
        index,
        {"type": "thinking", "thinking": "", "signature": "", "extra": 1},
        {"type": "thinking_delta", "thinking": words},
        {"type": "signature_delta", "signature": signed},
    )


def use(index: int, name: str = "f", id: str = "t1", *parts: str, **more: Any) -> list[Any]:
    deltas = [{"type": "input_json_delta", "partial_json": part} for part in parts]
    return block(index, {"type": "tool_use", "id": id, "name": name, "input": {}, **more}, *deltas)


def pieces(
    *events: Any, names: dict[str, str] | None = None, steps: Any = (), **fields: Any
) -> list[Any]:
    reader = Reader(turn(*steps, **fields), Server(where="there"), "anthropic/m", names or {})
    made: list[Any] = []
    for event in msgspec.convert([START, *events], list[Event]):
        made += reader.read(event)
    return made + reader.end()


def whole(*events: Any, **how: Any) -> Said:
    return said(pieces(*events, **how))


def test_text_comes_as_it_is_sent():
    made = pieces(*text(0, "one", "", " two"), stop())
    assert made[:2] == [TextDelta("one"), TextDelta(" two")]
    assert made[-1].reason == "stop"


def test_thoughts_are_shown_when_asked_for_and_kept_whole_always():
    events = (*thought(0, "hm"), *block(1, {"type": "redacted_thinking", "data": "x"}))
    shown = whole(*events, *text(2, "so"), stop(), thinking_summaries=True)
    hidden = whole(*events, *text(2, "so"), stop())
    assert (shown.thought, hidden.thought) == ("hm", "")
    assert shown.signatures == hidden.signatures
    kept = signature.read(shown.signatures[0], "anthropic/m")
    assert kept is not None
    assert kept.details == [
        {"type": "thinking", "thinking": "hm", "signature": "s==", "extra": 1},
        {"type": "redacted_thinking", "data": "x"},
    ]
    assert signature.read(shown.signatures[0], "anthropic/n") is None


def test_a_signature_closes_its_thought_before_what_follows():
    made = pieces(*thought(0, "hm"), *use(1, "f", "t1", "{}"), stop("tool_use"))
    assert [type(piece) for piece in made[:3]] == [
        ThoughtSignatureDelta,
        FunctionCallStep,
        ArgumentsDelta,
    ]


def test_a_thought_alone_is_signed_at_the_end():
    assert len(whole(*thought(0, "hm"), stop("max_tokens")).signatures) == 1


def test_calls_come_one_after_the_other_with_their_arguments():
    made = whole(
        *text(0, "I look."),
        *use(1, "f", "t1", "", '{"a"', ":1}"),
        *use(2, "g", "t2"),
        *use(3, "h", "t3", input={"b": 2}),
        stop("tool_use"),
    )
    assert [(call.id, call.name, call.arguments) for call in made.calls] == [
        ("t1", "f", {"a": 1}),
        ("t2", "g", {}),
        ("t3", "h", {"b": 2}),
    ]
    assert made.end.reason == "calls"


def test_names_and_ids_are_the_callers_again():
    taken = FunctionCallStep({}, "t1", "f")
    made = whole(
        *use(0, "f_1", "t1", "{}"), stop("tool_use"), steps=[user("x"), taken], names={"f_1": "f.1"}
    )
    (call,) = made.calls
    assert call.name == "f.1"
    assert call.id != "t1"


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("pause_turn", "length"),
        ("tool_use", "stop"),
        ("refusal", "blocked"),
    ],
)
def test_every_reason_to_stop_has_its_meaning(reason: str, expected: str):
    assert whole(*text(0, "x"), stop(reason)).end.reason == expected


def test_a_refusal_says_why():
    why = {"type": "refusal", "category": "bio", "explanation": "Not this."}
    end = whole(stop("refusal", stop_details=why)).end
    assert (end.code, end.message) == ("safety", "The model refuses to answer: Not this.")


def test_a_reason_nobody_knows_is_told():
    assert "'tired'" in (whole(*text(0, "x"), stop("tired")).end.message or "")


@pytest.mark.parametrize(
    ("prefix", "words", "rest"),
    [
        ("so far", [" and on"], " and on"),
        ("so far ", [" and on"], "and on"),
        ("so far ", ["and on"], "and on"),
        ("so far\n", ["\n", "\n- x"], "\n- x"),
        ("so far\n\n", ["\n", "\n", "- x"], "- x"),
        ("so far ", ["\n- x"], "\n- x"),
    ],
)
def test_white_space_at_the_seam_is_not_said_twice(prefix: str, words: list[str], rest: str):
    assert whole(*text(0, *words), stop(), prefix=prefix).text == rest


def test_kinds_nobody_knows_are_passed_over():
    made = whole(
        {"type": "ping"},
        {"type": "news"},
        *block(0, {"type": "server_tool_use", "id": "x"}, {"type": "sparkle_delta"}),
        *block(1, {"type": "text", "text": "x"}, {"type": "citations_delta"}),
        stop(),
    )
    assert made.text == "x"


def test_usage_is_what_was_told_last():
    spent = {"output_tokens": 9, "output_tokens_details": {"thinking_tokens": 4}}
    usage = whole(*text(0, "x"), {**stop(), "usage": spent}).end.usage
    assert (usage.total_input_tokens, usage.total_output_tokens) == (3, 5)
    assert (usage.total_thought_tokens, usage.total_tokens) == (4, 12)


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("overloaded_error", "service_unavailable"),
        ("rate_limit_error", "too_many_requests"),
        ("invalid_request_error", "invalid_request"),
        ("timeout_error", "deadline_exceeded"),
        ("billing_error", "quota_exceeded"),
        ("news_error", "service_unavailable"),
    ],
)
def test_an_error_inside_the_stream_is_told_by_its_type(kind: str, code: str):
    with pytest.raises(Failure, match="it broke") as raised:
        pieces({"type": "error", "error": {"type": kind, "message": "it broke"}})
    assert raised.value.code == code


@pytest.mark.parametrize(
    "events",
    [
        [*text(0, "x")[:1], *text(1, "y")],
        [*text(0, "x")[1:]],
        [*text(0, "x")[:1], text(1, "y")[1]],
        use(0, ""),
        [{"type": "message", "content": []}],
        [{"type": "content_block_stop", "index": 0}],
    ],
)
def test_blocks_out_of_order_are_no_answer(events: Any):
    with pytest.raises(Garbled):
        pieces(*events)
