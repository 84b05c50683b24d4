"""The input of a request: every form of it, as steps."""

from __future__ import annotations

import re
from typing import Any

from interplay.interactions.failures import invalid
from interplay.interactions.history import ANSWERS, pending_calls
from interplay.interactions.media import MEDIA_KINDS, MediaContent, blocks, field_of
from interplay.settings import Limits
from interplay.wire.content import Content, TextContent
from interplay.wire.interaction import CreateInteraction
from interplay.wire.steps import (
    FunctionCallStep,
    FunctionResultStep,
    Step,
    ToolSearchCallStep,
    ToolSearchResultStep,
    UserInputStep,
)

_BASE64 = re.compile(r"^[A-Za-z0-9+/_-]*={0,2}$")
_CONTENT: Any = Content.__args__
_CALLS = (FunctionCallStep, FunctionResultStep, ToolSearchResultStep)


def read_input(asked: CreateInteraction, limits: Limits) -> list[Step]:
    """Text, a content block, a step, or a list of blocks and steps; blocks that stand side by side
    are one user's input. Raises Rejected."""
    given = asked.input
    if isinstance(given, str):
        return [UserInputStep([TextContent(given)])]
    if given is None:
        raise invalid("Missing required parameter 'input'.")
    entries: list[Any] = given if isinstance(given, list) else [given]
    if not entries:
        raise invalid("'input' is empty; give text, content blocks or steps.")
    if len(entries) > limits.steps_per_request:
        raise invalid(
            f"'input' has {len(entries)} entries; at most {limits.steps_per_request} are possible."
        )
    steps: list[Step] = []
    joined: UserInputStep | None = None
    for block, path in media_of(given):
        _check_media(block, path)
    for entry in entries:
        if isinstance(entry, _CONTENT):
            if joined is None:
                joined = UserInputStep([])
                steps.append(joined)
            joined.content.append(entry)  # pyright: ignore
        else:
            joined = None
            steps.append(entry)
    return steps


def media_of(given: Any) -> list[tuple[MediaContent, str]]:
    """Every media block of an input as it was sent, and where it stands there."""
    if isinstance(given, str):
        return []
    found: list[tuple[MediaContent, str]] = []
    entries: list[Any] = given if isinstance(given, list) else [given]  # pyright: ignore
    for number, entry in enumerate(entries):
        held: Any = () if entry.__class__ is TextContent else blocks(entry)
        for at, block in enumerate(held or (entry,)):
            if block.__class__ in MEDIA_KINDS:
                place = f"input[{number}]" if isinstance(given, list) else "input"
                found.append((block, f"{place}.{field_of(entry)}[{at}]" if held else place))
    return found


def _check_media(block: MediaContent, path: str) -> None:
    if block.data is None and block.uri is None:
        raise invalid("Media needs 'data' (base64) or 'uri'", path)
    if block.data is not None and block.uri is not None:
        raise invalid("Media takes 'data' or 'uri', not both", path)
    if block.data is not None:
        whole = block.data.replace("\n", "").replace("\r", "")
        if not _BASE64.match(whole) or len(whole.rstrip("=")) % 4 == 1:
            raise invalid("'data' is not base64", f"{path}.data")


def check_calls(steps: list[Step], history: list[Step]) -> list[Step]:
    """Every function result must answer a call that is open: in the chain, or earlier in the input.

    Calls of the chain that a client sends again are left out, and results of calls that the server
    itself had to answer, because they could not be made. Raises Rejected.
    """
    for step in steps:
        if isinstance(step, _CALLS):
            break
    else:
        return steps
    known = {step.id for step in history if isinstance(step, FunctionCallStep)}
    open_calls = {call.id for call in pending_calls(history)}
    refused = _refused(history)
    kept: list[Step] = []
    for number, step in enumerate(steps):
        if isinstance(step, FunctionCallStep):
            if step.id in known:
                continue
            open_calls.add(step.id)
        elif isinstance(step, ToolSearchCallStep):
            open_calls.add(step.id)
        elif isinstance(step, ANSWERS):
            if step.call_id in refused:
                continue
            if step.call_id not in open_calls:
                name = getattr(step, "name", None)
                raise invalid(
                    "Please ensure that function response turn comes immediately after a function"
                    f" call turn. Got function response with name '{name or ''}' and call_id"
                    f" '{step.call_id[:80]}', which no open call has",
                    f"input[{number}].call_id",
                )
            open_calls.discard(step.call_id)
        kept.append(step)
    if not kept:
        raise invalid("'input' holds nothing but calls the chain already has.")
    return kept


def _refused(history: list[Step]) -> set[str]:
    """Calls of the last turn of a chain that got their result from the server."""
    called: set[str] = set()
    refused: set[str] = set()
    for step in reversed(history):
        if isinstance(step, UserInputStep):
            break
        if isinstance(step, FunctionResultStep) and step.is_error:
            refused.add(step.call_id)
        elif isinstance(step, FunctionCallStep):
            called.add(step.id)
    return refused & called
