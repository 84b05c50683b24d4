"""Scripted turns of a model, as plain data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import msgspec

from interplay.contracts.failure import (
    BadAnswer,
    Busy,
    Failure,
    Refused,
    TimedOut,
    Unavailable,
)
from interplay.contracts.model import Turn
from interplay.wire.deltas import DeltaData
from interplay.wire.usage import Usage

_FAILURES: dict[str, type[Failure]] = {
    kind.code: kind for kind in (BadAnswer, Busy, Refused, TimedOut, Unavailable)
}


class ScriptError(AssertionError):
    """A script does not fit what happened: it ran out, or replies are left over."""


class Part(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """The base of scripted data: unknown fields are refused, so that a typing error shows."""


class Hold(Part):
    """Among chunks: the stream waits here until the test opens the gate of this name."""

    hold: str


class Call(Part):
    """One function call. `raw` is sent instead of `arguments`, as it stands, JSON or not."""

    name: str
    arguments: dict[str, Any] = {}
    id: str | None = None
    """8 characters made from the turn when left out."""
    raw: str | None = None
    fragments: int = 2
    """How many deltas the arguments come in."""


class Thought(Part):
    """A thought; its summary is only sent where the turn asks for summaries."""

    summary: str = ""
    signature: str | None = "c2NyaXB0ZWQ="


class Fail(Part):
    """The failure that ends the turn; `code` picks the type (too_many_requests -> Busy)."""

    code: str = "service_unavailable"
    message: str = "The scripted model was told to fail."
    retry_after: float | None = None

    def failure(self) -> Failure:
        """The exception itself."""
        kind = _FAILURES.get(self.code, Failure)
        return kind(self.message, code=self.code, retry_after=self.retry_after)


class End(Part):
    """How the turn ends; see interplay.contracts.model.TurnEnd."""

    reason: Literal["stop", "length", "calls", "blocked"] = "stop"
    code: str | None = None
    message: str | None = None


class Reply(Part):
    """One turn: first the thought, then text or chunks, deltas, calls, and failure or end."""

    thought: Thought | None = None
    text: str | None = None
    """The whole text in one piece."""
    chunks: list[str | Hold] = []
    """The text piece by piece, with gates between."""
    deltas: list[DeltaData] = []
    """Any other pieces as they stand, e.g. {type = "image", data = "..."}."""
    calls: list[Call] = []
    fail: Fail | None = None
    end: End | None = None
    """Left out: `calls` when there are calls, else `stop`."""
    usage: Usage | None = None
    """Left out: words are counted as tokens."""
    delay: float = 0.0
    """Seconds before the first piece."""
    pace: float = 0.0
    """Seconds between pieces."""
    endless: bool = False
    """The stream stops without a TurnEnd, as a broken backend's would."""


Scripted = str | dict[str, Any] | Reply | BaseException | Callable[[Turn], "str | Reply"]
"""What ScriptedModel.of takes for one turn. An exception is raised; a callable sees the turn."""


def reply(given: Scripted, turn: Turn) -> Reply:
    """One scripted turn as a Reply; raises the exception that was scripted in its place."""
    if isinstance(given, BaseException):
        raise given
    if callable(given):
        given = given(turn)
    if isinstance(given, str):
        return Reply(text=given)
    if isinstance(given, dict):
        return msgspec.convert(given, Reply)
    return given
