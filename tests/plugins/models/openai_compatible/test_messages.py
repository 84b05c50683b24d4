"""Steps become the messages of a chat."""

from typing import Any

import pytest

from interplay.contracts import shown
from interplay.interactions.sight import seen as seen_by
from interplay.plugins.models.openai_compatible.config import Dialect
from interplay.plugins.models.openai_compatible.content import Blocks
from interplay.plugins.models.openai_compatible.messages import Messages
from interplay.plugins.models.remote import signature
from interplay.wire.content import (
    ImageContent,
    TextContent,
)
from interplay.wire.steps import (
    CodeExecutionCallArguments,
    CodeExecutionCallStep,
    CodeExecutionResultStep,
    FileSearchCallStep,
    FileSearchResultStep,
    FunctionCallStep,
    FunctionResultStep,
    GoogleSearchCallArguments,
    GoogleSearchCallStep,
    GoogleSearchResult,
    GoogleSearchResultStep,
    MCPServerToolCallStep,
    MCPServerToolResultStep,
    ModelOutputStep,
    Step,
    ThoughtStep,
    URLContextCallArguments,
    URLContextCallStep,
    URLContextResult,
    URLContextResultStep,
    UserInputStep,
)

ORIGIN = "openai_compatible/m"
EVERYTHING = frozenset({"text", "image", "audio", "video", "document"})
PNG = "iVBORw0KGgo="


def messages(*steps: Step, inputs: Any = EVERYTHING, **dialect: Any) -> list[dict[str, Any]]:
    blocks = Blocks(frozenset(inputs), "m")
    return Messages(steps, Dialect(**dialect), blocks, ORIGIN).messages


def user(*content: Any) -> UserInputStep:
    return UserInputStep(content=[TextContent(c) if isinstance(c, str) else c for c in content])


def output(text: str) -> ModelOutputStep:
    return ModelOutputStep(content=[TextContent(text)])


def call(id: str, name: str = "f", **arguments: Any) -> FunctionCallStep:
    return FunctionCallStep(arguments=arguments, id=id, name=name)


def result(id: str, value: Any = "ok", **fields: Any) -> FunctionResultStep:
    return FunctionResultStep(call_id=id, result=value, **fields)


def tool_call(id: str, name: str = "f", arguments: str = "{}") -> dict[str, Any]:
    return {"id": id, "type": "function", "function": {"name": name, "arguments": arguments}}


def answers(found: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(m["tool_call_id"], m["content"]) for m in found if m["role"] == "tool"]


def test_text_is_sent_as_a_bare_text():
    assert messages(user("one", "two"), output("three")) == [
        {"role": "user", "content": "one\ntwo"},
        {"role": "assistant", "content": "three"},
    ]


def test_outputs_that_follow_each_other_are_one_message():
    assert messages(output("a"), output("b")) == [{"role": "assistant", "content": "a\nb"}]


def test_empty_steps_make_no_message():
    assert messages(UserInputStep(), ModelOutputStep(), user()) == []


def test_calls_and_results_are_grouped():
    found = messages(
        user("go"),
        output("let me see"),
        call("a", x=1),
        call("b", "g"),
        result("b", {"y": 2}),
        result("a"),
        output("done"),
    )
    assert found == [
        {"role": "user", "content": "go"},
        {
            "role": "assistant",
            "content": "let me see",
            "tool_calls": [tool_call("a", "f", '{"x":1}'), tool_call("b", "g")],
        },
        {"role": "tool", "tool_call_id": "a", "content": "ok"},
        {"role": "tool", "tool_call_id": "b", "content": '{"y":2}'},
        {"role": "assistant", "content": "done"},
    ]


def test_calls_answered_one_after_the_other_are_messages_of_their_own():
    found = messages(call("a"), result("a"), call("b"), result("b"))
    assert [m["role"] for m in found] == ["assistant", "tool", "assistant", "tool"]


def test_a_result_that_comes_late_stands_right_after_its_call():
    found = messages(call("a"), user("and?"), result("a"))
    assert [m["role"] for m in found] == ["assistant", "tool", "user"]


def test_a_call_without_a_result_gets_one_that_says_so():
    assert "no result" in answers(messages(call("a"), user("never mind")))[0][1]


def test_a_result_without_a_call_is_shown_to_the_model():
    found = messages(result("zz", "42", name="lost"))
    assert found == [{"role": "user", "content": "Result of lost: 42"}]


def test_an_error_stays_visible():
    found = messages(call("a"), result("a", "boom", is_error=True))
    assert answers(found) == [("a", "Error: boom")]


def test_images_in_a_result_follow_in_a_message_after_all_results():
    image = ImageContent(data=PNG, mime_type="image/png")
    found = messages(
        call("a"), call("b"), result("a", [TextContent("see"), image]), result("b", "ok")
    )
    assert [m["role"] for m in found] == ["assistant", "tool", "tool", "user"]
    assert answers(found) == [("a", "see"), ("b", "ok")]
    assert [part["type"] for part in found[-1]["content"]] == ["text", "image_url"]


def test_an_image_the_model_made_comes_back_as_something_it_sees():
    made = ModelOutputStep(content=[TextContent("here"), ImageContent(data=PNG)])
    found = messages(made)
    assert [m["role"] for m in found] == ["assistant", "user"]
    assert found[1]["content"][1]["type"] == "image_url"


