"""computer_use: the model's moves come to the caller, the caller's screenshots to the model."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import msgspec
import pytest

from interplay.plugins.models.openai_compatible import OpenAICompatible, OpenAICompatibleConfig
from interplay.testing.local_mcp import LocalMcp, tool
from interplay.testing.scripted_model import ScriptedModel
from interplay.testing.scripted_tool import ScriptedTool
from tests.api.api import fold, requirement, text_of
from tests.plugins.models.openai_compatible.upstream import (
    DONE,
    STOP,
    calls,
    chunk,
    stream,
    text,
    upstream,
)

BROWSER = {"type": "computer_use", "environment": "browser"}
SHOT = {"type": "image", "mime_type": "image/png", "data": b64encode(bytes(3_000)).decode()}
UNSEEN = "[Here is an image (image/png, 3 kB) that you cannot see.]"
ASKS = {"decision": "require_confirmation", "explanation": "This buys it."}


def moves(name: str, id: str = "move0001", **arguments: Any) -> dict[str, Any]:
    """A turn in which the model makes one call."""
    return {"calls": [{"name": name, "arguments": arguments, "id": id}]}


def done(id: str = "move0001", name: str = "click", **fields: Any) -> dict[str, Any]:
    """What a caller answers: how it went, and a screenshot."""
    said = {"type": "text", "text": json.dumps({"url": "http://shop/", **fields})}
    return {"type": "function_result", "call_id": id, "name": name, "result": [said, SHOT]}


@requirement("computer-use:calls")
async def test_a_move_waits_for_the_caller_and_its_screenshot_reaches_the_model(
    opened: Any, house: Any
) -> None:
    api = await opened(moves("click", x=500, y=20, intent="buy"), "Bought.")
    first = (await api.create(input="Buy it", tools=[BROWSER])).body
    assert first["status"] == "requires_action"
    assert first["steps"] == [
        {
            "type": "function_call",
            "id": "move0001",
            "name": "click",
            "arguments": {"x": 500, "y": 20, "intent": "buy"},
        }
    ]
    second = (
        await api.create(input=[done()], tools=[BROWSER], previous_interaction_id=first["id"])
    ).body
    assert (second["status"], text_of(second)) == ("completed", "Bought.")
    shot = house.model.turns[1].steps[-1].result[1]
    assert (shot.mime_type, shot.data) == ("image/png", SHOT["data"])
    offered = [function.name for function in house.model.turns[0].functions]
    assert {"click", "navigate", "take_screenshot"} <= {*offered}


@requirement("computer-use:calls")
async def test_a_streamed_move_folds_to_the_same_steps(opened: Any) -> None:
    api = await opened(moves("type", text="Ada", intent="name"))
    events = await api.stream(input="Fill it in", tools=[BROWSER])
    read = (await api.get(events[0]["interaction"]["id"])).body
    assert read["status"] == "requires_action"
    assert fold(events) == read["steps"][1:]


@requirement("computer-use:safety")
async def test_safety_decisions_and_acknowledgements_pass_through_untouched(
    opened: Any, house: Any
) -> None:
    api = await opened(moves("click", x=1, y=2, intent="buy", safety_decision=ASKS), "Bought.")
    first = (await api.create(input="Buy it", tools=[BROWSER])).body
    assert first["steps"][0]["arguments"]["safety_decision"] == ASKS
    agreed = done(safety_acknowledgement="true")
    await api.create(input=[agreed], tools=[BROWSER], previous_interaction_id=first["id"])
    said = house.model.turns[1].steps[-1].result[0].text
    assert json.loads(said)["safety_acknowledgement"] == "true"


@requirement("computer-use:safety")
async def test_the_model_is_told_behind_the_callers_instruction_in_every_turn(
    opened: Any, house: Any
) -> None:
    api = await opened(moves("click", x=1, y=2, intent="go"), "Done.")
    given: dict[str, Any] = {"tools": [BROWSER], "system_instruction": "Be quick. "}
    first = (await api.create(input="Go", **given)).body
    await api.create(input=[done()], previous_interaction_id=first["id"], **given)
    told = [turn.system_instruction for turn in house.model.turns]
    assert told[0] == told[1]
    assert told[0].startswith("Be quick. \n\nYou operate a browser")
    assert "financial" not in told[0]
    assert "spending or moving money" in told[0]
    free = {**BROWSER, "disabled_safety_policies": ["financial_transactions"]}
    await api.create(input="Go", tools=[free])
    assert "spending or moving money" not in house.model.turns[2].system_instruction


@requirement("computer-use:environments")
@pytest.mark.parametrize(
    ("environment", "own", "others"),
    [("desktop", "hotkey", "navigate"), ("mobile", "open_app", "hotkey")],
)
async def test_an_environment_has_its_own_functions(
    opened: Any, house: Any, environment: str, own: str, others: str
) -> None:
    api = await opened()
    await api.create(input="a", tools=[{"type": "computer_use", "environment": environment}])
    offered = [function.name for function in house.model.turns[0].functions]
    assert own in offered
    assert others not in offered


@requirement("computer-use:environments")
async def test_names_of_earlier_models_get_the_functions_they_know(opened: Any) -> None:
    named = ScriptedModel.of("ok", moves("click_at", x=1, y=2))
    api = await opened(models={"gemini-2.5-*": named})
    model = "models/gemini-2.5-computer-use-preview-10-2025"
    await api.create({"model": model, "input": "a", "tools": [BROWSER]})
    offered = [function.name for function in named.turns[0].functions]
    assert "type_text_at" in offered
    assert "type" not in offered
    body = (await api.create({"model": model, "input": "b", "tools": [BROWSER]})).body
    assert (body["status"], body["steps"][0]["name"]) == ("requires_action", "click_at")
    phone = {"type": "computer_use", "environment": "mobile"}
    refused = await api.create({"model": model, "input": "c", "tools": [phone]})
    assert refused.status == 400
    assert "'environment' is 'mobile'" in refused.message


@requirement("computer-use:excluded")
async def test_an_excluded_function_is_not_offered_and_may_be_the_callers_own(
    opened: Any, house: Any
) -> None:
    api = await opened(moves("click", button="left"))
    own = {
        "type": "function",
        "name": "click",
        "parameters": {"type": "object", "properties": {"button": {"type": "string"}}},
    }
    without = {**BROWSER, "excluded_predefined_functions": ["click", "navigate"]}
    for tools in ([own, BROWSER], [BROWSER, own]):
        refused = await api.create(input="a", tools=tools)
        assert (refused.status, refused.code) == (400, "invalid_request")
        assert "'click' is declared twice" in refused.message
        assert "'tools[1]" in refused.message
    body = (await api.create(input="a", tools=[without, own])).body
    assert body["steps"][0]["arguments"] == {"button": "left"}
    offered = {function.name: function for function in house.model.turns[0].functions}
    assert "navigate" not in offered
    assert set(offered["click"].parameters["properties"]) == {"button"}


@requirement("computer-use:excluded")
@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"excluded_predefined_functions": ["klick"]}, "Did you mean 'click'?"),
        ({"environment": "browsr"}, "Did you mean 'browser'?"),
        ({"disabled_safety_policies": ["account_creatoin"]}, "account_creation"),
        ({"enable_prompt_injection_detection": "ja"}, "enable_prompt_injection_detection"),
        ({"enviroment": "browser"}, "Did you mean 'environment'?"),
    ],
)
async def test_what_does_not_exist_is_refused_by_its_path(
    opened: Any, fields: dict[str, Any], said: str
) -> None:
    api = await opened()
    refused = await api.create(input="a", tools=[{"type": "computer_use", **fields}])
    assert refused.status == 400
    assert said in refused.message
    assert "tools[0]" in refused.message


@requirement("computer-use:mixed")
async def test_moves_functions_and_server_tools_work_in_one_request(
    opened: Any, house: Any
) -> None:
    search = ScriptedTool("google_search", ["The shop is at http://shop/."])
    asks = {"name": "google_search", "arguments": {"query": "shop"}, "id": "srch0001"}
    own = {"name": "note", "arguments": {}, "id": "note0001"}
    move = moves("navigate", url="http://shop/", intent="go")["calls"]
    api = await opened({"calls": [asks, own, *move]}, "Done.", tools={"google_search": search})
    tools = [{"type": "google_search"}, BROWSER, {"type": "function", "name": "note"}]
    first = (await api.create(input="a", tools=tools)).body
    assert first["status"] == "requires_action"
    assert sorted(step["type"] for step in first["steps"]) == [
        "function_call",
        "function_call",
        "google_search_call",
        "google_search_result",
    ]
    noted = {"type": "function_result", "call_id": "note0001", "name": "note", "result": "ok"}
    second = (
        await api.create(
            input=[done(name="navigate"), noted],
            tools=tools,
            previous_interaction_id=first["id"],
        )
    ).body
    assert second["status"] == "completed"
    chosen = {"allowed_tools": {"mode": "any", "tools": ["click", "scroll"]}}
    await api.create(input="b", tools=tools, generation_config={"tool_choice": chosen})
    assert house.model.turns[-1].choice.names == ["click", "scroll"]


@requirement("computer-use:unseen")
async def test_a_model_that_does_not_see_is_told_that_there_is_a_screenshot(opened: Any) -> None:
    blind = ScriptedModel.of(
        moves("click", x=1, y=2, intent="go"), echo=True, facts={"inputs": ["text"]}
    )
    api = await opened(models={"blind": blind})
    first = (await api.create(model="blind", input="Go", tools=[BROWSER])).body
    second = await api.create(
        model="blind", input=[done()], tools=[BROWSER], previous_interaction_id=first["id"]
    )
    assert second.body["status"] == "completed", second.raw
    assert blind.turns[1].steps[-1].result[1].text == UNSEEN
    read = (await api.get(second.body["id"], include_input="true")).body
    assert read["steps"][0]["result"][1] == SHOT, "what is stored keeps the image"


@requirement("computer-use:unseen")
@pytest.mark.parametrize("sees", [True, False])
async def test_images_of_remote_tools_are_seen_or_said_to_be_there(opened: Any, sees: bool) -> None:
    inputs = ["text", "image"] if sees else ["text"]
    model = ScriptedModel.of(moves("s__look", text="x"), "Done.", facts={"inputs": inputs})
    async with LocalMcp([tool("look")]) as server:
        image = {"type": "image", "data": SHOT["data"], "mimeType": "image/png"}
        server.answers["look"] = {"content": [image]}
        api = await opened(models={"x": model}, allowed_networks=["127.0.0.0/8"])
        remote = {"type": "mcp_server", "name": "s", "url": server.url}
        body = (await api.create(model="x", input="Look", tools=[remote])).body
    assert body["status"] == "completed", body
    assert body["steps"][1]["result"][0]["type"] == "image"
    (shown,) = model.turns[1].steps[-1].result
    assert getattr(shown, "data", None) == (SHOT["data"] if sees else None)
    assert getattr(shown, "text", None) == (None if sees else UNSEEN)


@requirement("computer-use:unseen")
@pytest.mark.parametrize("sees", [True, False])
async def test_a_chat_completions_server_is_sent_the_screenshot_or_words(
    opened: Any, sees: bool
) -> None:
    inputs = ["text", "image"] if sees else ["text"]
    call = {
        "index": 0,
        "id": "move0001",
        "function": {"name": "click", "arguments": '{"x": 1, "y": 2, "intent": "go"}'},
    }
    moving = stream(calls(call), chunk({}, "tool_calls"), DONE)
    async with upstream() as at:
        at.will(moving, stream(text("Done."), STOP))
        fields = {"base_url": at.base_url, "facts": {"inputs": inputs}}
        config = msgspec.convert(fields, OpenAICompatibleConfig)
        api = await opened(models={"v": OpenAICompatible(config)})
        first = (await api.create(model="v", input="Go", tools=[BROWSER])).body
        assert first["status"] == "requires_action", first
        second = await api.create(
            model="v", input=[done()], tools=[BROWSER], previous_interaction_id=first["id"]
        )
        assert second.text == "Done.", second.raw
        answer, *rest = at.requests[1].body["messages"][3:]
    assert answer["role"] == "tool"
    assert (UNSEEN in answer["content"]) is not sees
    pictures = [part for message in rest for part in message["content"]]
    urls = [part["image_url"]["url"] for part in pictures if part["type"] == "image_url"]
    assert urls == ([f"data:image/png;base64,{SHOT['data']}"] if sees else [])
