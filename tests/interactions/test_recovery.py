"""What an earlier process left: taken up, ended, or put off, and never in the way of the start."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from interplay.interactions import terminal
from interplay.interactions.ids import event_prefix
from interplay.testing.scripted_model import ScriptedModel
from interplay.testing.scripted_tool import ScriptedTool
from interplay.wire.deltas import ArgumentsDelta
from interplay.wire.events import StepDelta, StepStart, StepStop
from interplay.wire.steps import (
    FunctionCallStep,
    FunctionResultStep,
    ToolSearchCallStep,
    ToolSearchCallStepArguments,
    ToolSearchResultStep,
)
from interplay.wire.tools import Function
from tests.api.api import fold, ids, kinds, text_of, until
from tests.interactions.faulty_store import FaultyStore, row


class FullStore(FaultyStore):
    """Full from the start."""

    def __init__(self, folder: Path, **given: Any) -> None:
        super().__init__(folder, **given)
        self.full = True


@asynccontextmanager
async def left_behind(house: Any):
    """The store as an earlier process leaves it."""
    (house.folder / "data").mkdir(exist_ok=True)
    store = FaultyStore(house.folder / "data")
    await store.open()
    yield store
    await store.close()


def asked(number: int, **given: Any) -> Any:
    fields = {
        "id": f"v1_{number:020}",
        "created": time.time(),
        "request": b'{"model":"m","background":true}',
        "input": b'[{"type":"user_input","content":[{"type":"text","text":"hi"}]}]',
        "background": True,
    }
    return row(**{**fields, **given})


async def test_a_run_that_broke_off_before_its_first_event_has_every_event(house: Any) -> None:
    async with left_behind(house) as store:
        await store.create(asked(1))
        await store.create(asked(2, background=False))
    model = ScriptedModel.of({"chunks": ["a ", {"hold": "h"}, "b"]})
    _, api = await house.start(models={"m": model})
    path = f"/v1/interactions/{asked(1).id}?stream=true"
    async with api.opened("GET", path) as live:
        seen = [await anext(live)]
        await model.gate("h").reached()
        model.gate("h").open()
        seen += [event async for event in live]
    assert kinds(seen)[0] == "interaction.created"
    assert ids(seen) == list(range(len(seen)))
    assert await api.replay(asked(1).id) == seen
    failed = await api.replay(asked(2).id)
    assert kinds(failed) == ["interaction.created", "error", "interaction.completed"]


async def test_a_row_that_cannot_be_read_fails_alone(house: Any) -> None:
    async with left_behind(house) as store:
        await store.create(asked(1))
        await store.append(asked(1).id, 1, -1, [b'{"event_type":"of a later version"}'])
        await store.create(asked(2, input=b'[{"type":"later"}]'))
        await store.create(asked(3))
    _, api = await house.start(models={"m": ScriptedModel.of("well")})
    assert text_of(await api.ended(asked(3).id)) == "well"
    failed = await api.ended(asked(1).id)
    assert (failed["status"], failed["errors"][0]["code"]) == ("failed", "aborted")
    assert kinds(await api.replay(asked(1).id))[-2:] == ["error", "interaction.completed"]
    listed = (await api.call("GET", "/v1/interactions")).body["interactions"]
    assert {line["id"]: line["status"] for line in listed}[asked(2).id] == "failed"


async def test_a_full_disk_does_not_keep_a_server_from_starting(house: Any) -> None:
    async with left_behind(house) as store:
        await store.create(asked(1))
        await store.create(asked(2, background=False))
    server, api = await house.start(
        models={"m": ScriptedModel.of("later")}, store="tests.interactions.test_recovery:FullStore"
    )
    assert (await api.create(input="x", store=False)).status == 200
    assert (await api.get(asked(1).id)).body["status"] == "in_progress"
    following = asyncio.create_task(api.replay(asked(1).id))
    server.app.assembly.store.full = False
    await until(lambda: server.app.assembly.store.log.count("end") == 2, 60)
    assert kinds(await following)[-1] == "interaction.completed"
    assert (await api.get(asked(2).id)).body["status"] == "failed"


async def test_a_tool_call_caught_by_a_crash_is_not_made_again(house: Any) -> None:
    calls = {"calls": [{"name": "google_search", "arguments": {"query": "q"}}]}
    first = ScriptedTool("google_search", [{"hold": "h"}, "found"])
    body = {"input": "x", "background": True, "tools": [{"type": "google_search"}]}
    async with AsyncExitStack() as stack:
        _, api = await house.start(
            models={"m": ScriptedModel.of(calls)}, tools={"google_search": first}, stack=stack
        )
        id = (await api.create(**body)).body["id"]
        await first.gate("h").reached()
    again = ScriptedTool("google_search", ["found"])
    model = ScriptedModel.of("done")
    _, api = await house.start(models={"m": model}, tools={"google_search": again})
    done = await api.ended(id)
    assert again.calls == []
    assert text_of(done) == "done"
    result = next(s for s in done["steps"] if s["type"] == "function_result")
    assert result["is_error"]
    assert "interrupted" in result["result"]
    assert fold(await api.replay(id)) == done["steps"][1:]


async def test_the_usage_of_turns_before_a_crash_counts(house: Any) -> None:
    def took(tokens: int) -> dict[str, int]:
        return {"total_input_tokens": tokens, "total_tokens": tokens}

    calls = {"calls": [{"name": "google_search", "arguments": {"query": "q"}}], "usage": took(100)}
    tool = ScriptedTool("google_search", [{"hold": "h"}, "found"])
    body = {"input": "x", "background": True, "tools": [{"type": "google_search"}]}
    async with AsyncExitStack() as stack:
        _, api = await house.start(
            models={"m": ScriptedModel.of(calls)}, tools={"google_search": tool}, stack=stack
        )
        id = (await api.create(**body)).body["id"]
        await tool.gate("h").reached()
    model = ScriptedModel.of({"text": "done", "usage": took(20)})
    tools = {"google_search": ScriptedTool("google_search")}
    _, api = await house.start(models={"m": model}, tools=tools)
    assert (await api.ended(id))["usage"]["total_input_tokens"] == 120


async def test_a_repeatable_tool_call_is_made_again_after_a_crash(house: Any) -> None:
    calls = {"calls": [{"name": "google_search", "arguments": {"query": "q"}}]}
    tool = ScriptedTool("google_search", [{"hold": "h"}, "found", "found"], repeatable=True)
    body = {"input": "x", "background": True, "tools": [{"type": "google_search"}]}
    async with AsyncExitStack() as stack:
        _, api = await house.start(
            models={"m": ScriptedModel.of(calls)}, tools={"google_search": tool}, stack=stack
        )
        id = (await api.create(**body)).body["id"]
        await tool.gate("h").reached()
    _, api = await house.start(
        models={"m": ScriptedModel.of("done")}, tools={"google_search": tool}
    )
    done = await api.ended(id)
    assert text_of(done) == "done"
    kinds_of = [step["type"] for step in done["steps"][1:]]
    assert kinds_of == ["google_search_call", "google_search_result", "model_output"]
    assert len(tool.calls) == 2
    assert [call[1].idempotency_key for call in tool.calls] == [f"{id}:0"] * 2


WEATHER: dict[str, Any] = {
    "type": "function",
    "name": "weather",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
    },
}
GOOD = {"calls": [{"name": "weather", "arguments": {"city": "Rome"}, "id": "good"}]}


def broke_off(made: Any, *steps: list[Any]) -> list[bytes]:
    """The events of a run that wrote these steps, each with its deltas, and no more."""
    events: list[Any] = [terminal.created(made, "in_progress")]
    for index, (step, *deltas) in enumerate(steps):
        events += [StepStart(index, step), *(StepDelta(delta, index) for delta in deltas)]
        events.append(StepStop(index))
    for number, event in enumerate(events):
        event.event_id = f"{event_prefix(made.id)}{number}"
    return [msgspec.json.encode(event) for event in events]


def asked_with(tools: list[Any]) -> Any:
    request = {"model": "m", "background": True, "tools": tools}
    return asked(1, request=msgspec.json.encode(request))


@pytest.mark.parametrize("raw", ['{"city": 7}', '{"city": '])
async def test_a_call_that_cannot_be_made_is_told_after_a_crash_too(house: Any, raw: str) -> None:
    made = asked_with([WEATHER])
    bad = [FunctionCallStep({}, "bad", "weather"), ArgumentsDelta(raw)]
    async with left_behind(house) as store:
        await store.create(made)
        await store.append(made.id, 1, -1, broke_off(made, bad))
    model = ScriptedModel.of(GOOD)
    _, api = await house.start(models={"m": model})
    done = await api.ended(made.id)
    assert done["status"] == "requires_action", done
    kinds_of = [step["type"] for step in done["steps"][1:]]
    assert kinds_of == ["function_call", "function_result", "function_call"]
    assert (done["steps"][2]["call_id"], done["steps"][2]["is_error"]) == ("bad", True)
    assert done["steps"][3]["arguments"] == {"city": "Rome"}
    model.verify()


async def test_a_malformed_call_that_was_answered_is_not_met_again(house: Any) -> None:
    made = asked_with([WEATHER])
    bad = [FunctionCallStep({}, "bad", "weather"), ArgumentsDelta("{")]
    told = [FunctionResultStep("bad", "Not made.", is_error=True, name="weather")]
    async with left_behind(house) as store:
        await store.create(made)
        await store.append(made.id, 1, -1, broke_off(made, bad, told))
    _, api = await house.start(models={"m": ScriptedModel.of("done")})
    done = await api.ended(made.id)
    assert (done["status"], text_of(done)) == ("completed", "done")


async def test_functions_found_before_a_crash_are_offered_after_it(house: Any) -> None:
    deferred = {**WEATHER, "defer_loading": True}
    made = asked_with([{"type": "tool_search"}, deferred])
    search = [ToolSearchCallStep(ToolSearchCallStepArguments(["weather"]), "s1")]
    found = [ToolSearchResultStep("s1", [Function(name="weather")])]
    async with left_behind(house) as store:
        await store.create(made)
        await store.append(made.id, 1, -1, broke_off(made, search, found))
    model = ScriptedModel.of(GOOD)
    _, api = await house.start(models={"m": model})
    assert (await api.ended(made.id))["status"] == "requires_action"
    assert [spec.name for spec in model.turns[0].functions] == ["tool_search", "weather"]
