"""Parts of function calls, as servers send them -> calls in order, one after the other."""

from __future__ import annotations

import secrets
import string
from collections.abc import Callable

import msgspec

from interplay.contracts.model import Piece
from interplay.plugins.models.openai_compatible.chunks import CallPart
from interplay.plugins.models.remote.faults import Garbled
from interplay.wire.deltas import ArgumentsDelta
from interplay.wire.steps import FunctionCallStep

_ALPHABET = string.ascii_lowercase + string.digits


class Call:
    """One call as far as it has come."""

    __slots__ = ("checked", "closed", "id", "name", "opened", "parts", "sent")

    def __init__(self) -> None:
        self.id = ""
        self.name = ""
        self.parts: list[str] = []
        self.sent = 0
        self.opened = False
        self.closed = False
        self.checked = 0

    def whole(self) -> bool:
        """Whether the arguments are JSON from end to end."""
        if self.checked != len(self.parts):
            self.checked = len(self.parts)
            try:
                msgspec.json.decode("".join(self.parts))
                self.closed = True
            except msgspec.DecodeError:
                self.closed = False
        return self.closed

    def rename(self, name: str) -> None:
        """Takes a name, or one more part of it; some servers repeat it with every part."""
        if name.startswith(self.name):
            self.name = name
        elif not self.opened:
            self.name += name


class Calls:
    """Puts calls together from parts.

    Parts carry an index, an id, both or neither; ids may be missing or the same twice; a name may
    come late. One call at a time is passed on as it comes; what comes for a later call meanwhile
    is held until the one before it is whole.
    """

    def __init__(self, taken: Callable[[], set[str]]) -> None:
        self._taken = taken
        self._ids: set[str] | None = None
        self._calls: list[Call] = []
        self._by_index: dict[int, Call] = {}
        self._at = 0
        self.opened = 0
        """Calls passed on so far."""

    def __bool__(self) -> bool:
        return bool(self._calls)

    def add(self, part: CallPart, pieces: list[Piece]) -> None:
        """Adds a part; what can be passed on goes to `pieces`. Raises Garbled."""
        function = part.function
        name = (function.name if function is not None else None) or ""
        given = function.arguments if function is not None else None
        text = msgspec.json.encode(given).decode() if isinstance(given, dict) else given or ""
        call = self._find(part, name, text)
        if name:
            call.rename(name)
        if part.id and not call.id:
            call.id = part.id
        if text == "null" and not call.parts:
            text = ""
        if text:
            if call.closed and self._calls.index(call) < self._at:
                if text.strip():
                    raise Garbled(f"added to the arguments of '{call.name}' after their end")
                return
            call.parts.append(text)
        self._pass_on(pieces, last=False)

    def _find(self, part: CallPart, name: str, text: str) -> Call:
        """The call a part belongs to; a new one where it begins one."""
        index = part.index
        if index is not None:
            call = self._by_index.get(index)
            if call is None or self._begins(call, part, name, text):
                call = self._by_index[index] = self._new()
            return call
        if part.id:
            for call in self._calls:
                if call.id == part.id:
                    return call
            return self._new()
        if not self._calls:
            return self._new()
        call = self._calls[-1]
        return self._new() if name and self._begins(call, part, name, text) else call

    @staticmethod
    def _begins(call: Call, part: CallPart, name: str, text: str) -> bool:
        """Whether a part under a known index begins another call: servers that count badly."""
        if part.id and call.id and part.id != call.id:
            return bool(name)
        if part.id and part.id == call.id and not text:
            return False
        return bool(name and text and call.parts and call.whole())

    def _new(self) -> Call:
        call = Call()
        self._calls.append(call)
        return call

    def _pass_on(self, pieces: list[Piece], *, last: bool) -> None:
        calls = self._calls
        while self._at < len(calls):
            call = calls[self._at]
            later = self._at + 1 < len(calls)
            if not call.opened:
                if not call.name and last and call.parts:
                    raise Garbled("called a function without naming it")
                if call.name and (call.parts or last):
                    self._open(call, pieces)
            if call.opened:
                for text in call.parts[call.sent :]:
                    pieces.append(ArgumentsDelta(text))
                call.sent = len(call.parts)
            if not (last or (later and call.opened and call.whole())):
                return
            self._at += 1

    def _open(self, call: Call, pieces: list[Piece]) -> None:
        call.opened = True
        self.opened += 1
        if self._ids is None:
            self._ids = self._taken()
        id = call.id
        while not id or id in self._ids:
            id = "".join(secrets.choice(_ALPHABET) for _ in range(8))
        self._ids.add(id)
        pieces.append(FunctionCallStep(arguments={}, id=id, name=call.name))

    def settled(self) -> bool:
        """Whether every call is whole, so that something else may follow; then the next part
        begins a new call."""
        if self._at < len(self._calls):
            call = self._calls[-1]
            if self._at + 1 < len(self._calls) or not (call.opened and call.whole()):
                return False
            self._at = len(self._calls)
        return True

    def end(self, pieces: list[Piece]) -> None:
        """Passes on everything that is held. Raises Garbled."""
        self._pass_on(pieces, last=True)
