"""Chunks become text, thoughts, calls and an end, in legal order."""

from typing import Any

import pytest

from interplay.contracts.model import Turn
from interplay.plugins.models.openai_compatible.chunks import chunk_format
from interplay.plugins.models.openai_compatible.config import Dialect
from interplay.plugins.models.openai_compatible.reader import Reader
from interplay.plugins.models.remote import signature
from interplay.plugins.models.remote.faults import Server
from interplay.testing.pieces import Said, said
from interplay.wire.deltas import (
    ArgumentsDelta,
    ImageDelta,
    TextDelta,
    ThoughtSignatureDelta,
    ThoughtSummaryDelta,
)
from interplay.wire.steps import FunctionCallStep
from tests.plugins.models.openai_compatible.upstream import calls, chunk, event, text

ORIGIN = "openai_compatible/m"
CALL = calls({"index": 0, "id": "a", "function": {"name": "f", "arguments": "{}"}})


def pieces(*chunks: bytes, summaries: bool = True, **dialect: Any) -> list[Any]:
    """The pieces of these chunks."""
    spoken = Dialect(**dialect)
    format = chunk_format(spoken.reasoning_fields)
    turn = Turn(model="m", steps=[], thinking_summaries=summaries)
    reader = Reader(turn, spoken, format.thoughts, Server(where="here"), ORIGIN)
    found: list[Any] = []
    for one in chunks:
        found += reader.read(format.decoder.decode(one.removeprefix(b"data: ")))
    return found + reader.end()


def read(*chunks: bytes, **options: Any) -> Said:
    return said(pieces(*chunks, **options))


def kinds(found: list[Any]) -> list[str]:
    return [type(piece).__name__ for piece in found]


def signed(found: list[Any]) -> signature.Signed | None:
    last = [piece for piece in found if isinstance(piece, ThoughtSignatureDelta)][-1]
    return signature.read(last.signature, ORIGIN)


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
def test_thoughts_come_before_the_text_and_end_with_a_signature(field: str):
    found = pieces(chunk({field: "hm"}), chunk({field: "!", "content": ""}), text("yes"))
    assert kinds(found) == [
        "ThoughtSummaryDelta",
        "ThoughtSummaryDelta",
        "ThoughtSignatureDelta",
        "TextDelta",
        "TurnEnd",
    ]
    assert said(found).thought == "hm!"


def test_without_summaries_a_thought_is_its_signature_alone():
    found = pieces(chunk({"reasoning": "hm"}), text("yes"), summaries=False)
    assert kinds(found) == ["ThoughtSignatureDelta", "TextDelta", "TurnEnd"]


def test_the_same_thought_in_two_fields_is_taken_once():
    assert read(chunk({"reasoning": "hm", "reasoning_content": "hm"})).thought == "hm"


def test_a_field_of_the_operators_choice_holds_thoughts():
    found = read(chunk({"inner": "hm"}), text("yes"), reasoning_fields=("inner",))
    assert (found.thought, found.text) == ("hm", "yes")


def test_a_signature_holds_the_thought_only_where_it_must_go_back():
    chunks = (chunk({"reasoning_content": "hm"}), chunk({"reasoning_content": "m"}), text("yes"))
    kept = signed(pieces(*chunks, reasoning_back="text", summaries=False))
    assert kept is not None
    assert kept.text == "hmm"
    plain = signed(pieces(*chunks))
    assert plain is not None
    assert plain.text == ""


def test_details_of_a_thought_are_put_together_for_the_way_back():
    first = {"type": "reasoning.text", "index": 0, "text": "h", "signature": None}
    more = {"type": "reasoning.text", "index": 0, "text": "m", "signature": "sig"}
    other = {"type": "reasoning.encrypted", "index": 1, "data": "xyz"}
    found = pieces(
        chunk({"reasoning_details": [first]}),
        chunk({"reasoning_details": [more]}),
        chunk({"reasoning_details": [other]}),
        text("yes"),
        reasoning_back="details",
    )
    kept = signed(found)
    assert kept is not None
    assert kept.details == [
        {"type": "reasoning.text", "index": 0, "text": "hm", "signature": "sig"},
        other,
    ]
    assert said(found).thought == "hm"


