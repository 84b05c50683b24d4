"""Every form of `input`, and the contents and steps it becomes."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from interplay.interactions.dialect_input import steps_input
from interplay.wire.content import Content
from interplay.wire.steps import Step

CALL = {"type": "function_call", "id": "c1", "name": "f", "arguments": {"a": 1}}
RESULT = {"type": "function_result", "call_id": "c1", "result": "done"}
THOUGHT = {"type": "thought", "signature": "c2ln"}
IMAGE = {"type": "image", "data": "aGk=", "mime_type": "image/png"}


def text(said: str) -> dict[str, Any]:
    return {"type": "text", "text": said}


def user(*blocks: Any) -> dict[str, Any]:
    return {"type": "user_input", "content": list(blocks)}


def model(*blocks: Any) -> dict[str, Any]:
    return {"type": "model_output", "content": list(blocks)}


def read(given: Any) -> Any:
    """The rewritten input, which must decode."""
    rewritten = steps_input(given)
    msgspec.convert(rewritten, str | Content | Step | list[Content | Step])
    return rewritten


@pytest.mark.parametrize("given", ["Hello", text("Hello"), user(text("Hello")), [CALL, RESULT]])
def test_what_is_current_already_stays_as_it_is(given: Any):
    assert read(given) == given


def test_a_list_of_contents_stays_a_list_of_contents():
    assert read([text("a"), IMAGE]) == [text("a"), IMAGE]


def test_a_list_of_strings_becomes_texts():
    assert read(["a", "b"]) == [text("a"), text("b")]


def test_one_turn_alone_becomes_one_step():
    assert read({"role": "user", "content": "Hi"}) == user(text("Hi"))


@pytest.mark.parametrize("role", ["model", "assistant"])
def test_turns_become_steps_of_their_role(role: str):
    turns = [
        {"role": "user", "content": "Hi"},
        {"role": role, "content": text("Hello")},
        {"role": "user", "content": [text("And"), IMAGE]},
    ]
    assert read(turns) == [user(text("Hi")), model(text("Hello")), user(text("And"), IMAGE)]


def test_calls_results_and_thoughts_inside_turns_become_steps_in_their_order():
    turns = [
        {"role": "model", "content": [THOUGHT, text("a"), CALL, text("b")]},
        {"role": "user", "content": [RESULT, text("c")]},
    ]
    assert read(turns) == [
        THOUGHT,
        model(text("a")),
        CALL,
        model(text("b")),
        RESULT,
        user(text("c")),
    ]


def test_an_empty_turn_leaves_nothing_behind():
    turns = [{"role": "model", "content": []}, {"role": "user", "content": "Hi"}]
    assert read(turns) == [user(text("Hi"))]


@pytest.mark.requirement("input:mixed")
def test_contents_between_steps_and_turns_join_into_one_user_input():
    mixture = [text("a"), IMAGE, {"role": "model", "content": "b"}, "c", text("d"), CALL, RESULT]
    assert read(mixture) == [
        user(text("a"), IMAGE),
        model(text("b")),
        user(text("c"), text("d")),
        CALL,
        RESULT,
    ]


def test_a_user_input_of_its_own_is_not_joined_with_its_neighbours():
    assert read([user(text("a")), text("b"), user(text("c"))]) == [
        user(text("a")),
        user(text("b")),
        user(text("c")),
    ]


@pytest.mark.parametrize("content", ["Hi", text("Hi"), ["Hi"], {"text": "Hi"}])
def test_the_content_of_a_message_may_be_one_block_or_a_string(content: Any):
    assert read([{"type": "user_input", "content": content}]) == [user(text("Hi"))]


def test_a_function_result_inside_a_user_input_becomes_its_own_step():
    given = [user(text("before"), RESULT, text("after"))]
    assert read(given) == [user(text("before")), RESULT, user(text("after"))]


def test_an_error_of_a_model_output_stays_with_its_first_part():
    step = {**model(text("a"), CALL, text("b")), "error": {"code": 3}}
    first, _, last = read([step])
    assert first["error"] == {"code": 3}
    assert "error" not in last


@pytest.mark.parametrize(
    ("block", "kind"),
    [
        ({"text": "Hi"}, "text"),
        ({"data": "aGk=", "mime_type": "image/png"}, "image"),
        ({"uri": "https://example.com/a", "mime_type": "audio/wav"}, "audio"),
        ({"uri": "https://example.com/a", "mime_type": "video/mp4"}, "video"),
        ({"data": "aGk=", "mime_type": "application/pdf"}, "document"),
        ({"type": None, "text": "Hi"}, "text"),
    ],
)
def test_a_missing_type_is_read_from_the_block(block: dict[str, Any], kind: str):
    assert read([block])[0]["type"] == kind


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        ("text", "text"),
        ({"celsius": 21}, {"celsius": 21}),
        (4, "4"),
        (2.5, "2.5"),
        (True, "true"),
        (None, "null"),
        ([], []),
        ([1, "a", None], '[1, "a", null]'),
        ([{"city": "Zürich"}], '[{"city": "Zürich"}]'),
        ([text("a"), IMAGE], [text("a"), IMAGE]),
        ([{"text": "a"}], [text("a")]),
        (["a", IMAGE, {"b": 1}], [text("a"), IMAGE, text('{"b": 1}')]),
        ({"items": ["a", IMAGE]}, [text("a"), IMAGE]),
        ({"items": ["a", "b"]}, {"items": ["a", "b"]}),
        ({"items": [IMAGE], "more": 1}, {"items": [IMAGE], "more": 1}),
    ],
)
def test_a_function_may_answer_with_any_json(result: Any, expected: Any):
    [step] = read([{**RESULT, "result": result}])
    assert step["result"] == expected


@pytest.mark.parametrize(
    ("arguments", "expected"), [('{"a": 1}', {"a": 1}), ("", {}), (None, {}), ({"a": 1}, {"a": 1})]
)
def test_arguments_may_be_json_in_a_string(arguments: Any, expected: Any):
    assert read([{**CALL, "arguments": arguments}]) == [{**CALL, "arguments": expected}]


def test_arguments_that_are_no_json_stay_for_the_fault_to_be_explained():
    given = [{**CALL, "arguments": "{broken"}]
    assert steps_input(given) == given


@pytest.mark.parametrize(
    ("summary", "expected"),
    [
        ("why", [text("why")]),
        (text("why"), [text("why")]),
        ({"items": [text("why")]}, [text("why")]),
        ([text("why")], [text("why")]),
        (None, None),
    ],
)
def test_a_thoughts_summary_in_every_old_form(summary: Any, expected: Any):
    assert read([{**THOUGHT, "summary": summary}])[0]["summary"] == expected


def test_the_first_sdks_citations_become_url_citations():
    old = {"start_index": 0, "end_index": 2, "source": "https://example.com"}
    both = {"type": "url_citation", "url": "https://example.com", "source": "https://example.com"}
    [block] = read([{**text("Hi"), "annotations": [old, both]}])
    assert block["annotations"] == [
        {"type": "url_citation", "url": "https://example.com", "start_index": 0, "end_index": 2},
        {"type": "url_citation", "url": "https://example.com"},
    ]


def test_results_of_server_tools_lose_what_the_current_schema_does_not_have():
    search = {"rendered_content": "<p>", "title": "t", "url": "u"}
    steps = read(
        [
            {"type": "google_search_result", "call_id": "a", "result": [search]},
            {"type": "file_search_result", "call_id": "b", "result": [{"text": "t"}]},
            {"type": "code_execution_result", "call_id": "c", "result": None},
        ]
    )
    assert [step.get("result") for step in steps] == [[{"search_suggestions": "<p>"}], None, ""]


@pytest.mark.parametrize(
    "strange",
    [
        {"role": "system", "content": "Hi"},
        {"role": "user"},
        {"role": "user", "content": "Hi", "name": "Phil"},
        {"role": ["user"], "content": "Hi"},
        {"type": "txt", "text": "Hi"},
        {"type": ["text"]},
        {"type": "user_input", "content": [user(text("Hi"))]},
        7,
        None,
    ],
)
def test_what_is_not_understood_stays_as_it_is_where_it_stood(strange: Any):
    assert steps_input([text("a"), text("b"), strange]) == [text("a"), text("b"), strange]
    assert steps_input(strange) == strange
