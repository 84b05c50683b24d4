"""The model and the tools in turn, until the model is done."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import msgspec

from interplay.contracts.failpoint import reached
from interplay.contracts.model import Choice, Model, Piece, Turn, TurnEnd
from interplay.contracts.tool import ToolCall
from interplay.interactions import tokens
from interplay.interactions.calls import Announced
from interplay.interactions.citations import Sources
from interplay.interactions.failures import GenerationFault
from interplay.interactions.format import Format
from interplay.interactions.history import join, pending_calls
from interplay.interactions.journal import Durability, Journal, OutputLimit
from interplay.interactions.sight import seen
from interplay.interactions.toolbox import Toolbox
from interplay.interactions.writer import Writer
from interplay.settings import Limits
from interplay.wire.content import TextContent
from interplay.wire.deltas import ArgumentsDelta
from interplay.wire.generation import GenerationConfig
from interplay.wire.steps import FunctionCallStep, ModelOutputStep, Step
from interplay.wire.usage import InteractionStatus, Usage

_USAGE = "interplay:usage"


class Conversation(msgspec.Struct):
    """What one loop needs: who answers, with what, and where it is written."""

    model: Model
    name: str
    journal: Journal
    writer: Writer
    toolbox: Toolbox
    limits: Limits
    owner: str
    history: list[Step]
    input: list[Step]
    system_instruction: str | None = None
    generation: GenerationConfig = msgspec.field(default_factory=GenerationConfig)
    choice: Choice = msgspec.field(default_factory=Choice)
    format: Format = msgspec.field(default_factory=Format)


async def converse(at: Conversation) -> InteractionStatus:
    """Runs turns until the model is done, a function of the caller must answer, or a limit ends it.

    Raises GenerationFault, interplay.contracts.failure.Failure, Ended.
    """
    at.writer.sources = Sources(at.history, at.input, at.journal.fold.steps)
    prefix = at.writer.take_up(prefill=at.model.facts.prefill)
    if at.journal.epoch > 1:
        await _recall_usage(at.journal)
        under_way = await at.toolbox.under_way(at.journal)
        if under_way.numbers:
            await _answer(at, under_way)
    if pending_calls(at.journal.fold.steps):  # an earlier attempt came this far
        return "requires_action"
    for number in range(at.limits.turns):
        start = len(at.journal.fold.steps)
        turn = build_turn(at, first=number == 0, prefix=prefix)
        end, served = await _turn(at, turn)
        prefix = ""
        at.journal.usage = tokens.add(at.journal.usage, end.usage)
        if end.reason == "blocked":
            raise GenerationFault(
                end.code or "content_blocked", end.message or "The model's output was blocked."
            )
        if end.reason == "length":
            return "incomplete"
        waits = _waiting(at, at.journal.fold.steps[start:])
        if served:
            await _serve(at, served)
        if waits:
            return "requires_action"
        if not served:
            if at.format.json:
                at.format.check(_text(at.journal))
            return "completed"
    raise GenerationFault(
        "too_many_tool_calls",
        f"The model was not done after {at.limits.turns} turns (limits.turns).",
    )


async def _turn(at: Conversation, turn: Turn) -> tuple[TurnEnd, list[ToolCall]]:
    """One turn of the model: its pieces written, its calls of served tools held back."""
    writer, served = at.writer, at.toolbox.served
    held: list[tuple[FunctionCallStep, list[str]]] = []
    holding = False
    end: TurnEnd | None = None
    try:
        async with aclosing(_stream(at, turn)) as pieces:
            async for piece in pieces:
                kind: Any = piece.__class__
                if kind is TurnEnd:
                    end = piece  # pyright: ignore
                elif kind is FunctionCallStep and piece.name in served:  # pyright: ignore
                    holding = True
                    held.append((piece, []))  # pyright: ignore
                elif holding and kind is ArgumentsDelta:
                    held[-1][1].append(piece.arguments or "")  # pyright: ignore
                else:
                    holding = False
                    writer.piece(piece)
    except OutputLimit:
        return TurnEnd(reason="length"), []
    if end is not None and end.reason == "length":
        writer.settle(cut=True)
        return end, []
    writer.settle()
    if end is None:
        raise GenerationFault("api_error", "The model's turn stopped without an end.")
    return end, [_call(step, "".join(parts)) for step, parts in held]


def _stream(at: Conversation, turn: Turn) -> Any:
    pieces: AsyncIterator[Piece] = at.model.stream(turn)
    return pieces


def build_turn(at: Conversation, *, first: bool, prefix: str = "") -> Turn:
    """What the model is asked: the chain, this input, and what is written so far."""
    steps = at.history.copy()
    join(steps, at.input)
    steps += at.journal.fold.steps
    config, facts, format = at.generation, at.model.facts, at.format
    choice = at.choice
    if not first and choice.mode == "any":
        choice = Choice(names=choice.names)  # it has called; now it may answer
    system = at.system_instruction
    if at.toolbox.instructions:
        system = "\n\n".join([*([system] if system else []), *at.toolbox.instructions])
    if format.json and not facts.schema:
        system = "\n\n".join(part for part in (system, format.instruction()) if part)
    return Turn(
        model=at.name,
        steps=seen(steps, facts.inputs),
        system_instruction=system or None,
        functions=at.toolbox.specs,
        choice=choice,
        max_output_tokens=config.max_output_tokens,
        temperature=config.temperature,
        top_p=config.top_p,
        top_k=config.top_k,
        seed=config.seed,
        stop_sequences=config.stop_sequences or [],
        thinking_level=config.thinking_level if facts.thinking_levels else None,
        thinking_summaries=config.thinking_summaries == "auto",
        json=format.json,
        schema=format.schema,
        formats=format.typed,
        config=config,
        prefix=prefix,
        conversation=at.journal.conversation,
    )


def _call(step: FunctionCallStep, text: str) -> ToolCall:
    try:
        arguments: Any = msgspec.json.decode(text) if text else step.arguments
    except msgspec.DecodeError as error:
        raise GenerationFault(
            "malformed_tool_call", f"The arguments for '{step.name}' are not JSON: {error}"
        ) from error
    if not isinstance(arguments, dict):
        raise GenerationFault(
            "malformed_tool_call", f"The arguments for '{step.name}' are not a JSON object."
        )
    return ToolCall(id=step.id, name=step.name, arguments=arguments)  # pyright: ignore


def _waiting(at: Conversation, written: list[Step]) -> bool:
    """Whether this turn made calls the caller must answer; checks them first."""
    waits = False
    for step in written:
        if not isinstance(step, FunctionCallStep):
            continue
        if step.name not in at.toolbox.functions:
            listed = ", ".join(sorted(at.toolbox.functions)) or "none"
            raise GenerationFault(
                "unexpected_tool_call",
                f"The model called '{step.name}', which was not declared. Declared: {listed}.",
            )
        if at.choice.mode == "validated":
            faults = at.toolbox.argument_faults(step.name, step.arguments)
            if faults:
                raise GenerationFault(
                    "malformed_function_call",
                    f"The arguments for '{step.name}' do not fit its schema: {'; '.join(faults)}",
                )
        waits = True
    return waits


async def _serve(at: Conversation, calls: list[ToolCall]) -> None:
    await _remember_usage(at.journal)
    await _answer(at, await at.toolbox.announce(calls, at.journal))


async def _answer(at: Conversation, announced: Announced) -> None:
    if at.writer.sources is not None:
        at.toolbox.numbers.skip(at.writer.sources.last)
    answers: Any = at.toolbox.answer(announced, at.journal.row.id, at.owner)
    async with aclosing(answers):
        async for item in answers:
            reached("answered")
            at.writer.made(item)
    at.writer.close()


async def _remember_usage(journal: Journal) -> None:
    """What the turns so far have taken counts for the interaction, also after a crash."""
    if journal.durability is Durability.FIRST and journal.usage is not None:
        usage = msgspec.json.encode(journal.usage)
        await journal.store.remember(journal.row.id, _USAGE, usage, epoch=journal.epoch)


async def _recall_usage(journal: Journal) -> None:
    if journal.durability is not Durability.FIRST:
        return
    memo = (await journal.store.recall(journal.row.id)).get(_USAGE)
    if memo is not None and journal.usage is None:
        journal.usage = msgspec.json.decode(memo, type=Usage)


def _text(journal: Journal) -> str:
    """The text of the last answer; it may still be open."""
    fold = journal.fold
    parts = [fold.open_text()] if isinstance(fold.open, ModelOutputStep) else []
    for step in reversed([*fold.steps, fold.open] if fold.open is not None else fold.steps):
        if not isinstance(step, ModelOutputStep):
            break
        content = step.content or []
        parts.insert(0, "".join(c.text for c in content if isinstance(c, TextContent)))
    return "".join(parts)
