"""agent=: any registered agent, in the same chains as models."""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec

from interplay.contracts.agent import AgentFacts, Ask, Run
from interplay.contracts.failure import Unavailable
from interplay.testing.scripted_model import ScriptedModel
from interplay.wire.content import TextContent
from interplay.wire.deltas import TextDelta
from interplay.wire.steps import ModelOutputStep
from tests.api.api import fold, kinds, requirement, text_of


class PlannerConfig(msgspec.Struct, forbid_unknown_fields=True):
    """What the test's agent takes."""

    type: str | None = None
    depth: int = 1


class Planner:
    """Thinks, asks a model, remembers, and writes."""

    Config: ClassVar[Any] = PlannerConfig
    facts: ClassVar[AgentFacts] = AgentFacts(system_instruction=False)
    made: ClassVar[list[str]] = []

    async def run(self, run: Run) -> None:
        await run.think(f"depth {run.config.depth}")

        async def make() -> Any:
            self.made.append(run.interaction_id)
            return {"plan": [1, 2]}

        plan = await run.once("plan", make)
        said = ""
        async for piece in run.generate(Ask(model="m", steps=[*run.history, *run.input])):
            if isinstance(piece, TextDelta):
                said += piece.text
        await run.write(ModelOutputStep([TextContent(f"{plan['plan']} {said}")]))


class Broken:
    """Fails."""

    Config: ClassVar[Any] = PlannerConfig
    facts: ClassVar[AgentFacts] = AgentFacts(background_only=True, tools=False)

    async def run(self, run: Run) -> None:
        await run.think("Hm.")
        raise Unavailable("The agent's service is away.")


@requirement("agents:run")
async def test_an_agent_runs_in_every_way(opened: Any) -> None:
    api = await opened(*["four"] * 3, agents={"planner": Planner()})
    body = {"agent": "planner", "input": "2+2", "agent_config": {"depth": 3}}
    whole = (await api.create(body)).body
    assert whole["agent"] == "planner"
    assert "model" not in whole
    assert whole["steps"][0]["summary"][0]["text"] == "depth 3"
    assert text_of(whole) == "[1, 2] four"
    assert whole["usage"]["total_output_tokens"] == 1
    answer = await api.create({**body, "stream": True})
    events = await api.replay(_id(answer))
    assert fold(events) == whole["steps"]
    behind = (await api.create({**body, "background": True})).body
    assert text_of(await api.ended(behind["id"])) == "[1, 2] four"


def _id(answer: Any) -> str:
    return answer.raw.decode().split('"id":"')[1].split('"')[0]


@requirement("agents:chains")
async def test_a_model_follows_an_agent_and_an_agent_a_model(opened: Any, house: Any) -> None:
    api = await opened("four", "five", "six", agents={"planner": Planner()})
    first = (await api.create({"agent": "planner", "input": "2+2"})).body
    second = (await api.create(input="and?", previous_interaction_id=first["id"])).body
    third = await api.create(
        {"agent": "planner", "input": "more", "previous_interaction_id": second["id"]}
    )
    assert third.status == 200
    texts = [
        step.content[0].text for step in house.model.turns[2].steps if hasattr(step, "content")
    ]
    assert texts == ["2+2", "[1, 2] four", "and?", "five", "more"]


@requirement("agents:assistant")
async def test_the_assistant_answers_with_any_configured_model_and_functions(
    opened: Any, house: Any
) -> None:
    call = {"calls": [{"name": "f", "arguments": {}, "id": "call0001"}]}
    api = await opened(call, "done")
    body = {
        "agent": "assistant",
        "agent_config": {"model": "m"},
        "system_instruction": "Be kind.",
        "tools": [{"type": "function", "name": "f"}],
    }
    first = (await api.create({**body, "input": "x"})).body
    assert first["status"] == "requires_action"
    result = {"type": "function_result", "call_id": "call0001", "result": "r"}
    second = (
        await api.create({**body, "input": [result], "previous_interaction_id": first["id"]})
    ).body
    assert text_of(second) == "done"
    assert house.model.turns[1].system_instruction == "Be kind."


@requirement("agents:failure")
async def test_what_an_agent_raises_fails_its_interaction(opened: Any) -> None:
    api = await opened(agents={"broken": Broken()})
    id = (await api.create({"agent": "broken", "input": "x", "background": True})).body["id"]
    body = await api.ended(id)
    assert body["status"] == "failed"
    assert body["errors"] == [
        {"code": "service_unavailable", "message": "The agent's service is away."}
    ]
    assert body["steps"][1]["type"] == "thought"
    assert "error" in kinds(await api.replay(id))


@requirement("agents:facts")
async def test_what_an_agent_does_not_take_is_refused(opened: Any) -> None:
    api = await opened(agents={"broken": Broken(), "planner": Planner()})
    refused: list[tuple[dict[str, Any], str]] = [
        ({"agent": "broken"}, "background=true"),
        ({"agent": "planner", "system_instruction": "x"}, "system_instruction"),
        ({"agent": "broken", "background": True, "tools": [{"type": "function", "name": "f"}]},
         "tools"),
        ({"agent": "planner", "agent_config": {"deepth": 1}}, "'depth'"),
        ({"agent": "planner", "agent_config": {"depth": "x"}}, "agent_config"),
        ({"agent": "planner", "response_format": {"type": "object"}}, "response_format"),
        ({"agent": "planner", "generation_config": {}}, "generation_config"),
    ]  # fmt: skip
    for fields, said in refused:
        answer = await api.create({"input": "x", **fields})
        assert answer.status == 400, fields
        assert said in answer.message, answer.message


@requirement("agents:found")
async def test_agents_come_from_settings_by_entry_point_or_module(
    tmp_path: Any,
) -> None:
    from interplay.settings import Settings
    from interplay.testing.server import serve
    from tests.api.api import Api

    settings = Settings(
        data_dir=str(tmp_path / "data"),
        agents={
            "kind": {"use": "assistant", "model": "m", "system_instruction": "Be kind."},
            "planner": {"use": "tests.api.test_agents:Planner"},
        },
    )
    import aiohttp

    model = ScriptedModel.of("hi", "four")
    async with (
        serve(settings=settings, models={"m": model}) as server,
        aiohttp.ClientSession() as session,
    ):
        api = Api(server.url, session)
        assert (await api.create({"agent": "kind", "input": "x"})).text == "hi"
        assert model.turns[0].system_instruction == "Be kind."
        assert (await api.create({"agent": "agents/planner", "input": "x"})).status == 200
