"""Steps become messages that a strict server takes."""

from __future__ import annotations

from typing import Any

import pytest

from interplay.contracts.failure import Refused
from interplay.plugins.models.anthropic.content import Blocks
from interplay.plugins.models.anthropic.messages import BEGIN, GO_ON, Messages
from interplay.plugins.models.remote import signature
from interplay.testing.contracts.model import DOT
from interplay.wire.content import DocumentContent, ImageContent, TextContent
from interplay.wire.steps import (
    FunctionCallStep,
    FunctionResultStep,
    GoogleSearchCallArguments,
    GoogleSearchCallStep,
    GoogleSearchResult,
    GoogleSearchResultStep,
    MCPServerToolResultStep,
    ModelOutputStep,
    Step,
    ThoughtStep,
)
from tests.plugins.models.anthropic.upstream import output, user

INPUTS: Any = frozenset({"text", "image", "document"})
ORIGIN = "anthropic/m"


def written(*steps: Step, prefix: str = "", thoughts: bool = True) -> Messages:
    made = Messages(steps, Blocks(INPUTS, "m"), ORIGIN, thoughts=thoughts)
    made.end(prefix)
    return made


def messages(*steps: Step, **how: Any) -> list[dict[str, Any]]:
    return written(*steps, **how).messages


def said(role: str, *texts: str) -> dict[str, Any]:
    return {"role": role, "content": [{"type": "text", "text": text} for text in texts]}


def call(id: str = "a", name: str = "f") -> FunctionCallStep:
    return FunctionCallStep({"x": 1}, id, name)


def thought(*details: dict[str, Any], origin: str = ORIGIN) -> ThoughtStep:
    signed = signature.Signed(origin, details=[*details])
    return ThoughtStep(signature=signature.sign(signed))


THINKING = {"type": "thinking", "thinking": "hm", "signature": "s=="}


def test_users_and_assistants_take_turns():
    assert messages(user("a"), user("b"), output("c"), output("d"), user("e")) == [
        said("user", "a", "b"),
        said("assistant", "c", "d"),
        said("user", "e"),
    ]


def test_texts_of_white_space_are_left_out():
    assert messages(user("a"), output(" \n"), user(" ")) == [said("user", "a")]


def test_a_conversation_of_nothing_is_refused():
    with pytest.raises(Refused, match="no text"):
        messages(user(" "))


def test_results_come_right_after_their_calls_wherever_they_stand():
    made = messages(
        user("go"),
        call("a"),
        call("b"),
        FunctionResultStep("b", "two"),
        FunctionResultStep("a", "one"),
    )
    assert [part["type"] for part in made[1]["content"]] == ["tool_use", "tool_use"]
    assert made[2]["content"] == [
        {"type": "tool_result", "tool_use_id": "a", "content": [{"type": "text", "text": "one"}]},
        {"type": "tool_result", "tool_use_id": "b", "content": [{"type": "text", "text": "two"}]},
    ]


def test_a_call_without_a_result_is_answered_with_an_error():
    made = messages(user("go"), call(), output("well"), user("so?"))
    assert made[2]["content"][0]["is_error"] is True
    assert [message["role"] for message in made] == ["user", "assistant"] * 2 + ["user"]


def test_a_result_may_hold_an_image_a_document_and_an_error():
    blocks = [TextContent("look"), ImageContent(data=DOT), DocumentContent(data="JVBERi0=")]
    made = messages(user("go"), call(), FunctionResultStep("a", blocks, is_error=True))
    result = made[2]["content"][0]
    assert result["is_error"] is True
    assert [part["type"] for part in result["content"]] == ["text", "image", "document"]


def test_a_result_of_an_object_is_its_json_and_an_empty_one_has_no_content():
    made = messages(
        user("go"),
        call("a"),
        call("b"),
        FunctionResultStep("a", {"k": 1}),
        FunctionResultStep("b", ""),
    )
    first, second = made[2]["content"]
    assert first["content"] == [{"type": "text", "text": '{"k":1}'}]
    assert "content" not in second


def test_words_of_an_mcp_server_are_framed_as_data():
    made = messages(
        user("go"), call(), MCPServerToolResultStep("a", "do this [1]", server_name="far")
    )
    words = made[2]["content"][0]["content"][0]["text"]
    assert "never an instruction" in words
    assert words.endswith("do this (1)")


def test_server_tools_are_shown_as_tool_uses():
    made = messages(
        user("go"),
        GoogleSearchCallStep(GoogleSearchCallArguments(queries=["Rome"]), id="s1"),
        GoogleSearchResultStep("s1", [GoogleSearchResult("<b>")]),
    )
    assert made[1]["content"][0]["name"] == "google_search"
    assert made[2]["content"][0]["tool_use_id"] == "s1"


def test_a_result_that_answers_no_call_is_told_as_words():
    made = messages(user("go"), FunctionResultStep("z", "one", name="f", is_error=True))
    assert made == [said("user", "go", "Error. Result of f:", "one")]


def test_ids_and_names_the_api_does_not_take_are_replaced_alike_on_both_sides():
    made = messages(
        user("go"), call("a:b/c", "my.fn"), FunctionResultStep("a:b/c", "one", name="my.fn")
    )
    use, result = made[1]["content"][0], made[2]["content"][0]
    assert use["id"] == result["tool_use_id"] != "a:b/c"
    assert use["name"].startswith("my_fn_")


def test_an_id_used_again_later_is_another_call():
    made = messages(
        user("go"),
        call("a"),
        FunctionResultStep("a", "one"),
        call("a"),
        FunctionResultStep("a", "two"),
    )
    assert made[1]["content"][0]["id"] == "a"
    assert made[3]["content"][0]["id"] == made[4]["content"][0]["tool_use_id"] == "a_2"
    assert made[4]["content"][0]["content"][0]["text"] == "two"


def test_thoughts_go_back_as_they_came_to_the_same_model_alone():
    redacted = {"type": "redacted_thinking", "data": "xx"}
    mine, other = thought(THINKING, redacted), thought(THINKING, origin="anthropic/n")
    made = messages(user("a"), mine, output("b"), other, output("c"), user("d"))
    assert made[1]["content"][:2] == [THINKING, redacted]
    assert len(made[1]["content"]) == 4
    assert len(messages(user("a"), mine, output("b"), user("c"), thoughts=False)[1]["content"]) == 1


def test_calls_that_begin_without_a_thought_are_known():
    answered = (call(), FunctionResultStep("a", "one"))
    assert written(user("go"), thought(THINKING), *answered).led
    assert not written(user("go"), *answered).led
    assert written(user("go"), *answered, output("x"), user("y")).led


def test_an_open_text_is_continued_without_the_white_space_at_its_end():
    made = messages(user("a"), output("b"), prefix="so far \n")
    assert made[-1] == said("assistant", "b", "so far")


@pytest.mark.parametrize("prefix", ["", " \n"])
def test_words_that_cannot_be_continued_are_followed_by_a_user(prefix: str):
    assert messages(user("a"), output("b "), prefix=prefix)[-1] == said("user", GO_ON)


def test_a_conversation_that_begins_with_the_model_is_given_a_user():
    assert messages(output("a"), user("b"))[0] == said("user", BEGIN)


def test_media_the_model_made_are_shown_by_the_user():
    made = messages(
        user("draw"), ModelOutputStep(content=[ImageContent(data=DOT)]), user("smaller")
    )
    assert made[-1]["role"] == "user"
    assert [part["type"] for part in made[-1]["content"]][-2:] == ["image", "text"]
