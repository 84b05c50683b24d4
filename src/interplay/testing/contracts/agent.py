"""What every agent must do; see interplay.contracts.agent."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from interplay.contracts.agent import Agent, AgentFacts
from interplay.contracts.model import Model
from interplay.testing.rehearsal import Rehearsal
from interplay.testing.scripted_model import ScriptedModel


@pytest.mark.asyncio
class AgentContract:
    """Subclass it and give an `agent` fixture; `model` is what it talks to."""

    patience = 60.0
    """Seconds one run may take."""
    text = "hello"
    """What it is asked."""

    @pytest.fixture
    def agent(self) -> Any:
        """The agent under test."""
        raise NotImplementedError("Give your test class an `agent` fixture.")

    @pytest.fixture
    def model(self) -> Any:
        """An echoing ScriptedModel, unless the subclass has a better one."""
        return ScriptedModel.of(echo=True)

    async def rehearsed(
        self, agent: Agent, model: Model, after: Rehearsal | None = None
    ) -> Rehearsal:
        """One run, whole."""
        run = Rehearsal(self.text, model=model, config=agent.Config(), after=after)
        async with asyncio.timeout(self.patience):
            await run.of(agent)
        return run

    async def test_its_config_and_facts_are_declared(self, agent: Agent) -> None:
        """Config is a struct whose fields all have defaults; facts are AgentFacts."""
        assert issubclass(agent.Config, msgspec.Struct)
        agent.Config()
        assert isinstance(agent.facts, AgentFacts)

    async def test_a_run_ends_and_leaves_steps(self, agent: Agent, model: Model) -> None:
        """At least one step is written."""
        assert (await self.rehearsed(agent, model)).written

    async def test_a_second_caller_does_not_meet_the_first(
        self, agent: Agent, model: Model
    ) -> None:
        """Two runs at once write the same as one alone."""
        alone = await self.rehearsed(agent, model)
        runs = [self.rehearsed(agent, model), self.rehearsed(agent, model)]
        for run in await asyncio.gather(*runs):
            assert len(run.written) == len(alone.written)

    async def test_memos_are_not_made_again_after_a_crash(self, agent: Agent, model: Model) -> None:
        """A run that finds the memos of an earlier attempt uses them."""
        first = await self.rehearsed(agent, model)
        again = await self.rehearsed(agent, model, after=first)
        assert not set(again.made) & set(first.memos)
