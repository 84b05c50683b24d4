"""Steps and plan -> the very events they were folded from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from interplay.contracts.store import StoredInteraction
from interplay.interactions.fold import MEDIA
from interplay.interactions.terminal import created, ending
from interplay.wire import deltas as delta_types
from interplay.wire.content import TextContent
from interplay.wire.deltas import (
    ArgumentsDelta,
    TextAnnotationDelta,
    TextDelta,
    ThoughtSignatureDelta,
    ThoughtSummaryDelta,
)
from interplay.wire.errors import Error
from interplay.wire.events import Event, InteractionStatusUpdate, StepDelta, StepStart, StepStop
from interplay.wire.steps import FunctionCallStep, ModelOutputStep, Step, ThoughtStep
from interplay.wire.usage import InteractionStatus, Usage

_MEDIA_DELTA = {content: delta for delta, content in MEDIA.items()}
_TOLD = (ModelOutputStep, ThoughtStep)
_TYPED_DELTA: dict[str, Any] = {
    kind.__struct_config__.tag: kind
    for kind in vars(delta_types).values()
    if isinstance(kind, type)
    and issubclass(kind, msgspec.Struct)
    and isinstance(kind.__struct_config__.tag, str)
}


def plain_plan(steps: list[Step]) -> list[Any]:
    """The plan of steps nobody watched: each text in one delta, each whole in one."""
    plan: list[Any] = ["in_progress"]
    for step in steps:
        if isinstance(step, _TOLD):
            plan.append([_size(unit) for unit in _units(step)])
        elif isinstance(step, FunctionCallStep):
            plan.append([len(msgspec.json.encode(step.arguments).decode())])
        elif step.__struct_config__.tag in _TYPED_DELTA:
            plan.append([0])
        else:
            plan.append([])
    return plan


def events(stored: StoredInteraction, steps: list[Step], usage: Usage | None) -> Iterator[Event]:
    """Every event of an interaction that has ended, without event ids."""
    plan = msgspec.msgpack.decode(stored.replay) if stored.replay else plain_plan(steps)
    status: InteractionStatus = "in_progress"
    if plan and plan[0] == "queued":
        status, plan = "queued", plan[1:]
    yield created(stored, status)
    index = 0
    for entry in plan:
        if isinstance(entry, str):
            yield InteractionStatusUpdate(stored.id, entry)  # pyright: ignore
            continue
        step = steps[index]
        yield StepStart(index, _bare(step, entry))
        for delta in _deltas(step, entry):
            yield StepDelta(delta, index)
        yield StepStop(index)
        index += 1
    errors = msgspec.json.decode(stored.errors, type=list[Error]) if stored.errors else []
    yield from ending(stored, errors, usage)


def count(plan: list[Any]) -> int:
    """How many events a plan stands for, the created and the terminal ones left out."""
    events = 0
    for entry in plan:
        if isinstance(entry, str):
            events += entry != "queued"
        else:
            events += 2 + len(entry) - (bool(entry) and isinstance(entry[0], str))
    return events


def bare(step: Step) -> Step:
    """A whole step as `step.start` carries it when deltas bring its content."""
    return _bare(step, [0])


def plain_deltas(step: Step) -> Iterator[Any]:
    """A whole step as deltas, each text and each whole in one."""
    return _deltas(step, plain_plan([step])[1])


def _bare(step: Step, cuts: list[Any]) -> Step:
    """The step as `step.start` carries it: what the deltas will bring is left out."""
    if isinstance(step, ModelOutputStep):
        return ModelOutputStep(error=step.error)
    if isinstance(step, ThoughtStep):
        return ThoughtStep()
    if isinstance(step, FunctionCallStep):
        return msgspec.structs.replace(step, arguments={})
    return _bare_typed(step) if cuts else step


def _bare_typed(step: Any) -> Any:
    """A typed call or result step with empty values where its one delta brings the content."""
    delta = _TYPED_DELTA.get(step.__struct_config__.tag)
    if delta is None:
        return step
    brought = set(delta.__struct_fields__)
    empty: dict[str, Any] = {}
    for field in msgspec.structs.fields(step):
        if field.name not in brought or field.name in {"name", "server_name"}:
            continue
        value = getattr(step, field.name)
        if not field.required:
            empty[field.name] = field.default if field.default is not msgspec.NODEFAULT else None
        elif isinstance(value, msgspec.Struct):
            empty[field.name] = type(value)()
        else:
            empty[field.name] = type(value)()
    return msgspec.structs.replace(step, **empty)


def _typed_delta(step: Any) -> Any:
    """The one delta that fills a bare typed step."""
    kind = _TYPED_DELTA[step.__struct_config__.tag]
    fields: dict[str, Any] = {}
    for field in msgspec.structs.fields(kind):
        if hasattr(step, field.name):
            fields[field.name] = getattr(step, field.name)
        elif field.required:
            fields[field.name] = []  # file_search_result has no result on its step
    return kind(**fields)


def _deltas(step: Any, cuts: list[Any]) -> Iterator[Any]:
    if isinstance(step, FunctionCallStep):
        yield from _arguments(step, cuts)
    elif isinstance(step, _TOLD):
        yield from _cut(
            _units(step), cuts, TextDelta if isinstance(step, ModelOutputStep) else _summary
        )
    elif cuts:
        yield _typed_delta(step)


def _arguments(step: FunctionCallStep, cuts: list[Any]) -> Iterator[ArgumentsDelta]:
    if cuts and isinstance(cuts[0], str):
        text, cuts = cuts[0], cuts[1:]
    else:
        text = msgspec.json.encode(step.arguments).decode()
    at = 0
    for length in cuts:
        yield ArgumentsDelta(text[at : at + length])
        at += length


def _summary(text: str) -> ThoughtSummaryDelta:
    return ThoughtSummaryDelta(TextContent(text))


def _units(step: ModelOutputStep | ThoughtStep) -> list[Any]:
    """What the deltas of a step carry, in order: text (str), annotations (list), wholes (delta)."""
    units: list[Any] = []
    thought = isinstance(step, ThoughtStep)
    for block in (step.summary if thought else step.content) or []:
        if isinstance(block, TextContent):
            if block.text:
                units += [block.text, block.annotations] if block.annotations else [block.text]
        elif thought:
            units.append(ThoughtSummaryDelta(block))
        else:
            kind = _MEDIA_DELTA[type(block)]
            shared = set(kind.__struct_fields__) & set(block.__struct_fields__)
            units.append(kind(**{name: getattr(block, name) for name in shared}))
    if thought and step.signature is not None:
        units.append(ThoughtSignatureDelta(step.signature))
    return units


def _size(unit: Any) -> int:
    if isinstance(unit, str):
        return len(unit)
    return -len(unit) if isinstance(unit, list) else 0  # pyright: ignore


def _cut(units: list[Any], cuts: list[int], text_delta: Any) -> Iterator[Any]:
    number, at = 0, 0
    for cut in cuts:
        if at and at >= len(units[number]):
            number, at = number + 1, 0
        unit = units[number]
        if cut == 0:
            yield unit
            number += 1
        else:
            part = unit[at : at + abs(cut)]
            at += abs(cut)
            yield text_delta(part) if cut > 0 else TextAnnotationDelta(part)
