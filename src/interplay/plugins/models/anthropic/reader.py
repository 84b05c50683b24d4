"""Events of an answer -> the pieces of a turn."""

from __future__ import annotations

import secrets
import string
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec

from interplay.contracts.model import Piece, Turn, TurnEnd
from interplay.plugins.models.anthropic.chunks import Delta, Event, Spent
from interplay.plugins.models.anthropic.usage import later, usage_of
from interplay.plugins.models.remote import signature
from interplay.plugins.models.remote.faults import Garbled, Server, read_error
from interplay.wire.content import TextContent
from interplay.wire.deltas import (
    ArgumentsDelta,
    TextDelta,
    ThoughtSignatureDelta,
    ThoughtSummaryDelta,
)
from interplay.wire.steps import FunctionCallStep

Reason = Literal["stop", "length", "blocked"]

_ALPHABET = string.ascii_lowercase + string.digits
_REASONS: dict[str, Reason] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "tool_use": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "pause_turn": "length",
    "refusal": "blocked",
}
_STATUS = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "timeout_error": 504,
    "overloaded_error": 529,
}


class Reader:
    """Reads one answer, event by event. Kinds of events and blocks that are not known are passed
    over, as the API asks of its clients."""

    def __init__(self, turn: Turn, server: Server, origin: str, names: Mapping[str, str]) -> None:
        self._turn, self._server, self._origin, self._names = turn, server, origin, names
        self._seam = turn.prefix[len(turn.prefix.rstrip()) :]
        self._at: int | None = None
        self._block: dict[str, Any] = {}
        self._parts: list[str] = []
        self._signed: list[str] = []
        self._thoughts: list[dict[str, Any]] = []
        self._ids: set[str] | None = None
        self._called = False
        self._spent: Spent | None = None
        self._stopped: str | None = None
        self._why: dict[str, Any] = {}
        self.over = False

    @property
    def finished(self) -> bool:
        """The server has said why its answer ends."""
        return self._stopped is not None

    def read(self, chunk: Event) -> Sequence[Piece]:
        """The pieces of one event. Raises Failure for an error the server sends in its stream,
        and Garbled."""
        kind, delta = chunk.type, chunk.delta
        if kind == "content_block_delta":
            return self._delta(delta, chunk.index) if delta is not None else ()
        if kind == "content_block_start":
            return self._start(chunk.content_block or {}, chunk.index)
        if kind == "content_block_stop":
            return self._stop(chunk.index)
        if kind == "message_delta":
            self._spent = later(self._spent, chunk.usage)
            if delta is not None and delta.stop_reason:
                self._stopped, self._why = delta.stop_reason, delta.stop_details or {}
        elif kind == "message_start":
            self._spent = chunk.message.usage if chunk.message is not None else None
        elif kind == "message_stop":
            self.over = True
        elif kind == "error":
            said = read_error(chunk.error)
            status = _STATUS.get(said.code, 500)
            raise self._server.failed(status, said, self._turn.model)
        elif kind == "message":
            raise Garbled("answered in one piece where a stream was asked for")
        return ()

    def _start(self, block: dict[str, Any], index: int | None) -> list[Piece]:
        if self._at is not None:
            raise Garbled(f"began block {index} before the end of block {self._at}")
        self._at, self._block = index, block
        self._parts, self._signed = [], []
        kind = block.get("type")
        pieces: list[Piece] = []
        if kind == "tool_use":
            self._end_thought(pieces)
            self._called = True
            name = str(block.get("name") or "")
            if not name:
                raise Garbled("called a function without naming it")
            call = FunctionCallStep({}, self._id(block.get("id")), self._names.get(name, name))
            pieces.append(call)
        elif kind == "text" and block.get("text"):
            self._say(str(block["text"]), pieces)
        elif kind == "thinking" and block.get("thinking"):
            self._think(str(block["thinking"]), pieces)
        return pieces

    def _delta(self, delta: Delta, index: int | None) -> Sequence[Piece]:
        if index != self._at:
            raise Garbled(f"added to block {index} while block {self._at} was open")
        if delta.text and delta.type == "text_delta":
            if not self._thoughts and not self._seam:
                return (TextDelta(delta.text),)
            pieces: list[Piece] = []
            self._say(delta.text, pieces)
            return pieces
        if delta.partial_json and delta.type == "input_json_delta":
            self._parts.append(delta.partial_json)
            return (ArgumentsDelta(delta.partial_json),)
        if delta.thinking and delta.type == "thinking_delta":
            pieces = []
            self._think(delta.thinking, pieces)
            return pieces
        if delta.signature and delta.type == "signature_delta":
            self._signed.append(delta.signature)
        return ()

    def _stop(self, index: int | None) -> list[Piece]:
        if index != self._at or self._at is None:
            raise Garbled(f"ended block {index} while block {self._at} was open")
        self._at, block = None, self._block
        kind = block.get("type")
        if kind == "thinking":
            words, signed = "".join(self._parts), "".join(self._signed)
            kept = {**block, "thinking": words}
            if signed:
                kept["signature"] = signed
            self._thoughts.append(kept)
        elif kind == "redacted_thinking":
            self._thoughts.append(block)
        elif kind == "tool_use" and not self._parts and block.get("input"):
            return [ArgumentsDelta(msgspec.json.encode(block["input"]).decode())]
        return []

    def _say(self, text: str, pieces: list[Piece]) -> None:
        """Text, without the white space that stands at the end of the words it goes on from: they
        were sent without it, and the model writes it again."""
        self._end_thought(pieces)
        while self._seam and text:
            if text[0] != self._seam[0]:
                self._seam = ""
                break
            self._seam, text = self._seam[1:], text[1:]
        if text:
            pieces.append(TextDelta(text))

    def _think(self, text: str, pieces: list[Piece]) -> None:
        self._parts.append(text)
        if self._turn.thinking_summaries:
            pieces.append(ThoughtSummaryDelta(TextContent(text)))

    def _end_thought(self, pieces: list[Piece]) -> None:
        """Signs the thoughts so far as one: they come back in one piece, and as they were."""
        if self._thoughts:
            signed = signature.Signed(self._origin, details=self._thoughts)
            self._thoughts = []
            pieces.append(ThoughtSignatureDelta(signature.sign(signed)))

    def _id(self, given: Any) -> str:
        """The server's id of a call, or another where a call of this conversation has it."""
        if self._ids is None:
            self._ids = {id for step in self._turn.steps if (id := getattr(step, "id", None))}
        id = given if isinstance(given, str) else ""
        while not id or id in self._ids:
            id = "".join(secrets.choice(_ALPHABET) for _ in range(8))
        self._ids.add(id)
        return id

    def end(self) -> list[Piece]:
        """What is held, and the end of the turn."""
        pieces: list[Piece] = []
        self._end_thought(pieces)
        pieces.append(self._turn_end())
        return pieces

    def _turn_end(self) -> TurnEnd:
        usage, stopped, where = usage_of(self._spent), self._stopped or "", self._server.where
        reason = _REASONS.get(stopped)
        if reason == "blocked":
            why = self._why.get("explanation") or self._why.get("category")
            tail = f": {self._server.clean(str(why), 300)}" if why else "."
            message = f"The model refuses to answer{tail}"
            return TurnEnd(reason="blocked", usage=usage, code="safety", message=message)
        message = None
        if reason is None:
            message = f"The server at {where} ended with '{self._server.clean(stopped, 60)}'."
        if reason == "length":
            return TurnEnd(reason="length", usage=usage)
        return TurnEnd(reason="calls" if self._called else "stop", usage=usage, message=message)
