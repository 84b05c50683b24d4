"""What an agent holds: memos that are made once, tools it may not have, models it may not name."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any, ClassVar

import msgspec

from interplay.contracts.agent import AgentFacts, Ask, Run
from interplay.testing.gates import Gate
from interplay.testing.scripted_model import ScriptedModel
from interplay.wire.content import ImageContent, TextContent
from interplay.wire.steps import (
    FunctionCallStep,
    FunctionResultStep,
    ModelOutputStep,
    Step,
    UserInputStep,
)
from interplay.wire.tools import GoogleMaps
from tests.api.api import fold, text_of


class NoConfig(msgspec.Struct):
    """Nothing."""


class Doing:
    """An agent that does one thing."""

    Config: ClassVar[Any] = NoConfig
    facts: ClassVar[AgentFacts] = AgentFacts()

    def __init__(self, act: Callable[[Run], Awaitable[None]]) -> None:
        self._act = act

    async def run(self, run: Run) -> None:
        await self._act(run)


async def memos_at_once(run: Run) -> None:
    made: list[str] = []

    def make(key: str) -> Callable[[], Awaitable[Any]]:
        async def making() -> Any:
            made.append(key)
            await asyncio.sleep(0)
            return len(made)

        return making

    keys = ["a", "b", "a", "b", "a"]
    values = await asyncio.gather(*[run.once(key, make(key)) for key in keys])
    again = await run.once("b", make("b"))
    said = f"{sorted(made)} {values[0] == values[2] == values[4]} {again == values[1]}"
    await run.write(ModelOutputStep([TextContent(said)]))


async def test_a_memo_is_made_once_however_many_ask_at_once(opened: Any) -> None:
    api = await opened(agents={"memo": Doing(memos_at_once)})
    body = {"agent": "memo", "input": "x"}
    assert (await api.create(body)).text == "['a', 'b'] True True"
    behind = (await api.create({**body, "background": True})).body
    assert text_of(await api.ended(behind["id"])) == "['a', 'b'] True True"


async def test_a_memo_outlives_the_process_and_steps_are_not_written_twice(house: Any) -> None:
    made: list[int] = []
    gate = Gate("h")

    async def act(run: Run) -> None:
        async def make() -> int:
            made.append(1)
            return len(made)

        value = await run.once("k", make)
        if not run.written:
            await run.write(ModelOutputStep([TextContent(f"first {value} ")]))
            await gate.passing()
        await run.write(ModelOutputStep([TextContent(f"then {await run.once('k', make)}")]))

    agents = {"a": Doing(act)}
    async with AsyncExitStack() as stack:
        _, api = await house.start(models={}, agents=agents, stack=stack)
        body = {"agent": "a", "input": "x", "background": True}
        id = (await api.create(body)).body["id"]
        await gate.reached()
    _, api = await house.start(models={}, agents=agents)
    done = await api.ended(id)
    assert text_of(done) == "first 1 then 1"
    assert made == [1]
    assert fold(await api.replay(id)) == done["steps"][1:]


async def test_a_tool_that_is_not_set_up_is_named_in_the_failure(opened: Any) -> None:
    async def act(run: Run) -> None:
        await run.converse("m", tools=[GoogleMaps()])

    api = await opened(agents={"a": Doing(act)})
    answer = await api.create({"agent": "a", "input": "x"})
    assert answer.status == 400
    assert "google_maps" in answer.message


async def test_a_model_nobody_configured_is_named_in_the_failure(opened: Any) -> None:
    async def act(run: Run) -> None:
        await run.converse("nobody")

    api = await opened(agents={"a": Doing(act)})
    answer = await api.create({"agent": "a", "input": "x"})
    assert answer.code == "model_not_found"
    assert "nobody" in answer.message


async def looks_at_a_picture(run: Run) -> None:
    image = ImageContent(data="iVBORw0K", mime_type="image/png")
    steps: list[Step] = [
        UserInputStep([TextContent("look")]),
        FunctionCallStep({}, "c", "look"),
        FunctionResultStep("c", [image], name="look"),
    ]
    async for _ in run.generate(Ask(model="m", steps=steps)):
        pass
    async for _ in run.generate(Ask(model="blind", steps=steps)):
        pass
    await run.write(ModelOutputStep([TextContent("done")]))


async def test_an_agents_turn_shows_pictures_to_models_that_see_and_words_to_others(
    opened: Any, house: Any
) -> None:
    blind = ScriptedModel.of(echo=True, facts={"inputs": ["text"]})
    api = await opened(agents={"look": Doing(looks_at_a_picture)}, models={"blind": blind})
    assert (await api.create({"agent": "look", "input": "x"})).text == "done"
    (seen,) = house.model.turns[0].steps[-1].result
    assert seen.data == "iVBORw0K"
    (told,) = blind.turns[0].steps[-1].result
    assert told.text == "[Here is an image (image/png, 6 bytes) that you cannot see.]"
