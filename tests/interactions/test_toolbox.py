"""Who answers a call: bounded in number and time, each failure a result of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, ClassVar

from interplay.contracts.failure import Unavailable
from interplay.contracts.model import FunctionSpec
from interplay.contracts.tool import CallSite, ToolCall
from interplay.interactions.calls import Announced
from interplay.interactions.roster import Roster
from interplay.interactions.toolbox import Toolbox
from interplay.settings import Limits, Settings
from interplay.wire.steps import (
    FunctionResultStep,
    GoogleSearchCallArguments,
    GoogleSearchCallStep,
    GoogleSearchResultStep,
    Step,
)
from interplay.wire.tools import GoogleSearch
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
