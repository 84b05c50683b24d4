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
from interplay.interactions.references import References
from interplay.interactions.repair import Misfit, answered, called, misfit, refused
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
    references: References
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
    steps, found = at.journal.fold.steps, at.toolbox.deferred.shown
    at.writer.sources = Sources(at.history, at.input, steps)
    prefix = at.writer.take_up(prefill=at.model.facts.prefill)
    told = await _take_up(at)
    if steps and pending_calls(steps):  # an earlier attempt came this far
        return "requires_action"
    opening = True
    for _ in range(at.limits.turns):
        start, known, called = len(steps), len(found), at.writer.calls
        turn = await build_turn(at, first=opening, prefix=prefix)
        end, held = await _turn(at, turn)
        prefix = ""
        at.journal.usage = tokens.add(at.journal.usage, end.usage)
        if end.reason == "blocked":
            raise GenerationFault(
                end.code or "content_blocked", end.message or "The model's output was blocked."
            )
        if end.reason == "length":
            return "incomplete"
        if not held and at.writer.calls == called:
            if at.format.json:
                at.format.check(_text(at.journal))
            return "completed"
        misfits = await _carry_out(at, start, held, told=told)
        if pending_calls(steps[start:]):
            return "requires_action"
        told = misfits
        opening = opening and (told or len(found) > known)  # what must be called was not yet
    raise GenerationFault(
        "too_many_tool_calls",
        f"The model was not done after {at.limits.turns} turns (limits.turns).",
    )


async def _take_up(at: Conversation) -> bool:
    """Goes on behind what an earlier attempt wrote; whether the model has just been told of calls
    that cannot be made."""
    steps = at.journal.fold.steps
    at.toolbox.recall(at.history, "history")
    at.toolbox.recall(at.input, "input")
    if at.journal.epoch == 1:
        return False
    await _recall_usage(at.journal)
    under_way = await at.toolbox.under_way(at.journal)
    if under_way.numbers:
        await _answer(at, under_way)
    at.toolbox.recall(steps, "steps")
    misfits = _misfits(at, 0)
    _refuse(at, misfits)
    return bool(misfits)


async def _carry_out(
    at: Conversation, start: int, held: list[ToolCall | Misfit], *, told: bool
) -> bool:
    """Makes the calls of a turn that the server answers, and tells the model of those that cannot
    be made; whether there were any. Raises GenerationFault when it had been `told` just before."""
    steps = at.journal.fold.steps
    misfits = _misfits(at, start) + [call for call in held if isinstance(call, Misfit)]
    if misfits and told:
        raise misfits[0].failed()
    _refuse(at, misfits)
    served = [call for call in held if isinstance(call, ToolCall)]
    if not served:
        return bool(misfits)
    made = len(steps)
    await _serve(at, served)
    at.toolbox.recall(steps[made:], "steps")
    refusal = refused(served, steps[made:], at.toolbox)
    if refusal is not None and told:
        raise refusal.failed()
    return bool(misfits) or refusal is not None


async def _turn(at: Conversation, turn: Turn) -> tuple[TurnEnd, list[ToolCall | Misfit]]:
    """One turn of the model: its pieces written, its calls of served tools held back."""
    writer, served = at.writer, at.toolbox.served
    held: list[tuple[FunctionCallStep, list[str]]] = []
    holding = False
    left = at.limits.tool_calls - sum(hasattr(step, "id") for step in at.journal.fold.steps)
    end: TurnEnd | None = None
    try:
        async with aclosing(_stream(at, turn)) as pieces:
            async for piece in pieces:
                kind: Any = piece.__class__
                if kind is TurnEnd:
                    end = piece  # pyright: ignore
                elif holding and kind is ArgumentsDelta:
                    held[-1][1].append(piece.arguments or "")  # pyright: ignore
                elif kind is FunctionCallStep:
                    left -= 1
                    if left < 0:
                        raise GenerationFault("too_many_tool_calls", _too_many(at.limits))
                    holding = piece.name in served  # pyright: ignore
                    if holding:
                        held.append((piece, []))  # pyright: ignore
                    else:
                        writer.piece(piece)
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
    return end, [called(step, "".join(parts), at.toolbox) for step, parts in held]


def _too_many(limits: Limits) -> str:
    return f"The model made more than {limits.tool_calls} calls (limits.tool_calls)."


def _misfits(at: Conversation, start: int) -> list[Misfit]:
    """Calls of the caller's functions from this step on, not answered, that cannot be made."""
    steps, malformed = at.journal.fold.steps, at.writer.malformed
    done = answered(steps[start:])
    found = [
        misfit(step, at.toolbox, malformed.pop(number, None))
        for number, step in enumerate(steps[start:], start)
        if isinstance(step, FunctionCallStep) and step.id not in done
    ]
    return [one for one in found if one is not None]


def _refuse(at: Conversation, misfits: list[Misfit]) -> None:
    """Tells the model of them, behind the calls, as their results."""
    open_calls = {step.id for step in pending_calls(at.journal.fold.steps)}
    for one in misfits:
        if one.call.id not in open_calls:  # of a served tool: it was held back until now
            at.writer.step(msgspec.structs.replace(one.call, arguments={}))
        at.writer.refuse(one.call, f"Not made. {one.message}")


def _stream(at: Conversation, turn: Turn) -> Any:
    pieces: AsyncIterator[Piece] = at.model.stream(turn)
    return pieces


async def build_turn(at: Conversation, *, first: bool, prefix: str = "") -> Turn:
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
        steps=await at.references.shown(steps, at.owner, facts),
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
