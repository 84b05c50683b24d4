"""Pieces -> events -> steps and plan -> the same events again."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interplay.contracts.model import Piece
from interplay.interactions import replay
from interplay.interactions.failures import GenerationFault
from interplay.interactions.fold import Fold
from interplay.interactions.frames import frames_of
from interplay.interactions.journal import Durability, Journal
from interplay.interactions.media import Media
from interplay.interactions.writer import Writer
from interplay.plugins.blobs.files import FileBlobs
from interplay.wire.content import ImageContent, TextContent, URLCitation
from interplay.wire.deltas import (
    ArgumentsDelta,
    ImageDelta,
    TextAnnotationDelta,
    TextDelta,
    ThoughtSignatureDelta,
    ThoughtSummaryDelta,
)
from interplay.wire.events import Event, StepDelta, StepStart, StepStop
from interplay.wire.steps import (
    CodeExecutionResultStep,
    FunctionCallStep,
    FunctionResultStep,
    GoogleSearchCallArguments,
    GoogleSearchCallStep,
    GoogleSearchResult,
    GoogleSearchResultStep,
    MCPServerToolCallStep,
    ModelOutputStep,
    Step,
    ThoughtStep,
    UserInputStep,
)
from tests.interactions.faulty_store import ID, FaultyStore, row

TEXT = st.text(max_size=6)
CITES = st.lists(st.builds(URLCitation, url=TEXT), max_size=2)
IMAGE = st.builds(ImageDelta, data=st.just("aGk="), mime_type=st.just("image/png"))
OUTPUT = st.lists(
    st.one_of(
        st.builds(TextDelta, TEXT),
        st.builds(TextAnnotationDelta, CITES),
        IMAGE,
    ),
    max_size=5,
)
THOUGHT = st.lists(
    st.one_of(
        st.builds(ThoughtSummaryDelta, st.builds(TextContent, TEXT)),
        st.just(ThoughtSummaryDelta(ImageContent(data="aGk="))),
        st.just(ThoughtSummaryDelta(None)),
        st.builds(ThoughtSignatureDelta, st.one_of(st.none(), st.just("c2ln"))),
    ),
    max_size=4,
)
JSON = st.dictionaries(
    TEXT,
    st.one_of(TEXT, st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.booleans()),
    max_size=3,
)


@st.composite
def calls(draw: st.DrawFn) -> list[Piece]:
    """One call, its arguments as some model would write them, in any fragments."""
    arguments = draw(JSON)
    text = draw(
        st.sampled_from(
            [
                msgspec.json.encode(arguments).decode(),
                msgspec.json.format(msgspec.json.encode(arguments)).decode(),
                "",
                "{",
                "[1]",
            ]
        )
    )
    cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=3)))
    parts = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    whole = draw(st.booleans()) and draw(st.booleans())
    call = FunctionCallStep(arguments if whole else {}, draw(TEXT), "f")
    return [call] if whole else [call, *map(ArgumentsDelta, parts)]


PIECES = st.lists(st.one_of(OUTPUT, THOUGHT, calls()), max_size=5).map(
    lambda groups: [piece for group in groups for piece in group]
)
STEPS = st.one_of(
    st.builds(UserInputStep, st.just([TextContent("x")])),
    st.builds(FunctionResultStep, TEXT, st.one_of(TEXT, JSON), st.just(True)),
    st.builds(FunctionCallStep, JSON, TEXT, TEXT, st.just("c2ln")),
    st.builds(MCPServerToolCallStep, JSON, TEXT, TEXT, TEXT),
    st.builds(CodeExecutionResultStep, TEXT, TEXT, st.booleans()),
    st.builds(
        GoogleSearchCallStep, st.builds(GoogleSearchCallArguments, st.lists(TEXT, max_size=2)), TEXT
    ),
    st.builds(
        GoogleSearchResultStep,
        TEXT,
        st.lists(st.builds(GoogleSearchResult, TEXT), max_size=2),
        st.booleans(),
    ),
    st.builds(
        ModelOutputStep,
        st.lists(
            st.one_of(
                st.builds(TextContent, TEXT, st.one_of(st.none(), CITES)),
                st.just(ImageContent(data="aGk=")),
            ),
            max_size=3,
        ),
    ),
    st.builds(ThoughtStep, st.one_of(st.none(), st.just("c2ln")),
              st.lists(st.builds(TextContent, TEXT), max_size=3)),
)  # fmt: skip


def journal(folder: Path) -> Journal:
    media = Media(FileBlobs(folder / "blobs"), 1024)
    made = Journal(row(), FaultyStore(folder), media, Durability.NEVER)
    made.observe()
    return made


def events_of(frames: list[bytes]) -> list[Event]:
    return [msgspec.json.decode(f[f.index(b"\ndata: ") + 7 : -2], type=Event) for f in frames]


def write(made: Journal, pieces: list[Any]) -> None:
    """Writes as the loop does; a call whose arguments are no JSON ends the turn."""
    writer = Writer(made)
    for piece in pieces:
        try:
            if isinstance(piece, Step.__args__) and not isinstance(piece, FunctionCallStep):
                writer.step(piece)
            else:
                writer.piece(piece)
        except GenerationFault:
            continue
    try:
        writer.close()
    except GenerationFault:
        return


def stored_of(made: Journal) -> Any:
    """The row as the store would give it back."""
    from interplay.contracts.store import StoredInteraction

    ending = made.ending
    assert ending is not None
    shared = set(StoredInteraction.__struct_fields__) & set(made.row.__struct_fields__)
    given = {name: getattr(made.row, name) for name in shared}
    return StoredInteraction(**{
        **given, "status": ending.status, "updated": ending.updated, "epoch": 1,
        "last": ending.last, "attempts": 1, "steps": ending.steps, "replay": ending.replay,
        "usage": ending.usage, "errors": ending.errors, "fingerprint": None,
    })  # fmt: skip


async def _the_same_again(folder: Path, pieces: list[Any]) -> None:
    from interplay.interactions import terminal

    made = journal(folder)
    made.append(terminal.created(made.row, "in_progress"))
    write(made, pieces)
    await made.end("completed")
    assert made.ending is not None
    steps = msgspec.json.decode(made.ending.steps, type=list[Step])
    assert frames_of(stored_of(made), steps, None) == made.frames
    assert made.ending.last == len(made.frames) - 1
    again = Fold()
    for event in events_of(made.frames):
        again.apply(event)
    assert again.steps == made.fold.steps == steps
    assert again.plan == made.fold.plan


@settings(max_examples=300, deadline=None)
@given(pieces=PIECES)
def test_what_a_model_writes_is_replayed_event_by_event(
    tmp_path_factory: Any, pieces: list[Any]
) -> None:
    asyncio.run(_the_same_again(tmp_path_factory.getbasetemp(), pieces))


@settings(max_examples=150, deadline=None)
@given(pieces=st.lists(STEPS, max_size=4))
def test_whole_steps_are_replayed_event_by_event(tmp_path_factory: Any, pieces: list[Any]) -> None:
    asyncio.run(_the_same_again(tmp_path_factory.getbasetemp(), pieces))


def replayed_plainly(steps: list[Step]) -> list[Event]:
    """The events of steps nobody watched."""
    events: list[Event] = []
    for index, step in enumerate(steps):
        events.append(StepStart(index, replay.bare(step)))
        events += [StepDelta(delta, index) for delta in replay.plain_deltas(step)]
        events.append(StepStop(index))
    return events


@settings(max_examples=300, deadline=None)
@given(pieces=PIECES, whole=st.lists(STEPS, max_size=3))
def test_a_plain_plan_folds_to_the_same_steps_and_counts_its_events(
    tmp_path_factory: Any, pieces: list[Any], whole: list[Any]
) -> None:
    made = journal(tmp_path_factory.getbasetemp())
    write(made, [*pieces, *whole])
    steps = made.fold.steps
    again = Fold()
    events = replayed_plainly(steps)
    for event in events:
        again.apply(event)
    assert again.steps == steps
    assert replay.count(replay.plain_plan(steps)) == len(events) + 1  # in_progress


def test_arguments_are_replayed_in_the_words_of_the_model(tmp_path: Path) -> None:
    made = journal(tmp_path)
    write(made, [FunctionCallStep({}, "c", "f"), ArgumentsDelta('{"a":'), ArgumentsDelta(" 1.50}")])
    (step,) = made.fold.steps
    assert isinstance(step, FunctionCallStep)
    assert step.arguments == {"a": 1.5}
    assert made.fold.plan == [['{"a": 1.50}', 5, 6]]


def test_no_arguments_are_an_empty_object(tmp_path: Path) -> None:
    made = journal(tmp_path)
    writer = Writer(made)
    writer.piece(FunctionCallStep({}, "c", "f"))
    writer.piece(ArgumentsDelta(""))
    writer.close()
    assert made.fold.steps == [FunctionCallStep({}, "c", "f")]


@pytest.mark.parametrize("piece", [TextAnnotationDelta([URLCitation()]), ArgumentsDelta("{")])
def test_a_piece_that_belongs_to_nothing_is_the_models_fault(tmp_path: Path, piece: Any) -> None:
    writer = Writer(journal(tmp_path))
    with pytest.raises(GenerationFault):
        writer.piece(piece)


def test_a_torn_call_is_answered_by_a_result_that_says_so(tmp_path: Path) -> None:
    made = journal(tmp_path)
    Writer(made).piece(FunctionCallStep({}, "c", "f"))
    assert Writer(made).take_up(prefill=True) == ""
    result = made.fold.steps[1]
    assert isinstance(result, FunctionResultStep)
    assert (result.call_id, result.is_error) == ("c", True)


def test_torn_text_is_handed_to_a_model_that_continues_it(tmp_path: Path) -> None:
    made = journal(tmp_path)
    Writer(made).piece(TextDelta("half a"))
    assert Writer(made).take_up(prefill=False) == ""
    assert made.fold.open is None
    writer = Writer(made)
    writer.piece(TextDelta("again "))
    again = Writer(made)
    assert again.take_up(prefill=True) == "again "
    again.piece(TextDelta("whole"))
    again.close()
    texts = [s.content[0].text for s in made.fold.steps if isinstance(s, ModelOutputStep)]
    assert texts == ["half a", "again whole"]
    assert ID
