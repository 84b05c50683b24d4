"""Chunks of an answer -> the pieces of a turn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from operator import attrgetter
from typing import Any, Literal

from interplay.contracts.model import Piece, Turn, TurnEnd
from interplay.plugins.models.openai_compatible.calls import Calls
from interplay.plugins.models.openai_compatible.chunks import (
    CallPart,
    Choice,
    Chunk,
    Delta,
    MadeImage,
    Spent,
)
from interplay.plugins.models.openai_compatible.config import Dialect
from interplay.plugins.models.openai_compatible.think_tags import Marks
from interplay.plugins.models.openai_compatible.usage import usage_of
from interplay.plugins.models.remote import signature
from interplay.plugins.models.remote.faults import Server, read_error
from interplay.wire.content import TextContent
from interplay.wire.deltas import ImageDelta, TextDelta, ThoughtSignatureDelta, ThoughtSummaryDelta

Reason = Literal["stop", "length", "calls", "blocked"]

_REASONS: dict[str, Reason] = {
    "stop": "stop",
    "eos": "stop",
    "end_turn": "stop",
    "stop_sequence": "stop",
    "tool_calls": "calls",
    "tool_use": "calls",
    "function_call": "calls",
    "length": "length",
    "max_tokens": "length",
    "model_length": "length",
    "model_context_window_exceeded": "length",
    "content_filter": "blocked",
    "safety": "blocked",
    "refusal": "blocked",
}
_BESIDE_TEXT = ("tool_calls", "function_call", "images", "refusal", "reasoning_details")
_BROKEN = frozenset({"error", "abort", "cancelled", "insufficient_system_resource"})


class Reader:
    """Reads one answer, chunk by chunk."""

    over = False
    """Its last word is no chunk."""

    def __init__(
        self, turn: Turn, dialect: Dialect, thoughts: tuple[str, ...], server: Server, origin: str
    ) -> None:
        self._turn, self._dialect, self._server, self._origin = turn, dialect, server, origin
        self._thoughts = thoughts
        self._beside, self._nothing = _beside(thoughts)
        self._marks: Marks | None = None
        if dialect.think_tags is not None:
            opening, closing = dialect.think_tags
            self._marks = Marks(opening, closing, dialect.starts_in_thought)
        self._plain = self._marks is None
        """Text can be passed on as it is: nothing is open that it would end."""
        self._thinking = False
        self._kept: list[str] = []
        self._details: list[dict[str, Any]] = []
        self._calls = Calls(lambda: _call_ids(turn))
        self._late: list[tuple[bool, str]] = []
        self._spent: Spent | None = None
        self._finish: str | None = None

    @property
    def finished(self) -> bool:
        """The server has said why its answer ends."""
        return self._finish is not None

    def read(self, chunk: Chunk) -> Sequence[Piece]:
        """The pieces of one chunk. Raises Failure for an error the server sends in its stream,
        and Garbled."""
        choices = chunk.choices
        if self._plain and choices and chunk.usage is None and chunk.error is None:
            choice = choices[0]
            delta = choice.delta
            if delta is not None and choice.finish_reason is None and not choice.index:
                text = delta.content
                if text.__class__ is str and text and self._beside(delta) == self._nothing:
                    return (TextDelta(text),)  # pyright: ignore[reportArgumentType]
        return self._read(chunk)

    def _read(self, chunk: Chunk) -> list[Piece]:
        pieces: list[Piece] = []
        error, spent, extras, choices = chunk.error, chunk.usage, chunk.x_groq, chunk.choices
        if extras is not None:
            error, spent = error or extras.error, spent or extras.usage
        if not error and choices is None and (chunk.object == "error" or chunk.message):
            error = {"message": str(chunk.message or "an error without a word")}
        if error:
            raise self._failure(error)
        if spent is not None:
            self._spent = spent
        for choice in choices or ():
            if not choice.index:
                self._choice(choice, pieces)
        return pieces

    def _failure(self, error: Any) -> Exception:
        said = read_error(error)
        return self._server.failed(said.status or 500, said, self._turn.model)

    def _choice(self, choice: Choice, pieces: list[Piece]) -> None:
        if choice.error:
            raise self._failure(choice.error)
        delta = choice.delta or choice.message
        if delta is not None and (delta.content or self._beside(delta) != self._nothing):
            self._delta(delta, pieces)
        if choice.finish_reason:
            self._finish = choice.finish_reason
            if self._finish in _BROKEN:
                raise self._server.cut_off(f"finish_reason '{self._finish}'")

    def _delta(self, delta: Delta, pieces: list[Piece]) -> None:
        thought: str = ""
        for name in self._thoughts:
            thought = thought or getattr(delta, name) or ""
        if delta.reasoning_details:
            thought = thought or _detail_text(delta.reasoning_details)
            self._keep_details(delta.reasoning_details)
        if thought:
            self._think(thought, pieces)
        content = delta.content
        if isinstance(content, list):
            for inside, text in _content_parts(content):
                self._say(inside, text, pieces)
        elif content:
            if self._marks is None:
                self._say(False, content, pieces)
            else:
                for inside, text in self._marks.feed(content):
                    self._say(inside, text, pieces)
        if delta.refusal:
            self._say(False, delta.refusal, pieces)
        for image in delta.images or ():
            self._end_thought(pieces)
            pieces.append(_image(image))
        parts = delta.tool_calls or ()
        if delta.function_call is not None:
            parts = (CallPart(index=0, function=delta.function_call),)
        for part in parts:
            self._end_thought(pieces)
            self._plain = False
            self._calls.add(part, pieces)

    def _say(self, inside: bool, text: str, pieces: list[Piece]) -> None:
        if inside:
            self._think(text, pieces)
        elif self._held_back(False, text):
            return
        else:
            self._end_thought(pieces)
            pieces.append(TextDelta(text))

    def _think(self, text: str, pieces: list[Piece]) -> None:
        if self._held_back(True, text):
            return
        self._thinking, self._plain = True, False
        if self._dialect.reasoning_back == "text":
            self._kept.append(text)
        if self._turn.thinking_summaries:
            pieces.append(ThoughtSummaryDelta(TextContent(text)))

    def _held_back(self, inside: bool, text: str) -> bool:
        """Keeps words for the end where a call is still open: they would tear it."""
        if not self._calls or (text.strip() and self._calls.settled()):
            return False
        self._late.append((inside, text))
        return True

    def _keep_details(self, details: list[dict[str, Any]]) -> None:
        if self._dialect.reasoning_back != "details":
            return
        self._thinking, self._plain = True, False
        for detail in details:
            last = self._details[-1] if self._details else None
            same = last is not None and all(
                last.get(name) == detail.get(name) for name in ("type", "index")
            )
            if last is None or not same:
                self._details.append(dict(detail))
                continue
            for name, value in detail.items():
                if name in ("text", "summary", "data") and isinstance(value, str):
                    last[name] = (last.get(name) or "") + value
                elif value is not None:
                    last[name] = value

    def _end_thought(self, pieces: list[Piece]) -> None:
        if not self._thinking:
            return
        self._thinking = False
        self._plain = self._marks is None and not self._calls
        signed = signature.Signed(self._origin, "".join(self._kept), self._details)
        self._kept, self._details = [], []
        pieces.append(ThoughtSignatureDelta(signature.sign(signed)))

    def end(self) -> list[Piece]:
        """What is held, and the end of the turn. Raises Garbled."""
        pieces: list[Piece] = []
        for inside, text in self._marks.end() if self._marks is not None else ():
            self._say(inside, text, pieces)
        self._end_thought(pieces)
        self._calls.end(pieces)
        late, self._late = self._late, []
        if any(text.strip() for _, text in late):
            for inside, text in late:
                self._say(inside, text, pieces)
        self._end_thought(pieces)
        pieces.append(self._turn_end())
        return pieces

    def _turn_end(self) -> TurnEnd:
        usage = usage_of(self._spent)
        finish = self._finish or "stop"
        reason = _REASONS.get(finish.lower())
        where = self._server.where
        if reason == "blocked":
            message = f"The server at {where} stopped this answer by its content filter."
            return TurnEnd(reason="blocked", usage=usage, code="safety", message=message)
        if reason == "length":
            return TurnEnd(reason="length", usage=usage)
        message = None
        if reason is None:
            message = f"The server at {where} ended with '{self._server.clean(finish, 60)}'."
        return TurnEnd(
            reason="calls" if self._calls.opened else "stop", usage=usage, message=message
        )


@cache
def _beside(thoughts: tuple[str, ...]) -> tuple[Callable[[Delta], tuple[Any, ...]], Any]:
    """What a delta of text alone does not have, and how that looks."""
    names = (*_BESIDE_TEXT, *thoughts)
    return attrgetter(*names), (None,) * len(names)


def _call_ids(turn: Turn) -> set[str]:
    return {id for step in turn.steps if (id := getattr(step, "id", None))}


def _content_parts(content: list[dict[str, Any]]) -> list[tuple[bool, str]]:
    """A list of content parts as (is a thought, its text)."""
    parts: list[tuple[bool, str]] = []
    for part in content:
        for name, inside in (("text", False), ("thinking", True)):
            value: Any = part.get(name)
            if isinstance(value, list):
                value = "".join(text for _, text in _content_parts(value))  # pyright: ignore
            if isinstance(value, str) and value:
                parts.append((inside, value))
    return parts


def _detail_text(details: list[dict[str, Any]]) -> str:
    texts = (detail.get("text") or detail.get("summary") for detail in details)
    return "".join(text for text in texts if isinstance(text, str))


def _image(image: MadeImage) -> ImageDelta:
    url = image.image_url.url
    if not url.startswith("data:"):
        return ImageDelta(uri=url)
    head, _, data = url.removeprefix("data:").partition(",")
    return ImageDelta(data=data, mime_type=head.partition(";")[0] or "image/png")
