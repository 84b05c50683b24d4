"""Who answers a call: bounded in number and time, each failure a result of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, ClassVar

import pytest

from interplay.contracts.failure import Unavailable
from interplay.contracts.model import FunctionSpec
from interplay.contracts.tool import CallSite, ToolCall
from interplay.interactions.calls import Announced
from interplay.interactions.failures import Rejected
from interplay.interactions.roster import Roster
from interplay.interactions.toolbox import Toolbox
from interplay.settings import Limits, Settings
from interplay.wire.deltas import GoogleSearchResultDelta, URLContextResultDelta
from interplay.wire.steps import (
    FunctionResultStep,
    GoogleSearchCallArguments,
    GoogleSearchCallStep,
    GoogleSearchResultStep,
    MCPServerToolResultStep,
    ModelOutputStep,
    Step,
)
from interplay.wire.tools import Function, GoogleSearch
from tests.interactions.faulty_store import ID


class Search:
    """Waits until as many calls as the test says are inside, and fails as the query says."""

    serves: ClassVar[str] = "google_search"
    repeatable: ClassVar[bool] = True

    def __init__(self) -> None:
        self.inside = self.most = self.left = 0
        self.gate = asyncio.Event()
        self.keys: list[str] = []

    async def offer(self, declaration: Any) -> list[FunctionSpec]:
        return [FunctionSpec(name="search")]

    async def call(self, call: ToolCall, at: CallSite) -> AsyncIterator[Any]:
        self.keys.append(at.idempotency_key)
        self.inside += 1
        self.most = max(self.most, self.inside)
        try:
            await self.gate.wait()
            yield GoogleSearchCallStep(GoogleSearchCallArguments(), call.id)
            if call.arguments.get("fails") == "failure":
                raise Unavailable("No search today.")
            if call.arguments.get("fails") == "bug":
                raise ZeroDivisionError("1/0")
            if call.arguments.get("fails") == "never":
                await asyncio.Event().wait()
            yield GoogleSearchResultStep(call.id, [])
        finally:
            self.inside -= 1
            self.left += 1


async def box_of(tool: Search, **limits: Any) -> Toolbox:
    roster = Roster(Settings(), models={}, tools={"google_search": tool})
    return await Toolbox.of([GoogleSearch()], roster, Limits(**limits))


def calls(*fails: str) -> list[ToolCall]:
    return [
        ToolCall(id=f"c{number}", name="search", arguments={"fails": fail})
        for number, fail in enumerate(fails)
    ]


async def answers(box: Toolbox, asked: list[ToolCall]) -> list[list[Step]]:
    made: list[Any] = [item async for item in box.answer(Announced(asked, 7), ID, "")]
    return [made[number : number + 2] for number in range(0, len(made), 2)]


async def test_calls_run_side_by_side_up_to_the_limit_and_answer_in_their_order() -> None:
    tool = Search()
    box = await box_of(tool, parallel_tools=3)
    running = asyncio.create_task(answers(box, calls(*[""] * 8)))
    for _ in range(20):
        await asyncio.sleep(0)
    assert tool.inside == 3
    tool.gate.set()
    found = await running
    assert tool.most == 3
    assert [steps[1].call_id for steps in found] == [f"c{n}" for n in range(8)]  # type: ignore
    assert tool.keys == [f"{ID}:{7 + n}" for n in range(8)]


async def test_each_failure_is_a_result_of_its_own_call() -> None:
    tool = Search()
    tool.gate.set()
    box = await box_of(tool, tool_seconds=0.4)
    found = await answers(box, calls("failure", "", "bug", "never"))
    results = [steps[-1] for steps in found]
    assert isinstance(results[1], GoogleSearchResultStep)
    for number, said in ((0, "No search today."), (2, "1/0"), (3, "0.4 s")):
        result = results[number]
        assert isinstance(result, FunctionResultStep)
        assert (result.call_id, result.is_error) == (f"c{number}", True)
        assert said in str(result.result)
    assert tool.inside == 0


async def test_calls_nobody_waits_for_any_more_are_stopped() -> None:
    tool = Search()
    box = await box_of(tool)
    running = asyncio.create_task(answers(box, calls("", "")))
    for _ in range(20):
        await asyncio.sleep(0)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert (tool.inside, tool.left) == (0, 2)


BARE = GoogleSearchCallStep(GoogleSearchCallArguments(), "c0")
FOUND = GoogleSearchResultStep("c0", [])
RUBBISH: dict[str, tuple[list[Any], str]] = {
    "nothing": ([], "ended without a result"),
    "no result": ([BARE], "ended without a result"),
    "a text": (["found"], "yielded str"),
    "a dict": ([{"type": "google_search_result"}], "yielded dict"),
    "a delta first": ([GoogleSearchResultDelta([])], "behind nothing"),
    "a delta of something else": ([BARE, URLContextResultDelta([])], "behind google_search_call"),
    "two deltas": (
        [BARE, FOUND, GoogleSearchResultDelta([]), GoogleSearchResultDelta([])],
        "delta",
    ),
    "a result first": ([FOUND], "no open call"),
    "a result of another call": ([BARE, GoogleSearchResultStep("c9", [])], "'c9'"),
    "two results": ([BARE, FOUND, FOUND], "no open call"),
    "another call": ([GoogleSearchCallStep(GoogleSearchCallArguments(), "c9")], "'c9'"),
    "words of a model": ([BARE, ModelOutputStep([])], "model_output"),
    "what is no JSON": ([BARE, MCPServerToolResultStep("c0", {"x": object()})], "object"),
    "a cancellation": ([BARE, asyncio.CancelledError()], "gave up"),
}


class Rubbish(Search):
    """Yields what the test says; an exception is raised."""

    def __init__(self, made: list[Any]) -> None:
        super().__init__()
        self.made = made

    async def call(self, call: ToolCall, at: CallSite) -> AsyncIterator[Any]:
        for item in self.made:
            if isinstance(item, BaseException):
                raise item
            yield item


@pytest.mark.parametrize("name", list(RUBBISH))
async def test_rubbish_of_a_tool_is_a_failed_result_of_its_call(name: str) -> None:
    made, said = RUBBISH[name]
    box = await box_of(Rubbish(made))
    items: list[Any] = [item async for item in box.answer(Announced(calls(""), 0), ID, "")]
    steps = [item for item in items if type(item).__name__.endswith("Step")]
    assert steps[0].id == "c0"
    assert isinstance(steps[-1], FunctionResultStep)
    assert (steps[-1].call_id, steps[-1].is_error) == ("c0", True)
    assert said in str(steps[-1].result)


async def test_a_tool_that_ends_by_a_failure_is_closed() -> None:
    tool = Search()
    tool.gate.set()
    box = await box_of(tool, tool_output_bytes=10)
    (steps,) = await answers(box, calls(""))
    assert "limits.tool_output_bytes" in str(steps[1].result)  # type: ignore
    assert tool.left == 1


async def test_a_thousand_calls_are_made_a_few_at_a_time() -> None:
    tool = Search()
    tool.gate.set()
    box = await box_of(tool, parallel_tools=4)
    found = await answers(box, calls(*[""] * 1000))
    assert [steps[1].call_id for steps in found] == [f"c{n}" for n in range(1000)]  # type: ignore
    assert tool.most <= 4


SCHEMAS: dict[str, Any] = {
    "upper-case types": {"type": "OBJECT", "properties": {"x": {"type": "STRING"}}},
    "a cycle": {"type": "object", "properties": {"child": {"$ref": "#"}}},
    "a long cycle": {
        "$defs": {"a": {"properties": {"b": {"$ref": "#/$defs/b"}}}, "b": {"$ref": "#/$defs/a"}},
        "$ref": "#/$defs/a",
    },
    "references that lead in a circle": {
        "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}},
        "$ref": "#/$defs/a",
    },
}


@pytest.mark.parametrize("name", list(SCHEMAS))
async def test_schemas_as_they_come_are_taken(name: str) -> None:
    function = Function(name="f", parameters=SCHEMAS[name])
    box = await Toolbox.of([function], Roster(Settings(), models={}), Limits())
    assert box.argument_faults("f", {}) == []


def deep(levels: int) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(levels):
        schema = {"type": "object", "properties": {"x": schema}}
    return schema


BAD_SCHEMAS: dict[str, Any] = {
    "too many levels": deep(100),
    "too large": {"type": "object", "description": "x" * 1_100_000},
}


@pytest.mark.parametrize("name", list(BAD_SCHEMAS))
async def test_a_schema_nobody_can_use_is_refused_with_its_path(name: str) -> None:
    function = Function(name="f", parameters=BAD_SCHEMAS[name])
    with pytest.raises(Rejected) as refused:
        await Toolbox.of([function], Roster(Settings(), models={}), Limits())
    assert refused.value.code == "invalid_request"
    assert "'tools[0].parameters" in refused.value.message


@pytest.mark.parametrize("first", [True, False])
async def test_a_tool_and_a_function_of_one_name_are_refused(first: bool) -> None:
    tools: list[Any] = [GoogleSearch(), Function(name="search")]
    roster = Roster(Settings(), models={}, tools={"google_search": Search()})
    with pytest.raises(Rejected, match="declared twice"):
        await Toolbox.of(tools if first else tools[::-1], roster, Limits())
