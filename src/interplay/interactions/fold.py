"""Events -> steps, and the plan from which replay.py makes the same events again."""

from __future__ import annotations

from typing import Any

import msgspec

from interplay.contracts.store import TERMINAL
from interplay.wire.content import (
    AudioContent,
    DocumentContent,
    ImageContent,
    TextContent,
    VideoContent,
)
from interplay.wire.deltas import (
    ArgumentsDelta,
    AudioDelta,
    DocumentDelta,
    ImageDelta,
    TextAnnotationDelta,
    TextDelta,
    ThoughtSignatureDelta,
    ThoughtSummaryDelta,
    VideoDelta,
)
from interplay.wire.events import (
    InteractionCreatedEvent,
    InteractionStatusUpdate,
    StepDelta,
    StepStart,
    StepStop,
)
from interplay.wire.steps import FunctionCallStep, ModelOutputStep, Step, ThoughtStep

MEDIA = {
    ImageDelta: ImageContent,
    AudioDelta: AudioContent,
    DocumentDelta: DocumentContent,
    VideoDelta: VideoContent,
}
"""A media delta is one whole content block, with the same fields."""

_PARTS = 512


class Fold:
    """The steps so far, and how they came.

    `plan` has one entry per step and per status update, in order; a status is a string ("queued"
    can only be that of `interaction.created`). A step's entry lists its deltas: n > 0 for a piece
    of text of n characters, -n for n annotations, 0 for a delta that is a whole (a media block, a
    signature, a typed call or result). A function call whose arguments are not in our own JSON
    form starts its list with the text as it came. `malformed` says what is wrong with the
    arguments of the last call, if they are no JSON object.
    """

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.plan: list[Any] = []
        self.open: Step | None = None
        self.media = False
        self.malformed: str | None = None
        self._text: list[str] = []
        self._joined = 0
        self._cuts: list[Any] = []

    def apply(self, event: Any) -> None:
        """Adds one interplay.wire.events.Event; they must come in the journal's order."""
        kind = event.__class__
        if kind is StepDelta:
            delta = event.delta
            if delta.__class__ is TextDelta:  # nearly every event is one of these
                text = delta.text
                self._cuts.append(len(text))
                parts = self._text
                parts.append(text)
                if len(parts) - self._joined > _PARTS:
                    self._join_parts()
            else:
                self._delta(delta)
        elif kind is StepStart:
            # A copy: the event's own step must stay as bare as it was sent.
            self.open = msgspec.structs.replace(event.step)
            self._text, self._cuts, self._joined = [], [], 0
        elif kind is StepStop:
            self._stop()
        elif kind is InteractionCreatedEvent:
            if event.interaction.status == "queued":
                self.plan.append("queued")
        elif kind is InteractionStatusUpdate and event.status not in TERMINAL:
            self.plan.append(event.status)

    def _delta(self, delta: Any) -> None:
        kind = delta.__class__
        if kind is ArgumentsDelta:
            fragment = delta.arguments or ""
            self._add_text(fragment)
            self._cuts.append(len(fragment))
        elif kind is ThoughtSummaryDelta and isinstance(delta.content, TextContent):
            self._add_text(delta.content.text)
            self._cuts.append(len(delta.content.text))
        else:
            annotations = kind is TextAnnotationDelta
            self._cuts.append(-len(delta.annotations or ()) if annotations else 0)
            self._whole(self.open, delta)

    def _add_text(self, text: str) -> None:
        self._text.append(text)
        if len(self._text) - self._joined > _PARTS:
            self._join_parts()

    def _join_parts(self) -> None:
        # A long answer is not kept in tiny pieces.
        self._text[self._joined :] = ["".join(self._text[self._joined :])]
        self._joined += 1

    def _whole(self, step: Any, delta: Any) -> None:
        kind = delta.__class__
        if kind is ThoughtSignatureDelta:
            self._end_text()
            step.signature = delta.signature
        elif kind is ThoughtSummaryDelta:
            self._end_text()
            step.summary = [*(step.summary or []), delta.content]
        elif kind is TextAnnotationDelta:
            self._end_text()
            last = step.content[-1]
            last.annotations = [*(last.annotations or []), *(delta.annotations or [])]
        elif kind in MEDIA:
            self._end_text()
            self.media = True
            block = MEDIA[kind]
            shared = set(block.__struct_fields__) & set(kind.__struct_fields__)
            fields = {name: getattr(delta, name) for name in shared}
            step.content = [*(step.content or []), block(**fields)]
        else:
            for name in kind.__struct_fields__:
                value = getattr(delta, name)
                self.media = self.media or isinstance(value, list)
                if value is not None and hasattr(step, name):
                    setattr(step, name, value)

    def _end_text(self) -> None:
        if not self._text:
            return
        text, step = "".join(self._text), self.open
        self._text, self._joined = [], 0
        if type(step) is ModelOutputStep:
            step.content = [*(step.content or []), TextContent(text)]
        elif type(step) is ThoughtStep:
            step.summary = [*(step.summary or []), TextContent(text)]
        elif type(step) is FunctionCallStep:
            step.arguments, self.malformed = _arguments(text)
            if msgspec.json.encode(step.arguments).decode() != text:
                self._cuts.insert(0, text)

    def open_text(self) -> str:
        """The text of the open step since its last whole block."""
        return "".join(self._text)

    def _stop(self) -> None:
        step = self.open
        if step is None:
            return
        self._end_text()
        self.steps.append(step)
        self.plan.append(self._cuts)
        self.open = None


def _arguments(text: str) -> tuple[dict[str, Any], str | None]:
    if not text.strip():
        return {}, None
    try:
        value = msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        return {}, f"The arguments of a function call are not JSON: {error}"
    if not isinstance(value, dict):
        return {}, "The arguments of a function call are not a JSON object."
    return value, None  # pyright: ignore[reportUnknownVariableType]