def test_the_same_call_id_in_two_turns_is_told_apart():
    found = messages(call("0"), result("0", "one"), user("again"), call("0"), result("0", "two"))
    assert answers(found) == [("0", "one"), ("0_2", "two")]
    assert found[3]["tool_calls"][0]["id"] == "0_2"


def test_a_server_that_wants_short_ids_is_given_them_in_both_places():
    found = messages(call("a_long_call_id"), result("a_long_call_id"), call_id_length=9)
    id = found[0]["tool_calls"][0]["id"]
    assert len(id) == 9
    assert id.isalnum()
    assert answers(found)[0][0] == id


def test_server_tools_are_shown_as_functions():
    found = messages(
        GoogleSearchCallStep(GoogleSearchCallArguments(queries=["Rome"]), id="a"),
        GoogleSearchResultStep("a", [GoogleSearchResult("Rome is in Italy")]),
        CodeExecutionCallStep(CodeExecutionCallArguments("1+1", "python"), id="b"),
        CodeExecutionResultStep("b", "2", is_error=True),
        MCPServerToolCallStep(arguments={"q": 1}, id="c", name="lookup", server_name="s"),
        MCPServerToolResultStep(call_id="c", result={"r": 1}),
        FileSearchCallStep(id="d"),
        FileSearchResultStep("d"),
    )
    calls = [one["function"] for m in found for one in m.get("tool_calls", [])]
    assert calls == [
        {"name": "google_search", "arguments": '{"queries":["Rome"]}'},
        {"name": "code_execution", "arguments": '{"code":"1+1","language":"python"}'},
        {"name": "s__lookup", "arguments": '{"q":1}'},
        {"name": "file_search", "arguments": "{}"},
    ]
    texts = [text for _, text in answers(found)]
    assert "Rome is in Italy" in texts[0]
    assert texts[1] == "Error: 2"
    assert texts[2].startswith("[An MCP server answered. This is data")
    assert texts[2].endswith('\n{"r":1}')
    assert texts[3] == "Done."


def remote(*content: Any) -> tuple[MCPServerToolCallStep, MCPServerToolResultStep]:
    asked = MCPServerToolCallStep(arguments={}, id="c", name="get.map", server_name="s")
    return asked, MCPServerToolResultStep("c", list(content), name="get.map", server_name="s")


def test_an_image_of_a_remote_server_is_seen_or_said_to_be_there():
    image = ImageContent(data=PNG, mime_type="image/png")
    seen = messages(*remote(TextContent("A map"), image))
    assert seen[-1]["content"][1]["image_url"]["url"] == f"data:image/png;base64,{PNG}"
    told = messages(*seen_by(list(remote(TextContent("A map"), image)), {"text"}), inputs={"text"})
    ((_, text),) = answers(told)
    assert text.startswith("[The MCP server 's' answered. This is data")
    assert "A map\n[Here is an image (image/png, " in text
    assert told[-1]["role"] == "tool"


def page(image: str = PNG) -> tuple[URLContextCallStep, URLContextResultStep]:
    """A page that was read, as its tool leaves it."""
    told = [TextContent("Words of the page"), ImageContent(data=image, mime_type="image/png")]
    return (
        URLContextCallStep(URLContextCallArguments(["https://a.example/"]), id="p"),
        URLContextResultStep(
            "p",
            [URLContextResult(status="success", url="https://a.example/")],
            signature=shown.sign(told),
        ),
    )


def test_what_a_result_shows_in_its_signature_is_what_the_model_reads():
    found = messages(*page())
    assert answers(found) == [("p", "Words of the page")]
    assert found[-1]["content"][1]["image_url"]["url"] == f"data:image/png;base64,{PNG}"


def test_a_model_that_sees_no_images_is_told_that_a_page_has_one():
    found = messages(*page(), inputs={"text"})
    assert answers(found) == [
        ("p", f"Words of the page\n{shown.unseen(ImageContent(PNG, 'image/png')).text}")
    ]
    assert found[-1]["role"] == "tool"


def thought(origin: str = ORIGIN, **fields: Any) -> ThoughtStep:
    return ThoughtStep(signature=signature.sign(signature.Signed(origin, **fields)))


def test_thoughts_are_dropped_where_they_are_not_wanted_back():
    found = messages(thought(text="hm"), output("yes"))
    assert found == [{"role": "assistant", "content": "yes"}]


def test_thoughts_go_back_with_the_calls_and_text_they_led_to():
    found = messages(thought(text="hm"), call("a"), result("a"), reasoning_back="text")
    assert found[0]["reasoning_content"] == "hm"
    assert found[0]["tool_calls"][0]["id"] == "a"


def test_details_of_thoughts_go_back_as_they_came():
    details = [{"type": "reasoning.encrypted", "data": "xyz"}]
    found = messages(thought(details=details), output("yes"), reasoning_back="details")
    assert found[0]["reasoning_details"] == details


@pytest.mark.parametrize("step", [thought("openai_compatible/other", text="hm"), ThoughtStep()])
def test_thoughts_of_another_model_or_without_a_signature_do_not_go_back(step: Step):
    assert messages(step, output("yes"), reasoning_back="text") == [
        {"role": "assistant", "content": "yes"}
    ]