def test_a_thought_after_text_is_a_new_thought():
    found = pieces(chunk({"reasoning": "a"}), text("b"), chunk({"reasoning": "c"}), text("d"))
    assert len([piece for piece in found if isinstance(piece, ThoughtSignatureDelta)]) == 2


def test_a_thought_alone_still_ends_with_its_signature():
    assert kinds(pieces(chunk({"reasoning": "a"})))[-2:] == ["ThoughtSignatureDelta", "TurnEnd"]


def test_content_in_parts_is_read():
    thinking = {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}
    found = read(
        chunk({"content": [thinking]}), chunk({"content": [{"type": "text", "text": "y"}]})
    )
    assert (found.thought, found.text) == ("hm", "y")


def test_a_refusal_is_said():
    assert read(chunk({"refusal": "I will not."})).text == "I will not."


def test_images_are_passed_on():
    urls = ["data:image/png;base64,AAAA", "https://x.example/a.png"]
    images = [{"type": "image_url", "image_url": {"url": url}} for url in urls]
    found = pieces(text("look"), chunk({"content": "", "images": images}))
    assert found[1:3] == [ImageDelta(data="AAAA", mime_type="image/png"), ImageDelta(uri=urls[1])]


def test_other_choices_than_the_first_are_passed_over():
    other = {"choices": [{"index": 1, "delta": {"content": "no"}, "finish_reason": "length"}]}
    found = read(event(other), text("yes"), chunk({}, "stop"))
    assert (found.text, found.end.reason) == ("yes", "stop")


def test_a_role_and_empty_text_are_no_piece():
    assert kinds(pieces(chunk({"role": "assistant", "content": ""}), event({}))) == ["TurnEnd"]


@pytest.mark.parametrize(
    ("finish", "reason"),
    [
        ("stop", "stop"),
        ("eos", "stop"),
        ("length", "length"),
        ("max_tokens", "length"),
        ("content_filter", "blocked"),
        ("tool_calls", "stop"),
        ("something_new", "stop"),
        (None, "stop"),
    ],
)
def test_finish_reasons_without_calls(finish: str | None, reason: str):
    end = read(text("x"), chunk({}, finish)).end
    assert end.reason == reason
    assert end.code == ("safety" if reason == "blocked" else None)


def test_an_unknown_finish_reason_is_named():
    assert "something_new" in (read(chunk({}, "something_new")).end.message or "")


@pytest.mark.parametrize("finish", ["tool_calls", "function_call", "stop", None])
def test_a_turn_with_calls_ends_with_calls_whatever_the_server_says(finish: str | None):
    assert read(CALL, chunk({}, finish)).end.reason == "calls"


def test_the_old_function_call_is_a_call():
    found = read(
        chunk({"function_call": {"name": "f", "arguments": ""}}),
        chunk({"function_call": {"arguments": '{"x": 1}'}}),
        chunk({}, "function_call"),
    )
    assert [(call.name, call.arguments) for call in found.calls] == [("f", {"x": 1})]


def test_text_between_the_parts_of_a_call_waits_for_its_end():
    found = pieces(
        calls({"index": 0, "id": "a", "function": {"name": "f", "arguments": '{"x":'}}),
        text("meanwhile"),
        calls({"index": 0, "function": {"arguments": "1}"}}),
    )
    assert [type(piece) for piece in found[:4]] == [
        FunctionCallStep,
        ArgumentsDelta,
        ArgumentsDelta,
        TextDelta,
    ]


def test_text_after_a_whole_call_comes_at_once_and_blanks_are_dropped():
    found = pieces(CALL, text("\n"), text("then"))
    assert kinds(found) == ["FunctionCallStep", "ArgumentsDelta", "TextDelta", "TurnEnd"]
    assert kinds(pieces(CALL, text("\n"))) == ["FunctionCallStep", "ArgumentsDelta", "TurnEnd"]


def test_a_thought_before_a_call_is_signed_before_it():
    found = pieces(chunk({"reasoning": "hm"}), CALL)
    assert kinds(found)[:3] == ["ThoughtSummaryDelta", "ThoughtSignatureDelta", "FunctionCallStep"]
    assert isinstance(found[0], ThoughtSummaryDelta)
