"""Rehearsal: a Run without a server, for trying an agent out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

import msgspec

from interplay.contracts.agent import Agent, Ask
from interplay.contracts.model import Choice, Model, Piece, Turn
from interplay.testing.pieces import said
from interplay.testing.scripted_model import ScriptedModel
from interplay.wire.content import TextContent
from interplay.wire.interaction import CreateInteraction
from interplay.wire.steps import ModelOutputStep, Step, ThoughtStep, UserInputStep
from interplay.wire.tools import Tool


class Rehearsal:
    """What a running agent holds, kept in memory; see interplay.contracts.agent.Run.

    `written` and `memos` can be handed to a second rehearsal, which then stands for the run
    after a crash. `converse` runs one turn and writes it; it executes no tools.
    """

    def __init__(
        self,
        text: str = "hello",
        *,
        model: Model | None = None,
        config: Any = None,
        after: Rehearsal | None = None,
    ) -> None:
        self.interaction_id = "v1_rehearsal"
        self.asked = CreateInteraction(agent="rehearsed", input=text)
        self.config = config
        self.history: Sequence[Step] = []
        self.input: Sequence[Step] = [UserInputStep(content=[TextContent(text)])]
        self.written: Sequence[Step] = [*after.written] if after else []
        self.memos: dict[str, bytes] = {**after.memos} if after else {}
        self.made: list[str] = []
        """Keys whose memo was made in this run, not remembered."""
        self.model = model or ScriptedModel.of(echo=True)

    async def of(self, agent: Agent) -> Sequence[Step]:
        """Runs the agent to its end and answers what it wrote."""
        await agent.run(self)
        return self.written

    async def converse(
        self, model: str, *, system_instruction: str | None = None, tools: Sequence[Tool] = ()
    ) -> None:
        """One turn of the model, written."""
        steps = [*self.history, *self.input, *self.written]
        ask = Ask(model=model, steps=steps, system_instruction=system_instruction)
        answer = said([piece async for piece in self.generate(ask)])
        if answer.thought:
            await self.think(answer.thought)
        if answer.text:
            await self.write(ModelOutputStep(content=[TextContent(answer.text)]))
        for call in answer.calls:
            await self.write(call)

    def generate(self, ask: Ask) -> AsyncIterator[Piece]:
        """One turn of the model."""
        turn = Turn(
            model=ask.model,
            steps=[*ask.steps],
            system_instruction=ask.system_instruction,
            functions=[*ask.functions],
            choice=ask.choice or Choice(),
            json=ask.schema is not None,
            schema=ask.schema,
            conversation=self.interaction_id,
        )
        return self.model.stream(turn)

    async def write(self, step: Step) -> None:
        """Keeps one whole step, as the journal would: through JSON."""
        kept = msgspec.json.decode(msgspec.json.encode(step), type=Step)
        self.written = [*self.written, kept]

    async def think(self, summary: str) -> None:
        """Keeps a thought."""
        await self.write(ThoughtStep(summary=[TextContent(summary)]))

    async def once(self, key: str, make: Callable[[], Awaitable[Any]]) -> Any:
        """The durable memo, through JSON."""
        if key not in self.memos:
            self.made.append(key)
            self.memos[key] = msgspec.json.encode(await make())
        return msgspec.json.decode(self.memos[key])
