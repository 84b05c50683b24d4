"""Parts of function calls, in every form servers send them, become calls in order."""

from typing import Any

import msgspec
import pytest

from interplay.contracts.model import TurnEnd
from interplay.plugins.models.openai_compatible.calls import Calls
from interplay.plugins.models.openai_compatible.chunks import CallPart
from interplay.plugins.models.remote.faults import Garbled
from interplay.testing.pieces import said
from interplay.wire.deltas import ArgumentsDelta


def part(name: str | None = None, arguments: Any = None, **fields: Any) -> CallPart:
    function = {"name": name, "arguments": arguments}
    return msgspec.convert({"function": function, **fields}, CallPart)


def assembled(*parts: CallPart, taken: set[str] | None = None) -> list[tuple[str, str, dict]]:
    """(id, name, arguments) of every call the parts make."""
    calls = Calls(lambda: set(taken or ()))
    pieces: list[Any] = []
    for one in parts:
        calls.add(one, pieces)
    calls.end(pieces)
    whole = said([*pieces, TurnEnd(reason="calls" if calls.opened else "stop")])
    return [(call.id, call.name, call.arguments) for call in whole.calls]


def test_arguments_in_many_parts_are_passed_on_as_they_come():
    calls, pieces = Calls(set), []
    calls.add(part("f", "", index=0, id="a"), pieces)
    calls.add(part(None, '{"x"', index=0), pieces)
    calls.add(part(None, ": 1}", index=0), pieces)
    assert pieces[1:] == [ArgumentsDelta('{"x"'), ArgumentsDelta(": 1}")]


def test_a_call_in_one_part_is_whole():
    assert assembled(part("f", '{"x": 1}', index=0, id="a")) == [("a", "f", {"x": 1})]


def test_calls_side_by_side_keep_their_order_and_arguments():
    assert assembled(
        part("f", "", index=0, id="a"),
        part(None, '{"x": 1}', index=0),
        part("g", "", index=1, id="b"),
        part(None, '{"y": 2}', index=1),
    ) == [("a", "f", {"x": 1}), ("b", "g", {"y": 2})]


def test_calls_whose_parts_are_mixed_are_told_apart():
    assert assembled(
        part("f", '{"x":', index=0, id="a"),
        part("g", '{"y":', index=1, id="b"),
        part(None, "1}", index=0),
        part(None, "2}", index=1),
        part("h", "{}", index=2, id="c"),
    ) == [("a", "f", {"x": 1}), ("b", "g", {"y": 2}), ("c", "h", {})]


def test_a_call_without_arguments_before_another_is_kept():
    found = assembled(part("f", "", index=0, id="a"), part("g", '{"y": 2}', index=1, id="b"))
    assert found == [("a", "f", {}), ("b", "g", {"y": 2})]


def test_calls_without_an_index_are_told_apart_by_their_ids():
    assert assembled(
        part("f", '{"x":', id="a"), part(None, "1}", id="a"), part("g", "{}", id="b")
    ) == [("a", "f", {"x": 1}), ("b", "g", {})]


def test_calls_with_neither_index_nor_id_are_told_apart_by_their_names():
    found = assembled(part("f", '{"x": 1}'), part("f", '{"x": 2}'))
    assert [(name, arguments) for _, name, arguments in found] == [
        ("f", {"x": 1}),
        ("f", {"x": 2}),
    ]


def test_different_calls_under_one_index_are_told_apart():
    assert assembled(
        part("f", '{"x": 1}', index=0, id="a"), part("f", '{"x": 2}', index=0, id="b")
    ) == [("a", "f", {"x": 1}), ("b", "f", {"x": 2})]


def test_whole_calls_under_one_index_without_ids_are_told_apart():
    found = assembled(part("f", '{"x": 1}', index=0), part("g", '{"x": 2}', index=0))
    assert [name for _, name, _ in found] == ["f", "g"]


def test_an_id_and_name_repeated_with_every_part_make_one_call():
    assert assembled(
        part("get_it", '{"x":', index=0, id="a"),
        part("get_it", " 1", index=0, id="a"),
        part("get_it", "}", index=0, id="a"),
        part("get_it", "", index=0, id="a"),
    ) == [("a", "get_it", {"x": 1})]


def test_a_name_may_come_after_the_arguments_began():
    assert assembled(
        part(None, '{"x":', index=0, id="a"), part("late", "", index=0), part(None, "1}", index=0)
    ) == [("a", "late", {"x": 1})]


def test_a_name_may_come_in_parts():
    assert assembled(
        part("get_", "", index=0, id="a"), part("it", "", index=0), part(None, "{}", index=0)
    ) == [("a", "get_it", {})]


def test_missing_and_repeated_ids_are_replaced_by_fresh_ones():
    found = assembled(
        part("f", "{}", index=0),
        part("f", "{}", index=1, id=""),
        part("f", "{}", index=2, id="same"),
        part("f", "{}", index=3, id="same"),
        part("f", "{}", index=4, id="old"),
        taken={"old"},
    )
    ids = [id for id, _, _ in found]
    assert len(set(ids)) == 5
    assert "same" in ids
    assert "old" not in ids
    fresh = [id for id in ids if id != "same"]
    assert all(len(id) == 8 and id.isalnum() and id == id.lower() for id in fresh)


@pytest.mark.parametrize("arguments", [None, "", "null", {}])
def test_no_arguments_are_an_empty_object(arguments: Any):
    assert assembled(part("f", arguments, index=0, id="a")) == [("a", "f", {})]


def test_arguments_as_an_object_are_taken():
    assert assembled(part("f", {"x": [1]}, index=0, id="a")) == [("a", "f", {"x": [1]})]


def test_an_empty_part_makes_no_call():
    assert assembled(CallPart(index=0)) == []


def test_a_call_that_is_never_named_is_garbage():
    with pytest.raises(Garbled, match="without naming"):
        assembled(part(None, "{}", index=0))


def test_whitespace_after_the_end_of_a_call_is_dropped_and_words_are_garbage():
    calls, pieces = Calls(set), []
    calls.add(part("f", "{}", index=0, id="a"), pieces)
    calls.add(part("g", "{}", index=1, id="b"), pieces)
    calls.add(part(None, "\n", index=0), pieces)
    with pytest.raises(Garbled, match="after their end"):
        calls.add(part(None, "x", index=0), pieces)
