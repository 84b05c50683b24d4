"""ScriptedModel: a model that says what the test or the settings wrote down."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from hashlib import blake2b
from typing import Any, ClassVar

import msgspec

from interplay.contracts.failure import Refused
from interplay.contracts.model import ModelFacts, Piece, Turn, TurnEnd
from interplay.testing.echo import echo, words
from interplay.testing.gates import Gate, GateNotReached, Gates
from interplay.testing.script import Call, Hold, Reply, Scripted, ScriptError, reply
from interplay.wire.content import TextContent
from interplay.wire.deltas import (
    ArgumentsDelta,
    TextDelta,
    ThoughtSignatureDelta,
    ThoughtSummaryDelta,
)
from interplay.wire.steps import FunctionCallStep, UserInputStep
from interplay.wire.usage import ModalityTokens, Usage

DEFAULT_FACTS = ModelFacts(
    inputs=frozenset({"text", "image", "audio", "video", "document"}),
    outputs=frozenset({"text", "image", "audio", "video"}),
    functions=True,
    schema=True,
    thinking_levels=frozenset({"minimal", "low", "medium", "high", "xhigh"}),
)


class ScriptedConfig(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """The fields of an entry with `backend = "scripted"`."""

    replies: list[str | Reply] = []
    """One per turn, in order; a bare string is its text."""
    repeat: bool = False
    """After the last reply the script starts again."""
    echo: bool = False
    """Turns beyond the script are answered from the input (see interplay.testing.echo)."""
    delay: float = 0.0
    """Seconds before the first piece of every turn, for replies that say nothing else."""
    pace: float = 0.0
    """Seconds between pieces, likewise."""
    facts: dict[str, Any] = {}
    """Facts that differ from DEFAULT_FACTS."""


class ScriptedModel:
    """A model without a model, for tests and trials.

    `turns` holds every Turn it was given; `closed` counts the streams that were closed before
    their end; `verify()` raises when replies are left over or a turn found none.
    """

    Config: ClassVar[type[msgspec.Struct]] = ScriptedConfig

    def __init__(self, config: ScriptedConfig | None = None) -> None:
        config = config or ScriptedConfig()
        self.facts = msgspec.convert({**_plain(DEFAULT_FACTS), **config.facts}, ModelFacts)
        self.turns: list[Turn] = []
        self.closed = 0
        self.opened = 0
        self.shut = 0
        self.busy_with: str | None = None
        """What `doing()` answers."""
        self._config = config
        self._script: list[Scripted] = [*config.replies]
        self._next = 0
        self._beyond = 0
        self._gates = Gates()
        self._abandoned = asyncio.Event()

    @classmethod
    def of(cls, *replies: Scripted, **config: Any) -> ScriptedModel:
        """A model with these replies; keywords are fields of ScriptedConfig.

        A reply is a text, a Reply or its fields as a dict, an exception to be raised, or a
        callable that is given the turn and answers a text or a Reply.
        """
        model = cls(msgspec.convert(config, ScriptedConfig))
        model._script = [*replies]
        return model

    def gate(self, name: str) -> Gate:
        """The gate of this name; chunks hold at it with {"hold": name}."""
        return self._gates[name]

    async def abandoned(self, seconds: float = 60.0) -> None:
        """Waits until a stream has been closed before its end."""
        try:
            async with asyncio.timeout(seconds):
                await self._abandoned.wait()
        except TimeoutError:
            raise GateNotReached(f"No stream was closed early in {seconds:g} s.") from None

    def verify(self) -> None:
        """Raises ScriptError when the script and the turns do not match up."""
        left = len(self._script) - self._next
        if self._beyond:
            raise ScriptError(f"{self._beyond} turns came after the end of the script.")
        if left > 0 and not self._config.repeat:
            raise ScriptError(f"{left} of {len(self._script)} scripted replies were not used.")

    async def stream(self, turn: Turn) -> AsyncIterator[Piece]:
        """Runs the next reply. Raises ScriptError when there is none."""
        self.turns.append(turn)
        _refuse_unseen(turn, self.facts)
        said = self._reply(turn)
        try:
            async for piece in self._pieces(said, turn):
                yield piece
        except (GeneratorExit, asyncio.CancelledError):
            self.closed += 1
            self._abandoned.set()
            raise

    def doing(self) -> str | None:
        """What the test put into `busy_with`."""
        return self.busy_with

    async def open(self) -> None:
        """Counts in `opened`."""
        self.opened += 1

    async def close(self) -> None:
        """Counts in `shut`."""
        self.shut += 1

    def _reply(self, turn: Turn) -> Reply:
        if self._next == len(self._script) and self._script and self._config.repeat:
            self._next = 0
        if self._next < len(self._script):
            self._next += 1
            return reply(self._script[self._next - 1], turn)
        if self._config.echo:
            return echo(turn)
        self._beyond += 1
        raise ScriptError(
            f"The scripted model has {len(self._script)} replies and was asked for one more."
            " Add a reply, or set `echo` or `repeat`."
        )

    async def _pieces(self, said: Reply, turn: Turn) -> AsyncIterator[Piece]:
        pace = said.pace or self._config.pace
        wait = said.delay or self._config.delay
        texts: list[str] = []
        prefix = _Prefix(turn.prefix)
        thought = 0
        for part in _parts(said, turn):
            if wait > 0:
                await asyncio.sleep(wait)
            wait = pace
            if isinstance(part, Hold):
                await self._gates[part.hold].passing()
                continue
            if isinstance(part, TextDelta):
                part = TextDelta(prefix.beyond(part.text))
                if not part.text:
                    continue
                texts.append(part.text)
            elif isinstance(part, ThoughtSummaryDelta) and said.thought:
                thought = len(said.thought.summary.split())
            yield part
        if said.fail is not None:
            raise said.fail.failure()
        if not said.endless:
            yield _end(said, turn, "".join(texts), thought)


class _Prefix:
    """Takes away what the client has seen already, where the script says it again."""

    def __init__(self, prefix: str) -> None:
        self._left = prefix

    def beyond(self, text: str) -> str:
        if not self._left:
            return text
        if self._left.startswith(text):
            self._left = self._left[len(text) :]
            return ""
        rest = text[len(self._left) :] if text.startswith(self._left) else text
        self._left = ""
        return rest


def _refuse_unseen(turn: Turn, facts: ModelFacts) -> None:
    for index, step in enumerate(turn.steps):
        for block in (step.content or []) if isinstance(step, UserInputStep) else []:
            modality = type(block).__struct_config__.tag
            if modality not in facts.inputs:
                raise Refused(f"The scripted model takes no {modality} (step {index}).")


def _parts(said: Reply, turn: Turn) -> Iterator[Any]:
    if said.thought is not None:
        if turn.thinking_summaries and said.thought.summary:
            yield ThoughtSummaryDelta(TextContent(said.thought.summary))
        if said.thought.signature is not None:
            yield ThoughtSignatureDelta(said.thought.signature)
    if said.text is not None:
        yield TextDelta(said.text)
    for chunk in said.chunks:
        yield TextDelta(chunk) if isinstance(chunk, str) else chunk
    yield from said.deltas
    for index, call in enumerate(said.calls):
        yield from _call(call, turn, index)


def _call(call: Call, turn: Turn, index: int) -> Iterator[Any]:
    seed = f"{turn.conversation} {len(turn.steps)} {index} {call.name}"
    id = call.id or blake2b(seed.encode(), digest_size=4).hexdigest()
    yield FunctionCallStep(arguments={}, id=id, name=call.name)
    text = call.raw if call.raw is not None else msgspec.json.encode(call.arguments).decode()
    size = max(1, -(-len(text) // max(1, call.fragments)))
    for at in range(0, len(text), size):
        yield ArgumentsDelta(text[at : at + size])


def _end(said: Reply, turn: Turn, text: str, thought: int) -> TurnEnd:
    usage = said.usage or _usage(said, turn, text, thought)
    if said.end is not None:
        return TurnEnd(
            reason=said.end.reason, usage=usage, code=said.end.code, message=said.end.message
        )
    return TurnEnd(reason="calls" if said.calls else "stop", usage=usage)


def _usage(said: Reply, turn: Turn, text: str, thought: int) -> Usage:
    read = words(turn.steps) + len((turn.system_instruction or "").split())
    written = len(text.split()) + len(said.calls)
    return Usage(
        total_input_tokens=read,
        total_output_tokens=written,
        total_thought_tokens=thought,
        total_cached_tokens=0,
        total_tool_use_tokens=0,
        total_tokens=read + written + thought,
        input_tokens_by_modality=[ModalityTokens(modality="text", tokens=read)],
    )


def _plain(facts: ModelFacts) -> dict[str, Any]:
    return msgspec.structs.asdict(facts)
