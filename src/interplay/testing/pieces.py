"""Pieces of a turn: collected, checked for their order, and put together."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from interplay.contracts.model import Piece, TurnEnd
from interplay.wire.content import TextContent
from interplay.wire.deltas import (
    ArgumentsDelta,
    TextDelta,
    ThoughtSignatureDelta,
    ThoughtSummaryDelta,
)
from interplay.wire.steps import FunctionCallStep

_THOUGHT = (ThoughtSummaryDelta, ThoughtSignatureDelta)


class OutOfOrder(AssertionError):
    """The pieces of a turn break a rule of interplay.contracts.model.Piece."""


class Said(msgspec.Struct, kw_only=True):
    """A whole turn."""

    text: str
    thought: str
    signatures: list[str]
    calls: list[FunctionCallStep]
    """With their arguments."""
    end: TurnEnd


def said(pieces: Iterable[Piece]) -> Said:
    """Puts a turn together; raises OutOfOrder naming the first rule that is broken."""
    found = list(pieces)
    ends = [at for at, piece in enumerate(found) if isinstance(piece, TurnEnd)]
    if ends != [len(found) - 1]:
        raise OutOfOrder(f"TurnEnd must come last and once; it came at {ends} of {len(found)}.")
    end = found[-1]
    assert isinstance(end, TurnEnd)
    whole = Said(text="", thought="", signatures=[], calls=[], end=end)
    fragments: list[list[str]] = []
    before: Any = None
    for piece in found[:-1]:
        _add(whole, fragments, piece, before)
        before = piece
    for call, texts in zip(whole.calls, fragments, strict=True):
        call.arguments = _arguments(call.name, "".join(texts))
    _check_calls(whole)
    return whole


def _add(whole: Said, fragments: list[list[str]], piece: Piece, before: Any) -> None:
    if isinstance(piece, TextDelta):
        if not piece.text:
            raise OutOfOrder("A TextDelta is empty.")
        whole.text += piece.text
    elif isinstance(piece, FunctionCallStep):
        if piece.arguments:
            raise OutOfOrder(f"The call '{piece.name}' must open with empty arguments.")
        whole.calls.append(msgspec.structs.replace(piece))
        fragments.append([])
    elif isinstance(piece, ArgumentsDelta):
        if not isinstance(before, FunctionCallStep | ArgumentsDelta):
            raise OutOfOrder("An ArgumentsDelta must follow its FunctionCallStep.")
        fragments[-1].append(piece.arguments or "")
    elif isinstance(piece, ThoughtSummaryDelta):
        if isinstance(piece.content, TextContent):
            whole.thought += piece.content.text
    elif isinstance(piece, ThoughtSignatureDelta):
        whole.signatures.append(piece.signature or "")


def _arguments(name: str, text: str) -> dict[str, Any]:
    try:
        return msgspec.json.decode(text or "{}", type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise OutOfOrder(f"The arguments of '{name}' are no JSON object: {text!r}") from error


def _check_calls(whole: Said) -> None:
    ids = [call.id for call in whole.calls]
    if len(set(ids)) < len(ids) or not all(ids):
        raise OutOfOrder(f"Every call needs an id of its own: {ids}")
    if whole.end.reason in ("stop", "calls") and (whole.end.reason == "calls") != bool(ids):
        raise OutOfOrder(f"reason is '{whole.end.reason}' with {len(ids)} calls.")
