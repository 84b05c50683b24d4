"""The model and the tools in turn."""

from __future__ import annotations

from typing import Any

from interplay.testing.scripted_model import ScriptedModel
from interplay.testing.scripted_tool import ScriptedTool

SEARCH = {"type": "google_search"}
CALL = {"calls": [{"name": "google_search", "arguments": {"query": "q"}}]}


async def test_a_model_that_had_to_call_may_answer_afterwards(opened: Any, house: Any) -> None:
    api = await opened(CALL, "done", tools={"google_search": ScriptedTool(results=["found"])})
    answer = await api.create(input="x", tools=[SEARCH], generation_config={"tool_choice": "any"})
    assert answer.text == "done"
    assert [turn.choice.mode for turn in house.model.turns] == ["any", "auto"]


async def test_usage_is_that_of_every_turn(opened: Any) -> None:
    api = await opened(CALL, "one two", tools={"google_search": ScriptedTool(results=["found"])})
    usage = (await api.create(input="x", tools=[SEARCH])).body["usage"]
    assert usage["total_output_tokens"] == 3
    assert usage["total_tokens"] == usage["total_input_tokens"] + 3


async def test_arguments_that_came_with_the_call_itself_reach_the_tool(house: Any) -> None:
    from interplay.contracts.model import TurnEnd
    from interplay.wire.steps import FunctionCallStep

    class Eager(ScriptedModel):
        async def stream(self, turn: Any) -> Any:
            if self.turns:
                async for piece in super().stream(turn):
                    yield piece
                return
            self.turns.append(turn)
            yield FunctionCallStep({"query": "q"}, "c1", "google_search")
            yield TurnEnd(reason="calls")

    tool = ScriptedTool(results=["found"])
    model = Eager.of("done")
    _, api = await house.start(models={"m": model}, tools={"google_search": tool})
    assert (await api.create(input="x", tools=[SEARCH])).text == "done"
    assert tool.calls[0][0].arguments == {"query": "q"}


async def test_a_turn_without_an_end_fails_and_keeps_what_was_said(opened: Any) -> None:
    api = await opened({"text": "so far", "endless": True})
    events = await api.stream(input="x")
    assert events[-2]["error"]["code"] == "api_error"
    assert events[-1]["interaction"]["status"] == "failed"
