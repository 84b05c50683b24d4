"""What a running agent holds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

import msgspec

from interplay.contracts.agent import Ask
from interplay.contracts.model import Choice, Model, Piece, Turn, TurnEnd
from interplay.contracts.store import Store
from interplay.interactions import tokens
from interplay.interactions.admit import Admitted
from interplay.interactions.failures import GenerationFault
from interplay.interactions.journal import Durability, Journal
from interplay.interactions.loop import Conversation, converse
from interplay.interactions.roster import Roster, UnknownName
from interplay.interactions.toolbox import Toolbox
from interplay.interactions.writer import Writer
from interplay.settings import Limits
from interplay.wire.content import TextContent
from interplay.wire.generation import GenerationConfig
from interplay.wire.interaction import CreateInteraction
from interplay.wire.steps import Step, ThoughtStep
from interplay.wire.tools import Tool
from interplay.wire.usage import InteractionStatus


class AgentRun:
    """The Run of interplay.contracts.agent over one journal."""

    def __init__(
        self,
        admitted: Admitted,
        journal: Journal,
        writer: Writer,
        roster: Roster,
        store: Store,
        limits: Limits,
    ) -> None:
        self._admitted, self._journal, self._writer = admitted, journal, writer
        self._roster, self._store, self._limits = roster, store, limits
        self._memos: dict[str, bytes] | None = None
        self._making: dict[str | None, asyncio.Lock] = {}
        self.status: InteractionStatus = "completed"
        self.interaction_id: str = journal.row.id
        self.asked: CreateInteraction = admitted.asked
        self.config: Any = admitted.agent_config
        self.history: Sequence[Step] = admitted.history
        self.input: Sequence[Step] = admitted.input

    @property
    def written(self) -> Sequence[Step]:
        """Steps finished so far."""
        return self._journal.fold.steps

    async def _model(self, name: str) -> Model:
        try:
            found = self._roster.model(name)
        except UnknownName as error:
            raise GenerationFault("model_not_found", str(error)) from error
        await self._roster.open(found)
        return found.model

    async def converse(
        self, model: str, *, system_instruction: str | None = None, tools: Sequence[Tool] = ()
    ) -> None:
        """The plain loop over the request's tools and these; sets the interaction's status."""
        toolbox = self._admitted.toolbox
        if tools:
            declared = [*(self.asked.tools or []), *tools]
            toolbox = await Toolbox.of(declared, self._roster, self._limits, model)
        self.status = await converse(
            Conversation(
                model=await self._model(model),
                name=model,
                journal=self._journal,
                writer=self._writer,
                toolbox=toolbox,
                limits=self._limits,
                owner=self._admitted.owner,
                references=self._admitted.references,
                history=list(self.history),
                input=list(self.input),
                system_instruction=system_instruction,
                format=self._admitted.format,
            )
        )

    async def generate(self, ask: Ask) -> AsyncIterator[Piece]:
        """One turn; its usage counts for the interaction."""
        model = await self._model(ask.model)
        config = ask.generation or GenerationConfig()
        admitted = self._admitted
        steps = await admitted.references.shown(list(ask.steps), admitted.owner, model.facts)
        turn = Turn(
            model=ask.model,
            steps=steps,
            system_instruction=ask.system_instruction,
            functions=list(ask.functions),
            choice=ask.choice or Choice(),
            max_output_tokens=config.max_output_tokens,
            temperature=config.temperature,
            top_p=config.top_p,
            top_k=config.top_k,
            seed=config.seed,
            stop_sequences=config.stop_sequences or [],
            thinking_level=config.thinking_level if model.facts.thinking_levels else None,
            thinking_summaries=config.thinking_summaries == "auto",
            json=ask.schema is not None,
            schema=ask.schema,
            conversation=self._journal.conversation,
        )
        async for piece in model.stream(turn):
            if isinstance(piece, TurnEnd):
                self._journal.usage = tokens.add(self._journal.usage, piece.usage)
            yield piece

    async def write(self, step: Step) -> None:
        """Writes one whole step."""
        self._writer.step(step)

    async def think(self, summary: str) -> None:
        """Writes a thought step."""
        self._writer.step(ThoughtStep(summary=[TextContent(summary)]))

    async def once(self, key: str, make: Callable[[], Awaitable[Any]]) -> Any:
        """Durable memo, kept with background interactions; others end with their process."""
        durable = self._journal.durability is Durability.FIRST
        async with self._making.setdefault(None, asyncio.Lock()):
            if self._memos is None:
                self._memos = await self._store.recall(self.interaction_id) if durable else {}
        async with self._making.setdefault(key, asyncio.Lock()):
            if key not in self._memos:
                value = msgspec.json.encode(await make())
                if durable:
                    epoch = self._journal.epoch
                    await self._store.remember(self.interaction_id, key, value, epoch=epoch)
                self._memos[key] = value
            return msgspec.json.decode(self._memos[key])
