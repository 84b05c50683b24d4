"""ScriptedAgent: an agent that does what the test wrote down."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import msgspec

from interplay.contracts.agent import AgentFacts, Run
from interplay.testing.gates import Gate, Gates
from interplay.testing.script import Fail, Part
from interplay.wire.content import TextContent
from interplay.wire.steps import ModelOutputStep


class Act(Part):
    """One thing an agent does; the field that is set says which."""

    say: str | None = None
    """Writes a model_output."""
    think: str | None = None
    """Writes a thought."""
    converse: str | None = None
    """Runs the plain loop with the model of this name."""
    once: str | None = None
    """Makes a memo under this key, whose value counts how often it was made."""
    hold: str | None = None
    """Waits at the gate of this name."""
    fail: Fail | None = None
    """Ends the run with this failure."""


class ScriptedAgentConfig(msgspec.Struct, kw_only=True):
    """Any `agent_config`: nothing in it is read."""


class ScriptedAgent:
    """An agent whose every run does the same acts. `runs` holds the runs it was given, `made`
    counts the memos that were made and not remembered."""

    Config: ClassVar[type[msgspec.Struct]] = ScriptedAgentConfig
    facts: ClassVar[AgentFacts] = AgentFacts()

    def __init__(self, acts: Sequence[dict[str, Any] | Act | str] = ()) -> None:
        self.acts = [_act(act) for act in acts]
        self.runs: list[Run] = []
        self.made = 0
        self._gates = Gates()

    @classmethod
    def of(cls, *acts: dict[str, Any] | Act | str) -> ScriptedAgent:
        """An agent with these acts; a bare string is said."""
        return cls(acts)

    def gate(self, name: str) -> Gate:
        """The gate of this name."""
        return self._gates[name]

    async def run(self, run: Run) -> None:
        """Does the acts in order."""
        self.runs.append(run)
        for act in self.acts:
            await self._do(act, run)

    async def _do(self, act: Act, run: Run) -> None:
        if act.say is not None:
            await run.write(ModelOutputStep(content=[TextContent(act.say)]))
        elif act.think is not None:
            await run.think(act.think)
        elif act.converse is not None:
            await run.converse(act.converse)
        elif act.once is not None:
            await run.once(act.once, self._make)
        elif act.hold is not None:
            await self._gates[act.hold].passing()
        elif act.fail is not None:
            raise act.fail.failure()

    async def _make(self) -> int:
        self.made += 1
        return self.made


def _act(given: dict[str, Any] | Act | str) -> Act:
    if isinstance(given, str):
        return Act(say=given)
    return given if isinstance(given, Act) else msgspec.convert(given, Act)
