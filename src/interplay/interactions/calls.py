"""Calls of tools that the server itself executes: what is known of them, and what they say."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec

from interplay.contracts.tool import ToolCall
from interplay.wire.deltas import DeltaData
from interplay.wire.steps import FunctionCallStep, FunctionResultStep, Step

Made = Step | DeltaData
"""What a tool yields."""
_encode = msgspec.json.Encoder().encode


class Announced(msgspec.Struct):
    """Calls that are going to be made, kept with a background interaction before they are."""

    calls: list[ToolCall]
    written: int
    """Steps there were before them: the idempotency keys count from there."""
    numbers: list[int] | None = None
    """After a crash: those whose result nobody saw."""
    shown: set[str] = set()
    """After a crash: ids of the calls whose step is there already."""


class TooMuch(Exception):
    """A tool gave more than fits into an interaction."""


class Told:
    """What one call says, handed on at once; what is `shown` already is left out."""

    def __init__(self, call: ToolCall, most: int, *, shown: bool = False) -> None:
        self.call = call
        self.feed: asyncio.Queue[Made | None] = asyncio.Queue()
        self._left, self._shown = most, shown
        self._skips, self._steps = shown, 0

    def take(self, item: Any) -> None:
        """A step, or a delta that fills the last one. Raises TooMuch, TypeError."""
        if not hasattr(item, "__struct_config__"):
            raise TypeError(f"a tool yielded {type(item).__name__}, not a step or a delta")
        self._left -= len(_encode(item))
        if self._left < 0:
            raise TooMuch
        is_step = type(item).__name__.endswith("Step")
        if not is_step and not self._steps:
            raise TypeError("a tool yielded a delta before its first step")
        self._steps += is_step
        self._skips = self._skips and not hasattr(item, "call_id")
        if not self._skips:
            self.feed.put_nowait(item)

    def fail(self, message: str) -> None:
        """Ends the call with a result that says what went wrong, behind the call itself if it is
        not there yet."""
        call = self.call
        if not self._steps and not self._shown:
            self.feed.put_nowait(FunctionCallStep(call.arguments, call.id, call.name))
        self.feed.put_nowait(FunctionResultStep(call.id, message, is_error=True, name=call.name))

    def end(self) -> None:
        """There is no more."""
        self.feed.put_nowait(None)
