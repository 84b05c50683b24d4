"""Pieces of a model's turn -> events: opens and closes steps as the kind of output changes."""

from __future__ import annotations

from typing import Any

from interplay.contracts.model import Piece
from interplay.interactions import replay
from interplay.interactions.citations import Sources
from interplay.interactions.failures import GenerationFault
from interplay.interactions.fold import MEDIA
from interplay.interactions.journal import Journal
from interplay.wire.content import TextContent
from interplay.wire.deltas import (
    ArgumentsDelta,
    TextAnnotationDelta,
    TextDelta,
    ThoughtSignatureDelta,
    ThoughtSummaryDelta,
)
from interplay.wire.events import StepDelta, StepStart, StepStop
from interplay.wire.steps import (
    FunctionCallStep,
    FunctionResultStep,
    ModelOutputStep,
    Step,
    ThoughtStep,
)

TORN = "The call was interrupted before it was whole; it was not made."


class Writer:
    """Writes one interaction's steps, one open at a time."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._index = len(journal.fold.steps)
        self._open: type | None = None
        self.sources: Sources | None = None
        """What texts may cite by number."""
        self.calls = 0
        """How many calls of the model it has written."""
        self.malformed: dict[int, str] = {}
        """What is wrong with the arguments of the calls that are no JSON object, by the index of
        their step."""
        journal.last_words = self._cited

    def take_up(self, *, prefill: bool) -> str:
        """Deals with the step an earlier attempt left open: text a client has seen stays open and
        is answered, for a model that continues it; anything else is closed. A call that was torn
        was never made, and gets a result that says so.
        """
        fold = self._journal.fold
        torn, steps = fold.open, fold.steps
        malformed, fold.malformed = fold.malformed, None
        if torn is None:
            if malformed is not None and isinstance(steps[-1], FunctionCallStep):
                self.malformed[len(steps) - 1] = malformed  # it was whole, and is not answered yet
            return ""
        self._open = type(torn)
        text = self._journal.fold.open_text()
        if prefill and isinstance(torn, ModelOutputStep) and text:
            return text
        self.cut()
        if isinstance(torn, FunctionCallStep) and self._journal.fold.steps[-1] is torn:
            self._answer(torn)  # whole or not, nobody was told of it
        return ""

    def cut(self) -> None:
        """Closes the open step where the output was cut off. Half a call was never made, and gets
        a result that says so."""
        torn = self._journal.fold.open
        self.close()
        half = self.malformed.pop(self._index - 1, None)  # half the arguments are no JSON
        if half is not None and isinstance(torn, FunctionCallStep):
            self._answer(torn)

    def _answer(self, torn: FunctionCallStep) -> None:
        self.refuse(torn, TORN)

    def refuse(self, call: FunctionCallStep, why: str) -> None:
        """Writes the result of a call that was not made."""
        self.step(FunctionResultStep(call.id, why, is_error=True, name=call.name))

    def piece(self, piece: Piece) -> None:
        """Writes one piece; TurnEnd is not one of them. Raises Ended, OutputLimit."""
        kind: Any = piece.__class__
        if kind is TextDelta:  # nearly every piece is one of these
            if not piece.text:  # pyright: ignore
                return
            if self._open is not ModelOutputStep:
                self._open_for(ModelOutputStep)
        elif kind is FunctionCallStep:
            self._start_call(piece)  # pyright: ignore
            return
        elif kind is ArgumentsDelta:
            if self._open is not FunctionCallStep:
                raise GenerationFault("malformed_function_call", "Arguments came before a call.")
        elif kind is ThoughtSummaryDelta or kind is ThoughtSignatureDelta:
            if _is_empty(piece):
                return
            self._open_for(ThoughtStep)
        elif kind is TextAnnotationDelta:
            if not piece.annotations:  # pyright: ignore
                return
            self._check_annotated()
        elif kind in MEDIA:
            self._open_for(ModelOutputStep)
        else:
            raise GenerationFault("bad_gateway", f"The model gave a {kind.__name__} as its output.")
        self._journal.append(StepDelta(piece, self._index))  # pyright: ignore
        if kind is ThoughtSignatureDelta:
            self.close()  # nothing of a thought comes behind its signature

    def _open_for(self, kind: Any) -> None:
        if self._open is not kind:
            self.close()
            self._start(kind())

    def _start_call(self, call: FunctionCallStep) -> None:
        self.close()
        self.calls += 1
        self._start(replay.bare(call))
        if call.arguments:
            for delta in replay.plain_deltas(call):
                self._journal.append(StepDelta(delta, self._index))

    def _check_annotated(self) -> None:
        fold = self._journal.fold
        content = fold.open.content if isinstance(fold.open, ModelOutputStep) else None
        annotated = bool(content) and isinstance(content[-1], TextContent)
        if self._open is not ModelOutputStep or not (annotated or fold.open_text()):
            raise GenerationFault("bad_gateway", "The model gave annotations without a text.")

    def _start(self, step: Step) -> None:
        self._journal.append(StepStart(self._index, step))
        self._open = type(step)

    def close(self) -> None:
        """Ends the open step, if there is one: a text with what it cites, in one commit."""
        if self._open is None:
            return
        if (cited := self._cited()) is not None:
            self._journal.append(cited)
        self._journal.append(StepStop(self._index))
        malformed, self._journal.fold.malformed = self._journal.fold.malformed, None
        if malformed is not None:
            self.malformed[self._index] = malformed
        self._index += 1
        self._open = None

    def settle(self, *, cut: bool = False) -> None:
        """A turn is over: ends an open call (`cut` as it is), which must be whole before it is
        made. A text stays open for what comes next, or for the end of the interaction, which
        annotates and closes it in its own commit: a crash between the two cannot make it be written
        again."""
        if self._open is FunctionCallStep:
            if cut:
                self.cut()
            else:
                self.close()

    def _cited(self) -> StepDelta | None:
        """The annotations of the open text, which come behind its last piece: what it cites."""
        if self._open is not ModelOutputStep or self.sources is None:
            return None
        cited = self.sources.cited(self._journal.fold.open_text())
        return StepDelta(TextAnnotationDelta([*cited]), self._index) if cited else None

    def step(self, step: Step) -> None:
        """Writes a whole step."""
        self._begin(step)
        self.close()

    def _begin(self, step: Step) -> None:
        self.close()
        self._start(replay.bare(step))
        for delta in replay.plain_deltas(step):
            self._journal.append(StepDelta(delta, self._index))

    def made(self, item: Any) -> None:
        """Writes what a tool yields: a step, left open, or a delta that fills it."""
        if type(item).__name__.endswith("Step"):
            self.close()
            if item == replay.bare(item):  # what fills it follows
                self._start(item)
            else:
                self._begin(item)
        else:
            self._journal.append(StepDelta(item, self._index))


def _is_empty(piece: Any) -> bool:
    """Whether a piece of a thought says nothing."""
    if isinstance(piece, ThoughtSignatureDelta):
        return piece.signature is None
    return piece.content is None or (
        isinstance(piece.content, TextContent) and not piece.content.text
    )
