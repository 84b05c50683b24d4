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
        self._left, self._skips = most, shown
        self._open: set[str] = {call.id} if shown else set()
        self._answered: set[str] = set()
        self._last = ""

    def take(self, item: Any) -> None:
        """A call step, the result step of one that came before, or the delta that fills the last
        step; the first is the step of this very call. Raises TooMuch, TypeError."""
        tag = _tag(item)
        if not tag:
            raise TypeError(f"a tool yielded {type(item).__name__}, not a step or a delta")
        self._left -= len(_encode(item))
        if self._left < 0:
            raise TooMuch
        if not type(item).__name__.endswith("Step"):
            if tag != self._last:
                raise TypeError(f"a tool yielded a delta of {tag} behind {self._last or 'nothing'}")
        elif tag.endswith("_call"):
            self._begin(item.id)
        elif tag.endswith("_result"):
            self._close(item.call_id)
        else:
            raise TypeError(f"a tool yielded a step of type {tag}")
        self._last = tag if type(item).__name__.endswith("Step") else ""
        if not self._skips:
            self.feed.put_nowait(item)

    def _begin(self, id: str) -> None:
        if not (self._open or self._answered) and id != self.call.id:
            raise TypeError(f"a tool yielded the call '{id}' for the call '{self.call.id}'")
        self._open.add(id)

    def _close(self, id: str) -> None:
        if id not in self._open:
            raise TypeError(f"a tool yielded a result of '{id}', which is no open call of its own")
        self._skips = False
        self._open.discard(id)
        self._answered.add(id)

    def fail(self, message: str) -> None:
        """Ends the call with a result that says what went wrong, behind the call itself if it is
        not there yet."""
        call = self.call
        if not self._open and not self._answered:
            self.feed.put_nowait(FunctionCallStep(call.arguments, call.id, call.name))
        for id in sorted(self._open) or [call.id]:
            self.feed.put_nowait(FunctionResultStep(id, message, is_error=True, name=call.name))
        self._answered |= self._open | {call.id}
        self._open.clear()

    def end(self) -> None:
        """There is no more. A call without a result gets one that says so."""
        if self._open or not self._answered:
            self.fail("The tool ended without a result.")
        self.feed.put_nowait(None)


def _tag(item: Any) -> str:
    tag = getattr(getattr(item, "__struct_config__", None), "tag", None)
    return tag if isinstance(tag, str) else ""
