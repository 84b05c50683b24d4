"""The `outputs` schema: who gets it, the resource, and the stream."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from interplay.interactions import replay
from interplay.interactions.fold import Fold
from interplay.interactions.legacy import (
    OutputsStream,
    interaction_view,
    plain_event_id,
    wants_outputs,
    with_outputs,
)
from interplay.wire.content import ImageContent, TextContent, URLCitation
from interplay.wire.deltas import ArgumentsDelta, TextDelta
from interplay.wire.errors import Error
from interplay.wire.events import (
    ErrorEvent,
    Event,
    InteractionCompletedEvent,
    InteractionCreatedEvent,
    InteractionHead,
    InteractionStatusUpdate,
    StepDelta,
    StepStart,
    StepStop,
)
from interplay.wire.steps import (
    CodeExecutionCallArguments,
    CodeExecutionCallStep,
    CodeExecutionResultStep,
    FileSearchResultStep,
    FunctionCallStep,
    FunctionResultStep,
    GoogleSearchCallArguments,
    GoogleSearchCallStep,
    GoogleSearchResult,
    GoogleSearchResultStep,
    ModelOutputStep,
    RetrievalCallArguments,
    RetrievalCallStep,
    Step,
    ThoughtStep,
    UserInputStep,
)
from interplay.wire.usage import Usage

NOW, BEFORE = "2026-05-20", "2026-05-07"
SDK = "x-goog-api-client"
CITED = TextContent("Cited.", [URLCitation(0, 6, "t", "https://example.com")])
STEPS: list[Step] = [
    ThoughtStep("c2ln", [TextContent("Look it up.")]),
    GoogleSearchCallStep(GoogleSearchCallArguments(["q"]), "s1"),
    GoogleSearchResultStep("s1", [GoogleSearchResult("<p>")]),
    CodeExecutionCallStep(CodeExecutionCallArguments("1+1", "python"), "x1"),
    CodeExecutionResultStep("x1", "2", is_error=False),
    FileSearchResultStep("fs1"),
    RetrievalCallStep(RetrievalCallArguments(["q"]), "r1"),
    ThoughtStep(),
    ModelOutputStep([TextContent("One two three."), ImageContent("aGk=", "image/png")]),
    ModelOutputStep(),
    FunctionCallStep({"place": "Paris"}, "f1", "get_weather"),
    FunctionResultStep("f1", {"celsius": 21}, name="get_weather"),
    FunctionCallStep({}, "f2", "now"),
    ModelOutputStep([CITED, TextContent("And after."), ImageContent(None, "image/png", None, "u")]),
]


def told(*headers: tuple[str, str]) -> list[tuple[bytes, bytes]]:
    return [(b"host", b"h"), *((name.encode(), value.encode()) for name, value in headers)]


@pytest.mark.requirement("schema:steps")
@pytest.mark.requirement("schema:outputs-by-revision")
@pytest.mark.requirement("schema:outputs-by-client")
@pytest.mark.parametrize(
    ("headers", "by_default", "outputs"),
    [
        (told(), NOW, False),
        (told(), BEFORE, True),
        (told(("api-revision", NOW)), BEFORE, False),
        (told(("api-revision", BEFORE)), NOW, True),
        (told(("api-revision", "2026-12-01"), (SDK, "google-genai-sdk/1.75.0")), NOW, False),
        (told(("api-revision", "latest")), NOW, False),
        (told(("api-revision", "latest")), BEFORE, True),
        (told((SDK, "google-genai-sdk/1.55.0 gl-python/3.11.7")), NOW, True),
        (told((SDK, "google-genai-sdk/10.0.0 gl-python/3.11.7")), BEFORE, False),
        (told((SDK, "google-genai-sdk/3.4.0 gl-python/3.11.7")), BEFORE, False),
        (told(("user-agent", "GeminiNextGenAPIClient/Python 1.66.0")), NOW, True),
        (told(("user-agent", "AsyncGeminiNextGenAPIClient/Python 1.66.0")), NOW, True),
        (told(("user-agent", "GeminiNextGenAPIClient/Python 2.0.0")), BEFORE, False),
        (told(("user-agent", "x"), ("user-agent", "google-genai-sdk/1.60.0")), NOW, True),
        (told((SDK, "google-adk/2.13.0 gl-python/3.11")), BEFORE, False),
        (told((SDK, "google-genai-sdk/1.60.0 gl-python/3.11 google-adk/1.30.0")), NOW, True),
        (told(("user-agent", "speakeasy"), (SDK, "google-genai-sdk/2.20.0")), BEFORE, False),
        (told(("user-agent", "python-httpx/0.28")), BEFORE, True),
        (told(("user-agent", "ai/7.0 ai-sdk-provider-utils/4")), NOW, False),
    ],
)
def test_the_schema_of_a_request(
    headers: list[tuple[bytes, bytes]], by_default: str, outputs: bool
):
    assert wants_outputs(headers, by_default) is outputs


def plain(value: Any) -> Any:
    return json.loads(msgspec.json.encode(value))


def resource(steps: list[Step], **more: Any) -> dict[str, Any]:
    return {
        "id": "v1_x",
        "object": "interaction",
        "status": "completed",
        "steps": plain(steps),
    } | more


def view(body: dict[str, Any], **how: Any) -> dict[str, Any]:
    before = copy.deepcopy(body)
    shown = interaction_view(body, **{"include_input": False, **how})
    assert body == before
    return shown


def test_outputs_are_the_contents_of_the_models_steps():
    shown = view(resource([UserInputStep([TextContent("Hi")]), *STEPS]))
    assert "steps" not in shown
    assert "input" not in shown
    assert shown["role"] == "model"
    assert [content["type"] for content in shown["outputs"]] == [
        "thought",
        "google_search_call",
        "google_search_result",
        "code_execution_call",
        "code_execution_result",
        "file_search_result",
        "thought",
        "text",
        "image",
        "function_call",
        "function_result",
        "function_call",
        "text",
        "text",
        "image",
    ]


def test_old_names_of_fields_stand_beside_todays():
    outputs = view(resource(STEPS))["outputs"]
    assert outputs[2]["result"] == [{"search_suggestions": "<p>", "rendered_content": "<p>"}]
    assert outputs[5]["result"] == []
    [citation] = outputs[12]["annotations"]
    assert citation["source"] == citation["url"] == "https://example.com"


def test_the_result_of_code_is_a_text():
    step = CodeExecutionResultStep("x1", [TextContent("a"), TextContent("b")])
    assert view(resource([step]))["outputs"][0]["result"] == "ab"


def test_thought_tokens_go_by_both_names():
    shown = view(resource([], usage={"total_thought_tokens": 7, "total_tokens": 9}))
    assert shown["usage"] == {
        "total_thought_tokens": 7,
        "total_reasoning_tokens": 7,
        "total_tokens": 9,
    }


@pytest.mark.parametrize(
    ("status", "known"),
    [
        ("queued", "in_progress"),
        ("budget_exceeded", "incomplete"),
        ("requires_continuation", "incomplete"),
        *((same, same) for same in ("in_progress", "requires_action", "completed", "failed")),
        *((same, same) for same in ("cancelled", "incomplete")),
    ],
)
def test_statuses_old_clients_know(status: str, known: str):
    assert view(resource([], status=status))["status"] == known


def test_an_interaction_without_steps_yet_has_no_outputs():
    body = {"id": "v1_x", "status": "in_progress"}
    assert view(body) == {**body, "role": "model"}
    assert with_outputs(body) == body


def test_input_is_shown_only_when_it_is_asked_for():
    body = resource([UserInputStep([TextContent("Hi"), TextContent("there")]), *STEPS])
    assert view(body, include_input=True)["input"] == [
        {"type": "text", "text": "Hi"},
        {"type": "text", "text": "there"},
    ]


def test_input_with_the_models_words_is_shown_as_turns():
    call = FunctionCallStep({}, "f1", "f")
    answered = [UserInputStep([TextContent("Hi")]), call, FunctionResultStep("f1", "done")]
    body = resource([*answered, ModelOutputStep([TextContent("Done.")])])
    shown = view(body, include_input=True, input_steps=3)
    assert [turn["role"] for turn in shown["input"]] == ["user", "model", "user"]
    assert shown["input"][1]["content"] == plain([call])
    assert shown["outputs"] == [{"type": "text", "text": "Done."}]


def test_results_of_an_earlier_interactions_calls_are_input():
    body = resource([FunctionResultStep("f9", "done"), ModelOutputStep([TextContent("Done.")])])
    assert view(body)["outputs"] == [{"type": "text", "text": "Done."}]


def test_results_of_the_servers_own_calls_are_outputs():
    made = [FunctionCallStep({}, "f1", "f"), FunctionResultStep("f1", "done")]
    assert len(view(resource([UserInputStep([TextContent("Hi")]), *made]))["outputs"]) == 2


def test_outputs_beside_steps_leave_the_rest_alone():
    body = resource([UserInputStep([TextContent("Hi")]), ModelOutputStep([CITED])])
    both = with_outputs(body)
    assert {key: both[key] for key in body} == body
    assert [content["text"] for content in both["outputs"]] == ["Cited."]


def cut(step: Step, pieces: random.Random) -> Iterator[Any]:
    """A step's deltas, texts and arguments in several pieces."""
    for delta in replay.plain_deltas(step):
        name = {TextDelta: "text", ArgumentsDelta: "arguments"}.get(type(delta))
        if name is None:
            yield delta
            continue
        text = getattr(delta, name)
        while text:
            size = pieces.randint(1, 6)
            yield type(delta)(text[:size])
            text = text[size:]


def journal(steps: list[Step], seed: int = 0, status: Any = "completed") -> list[Event]:
    """The events of an interaction, each with its id."""
    pieces = random.Random(seed)
    head = InteractionHead(id="v1_x", status="in_progress", model="m", object="interaction")
    events: list[Event] = [
        InteractionCreatedEvent(head),
        InteractionStatusUpdate("v1_x", "in_progress"),
    ]
    for index, step in enumerate(steps):
        events.append(StepStart(index, replay.bare(step)))
        events += [StepDelta(delta, index) for delta in cut(step, pieces)]
        events.append(StepStop(index))
    usage = Usage(total_tokens=3, total_thought_tokens=1)
    ended = msgspec.structs.replace(head, status=status, usage=usage)
    events.append(InteractionCompletedEvent(ended))
    for number, event in enumerate(events):
        event.event_id = f"x.{number}"
    return events


def frames(events: list[Event], after: str | None = None) -> list[tuple[str, dict[str, Any]]]:
    stream = OutputsStream(after)
    made = [frame for event in events for frame in stream.frames(event)]
    return [(name, json.loads(data)) for name, data in made]


def outputs_of(stream: list[tuple[str, dict[str, Any]]]) -> list[dict[str, Any]]:
    """What a client that puts the deltas together ends up with."""
    contents: list[dict[str, Any]] = []
    for name, body in stream:
        if name == "content.start":
            assert body["index"] == len(contents)
            contents.append(dict(body["content"]))
        elif name == "content.delta":
            _fill(contents[body["index"]], body["delta"])
    return contents


def _fill(content: dict[str, Any], delta: dict[str, Any]) -> None:
    kind = delta["type"]
    if kind == "text":
        content["text"] = content.get("text", "") + delta["text"]
        if "annotations" in delta:
            content["annotations"] = content.get("annotations", []) + delta["annotations"]
    elif kind == "thought_summary":
        content["summary"] = [*content.get("summary", []), delta["content"]]
    elif kind == "thought_signature":
        content["signature"] = delta["signature"]
    else:
        assert content == {"type": kind}, "a whole content comes in one delta"
        content.update(delta)


@pytest.mark.parametrize("seed", range(5))
def test_a_stream_adds_up_to_the_outputs_of_the_resource(seed: int):
    events = journal(STEPS, seed)
    fold = Fold()
    for event in events:
        fold.apply(event)
    assert outputs_of(frames(events)) == view(resource(fold.steps))["outputs"]


def test_every_content_is_started_and_stopped_in_turn():
    opened = None
    for name, body in frames(journal(STEPS)):
        if name == "content.start":
            assert opened is None
            opened = body["index"]
        elif name == "content.delta":
            assert body["index"] == opened
        elif name == "content.stop":
            assert body["index"] == opened
            opened = None
    assert opened is None


@pytest.mark.requirement("schema:outputs-stream")
def test_the_frames_of_a_thought_and_a_text():
    steps: list[Step] = [ThoughtStep("c2ln"), ModelOutputStep([TextContent("Hi")])]
    shown = frames(journal(steps))
    assert all(name == body["event_type"] for name, body in shown)
    bare = [
        {k: v for k, v in body.items() if k not in ("event_id", "event_type")} for _, body in shown
    ]
    assert [name for name, _ in shown] == [
        "interaction.start",
        "interaction.status_update",
        *("content.start", "content.delta", "content.stop"),
        *("content.start", "content.delta", "content.stop"),
        "interaction.complete",
    ]
    assert bare == [
        {
            "interaction": {
                "id": "v1_x",
                "status": "in_progress",
                "model": "m",
                "object": "interaction",
            }
        },
        {"interaction_id": "v1_x", "status": "in_progress"},
        {"index": 0, "content": {"type": "thought"}},
        {"index": 0, "delta": {"type": "thought_signature", "signature": "c2ln"}},
        {"index": 0},
        {"index": 1, "content": {"type": "text"}},
        {"index": 1, "delta": {"type": "text", "text": "Hi"}},
        {"index": 1},
        {
            "interaction": {
                "id": "v1_x",
                "status": "completed",
                "model": "m",
                "object": "interaction",
                "role": "model",
                "usage": {
                    "total_tokens": 3,
                    "total_thought_tokens": 1,
                    "total_reasoning_tokens": 1,
                },
            }
        },
    ]


def test_fragments_of_arguments_become_one_whole_call():
    shown = frames(journal([FunctionCallStep({"place": "Paris"}, "f1", "get_weather")]))
    [call] = [body["delta"] for name, body in shown if name == "content.delta"]
    assert call == {
        "type": "function_call",
        "id": "f1",
        "name": "get_weather",
        "arguments": {"place": "Paris"},
    }


@pytest.mark.parametrize("raw", ["{broken", "[1]", ""])
def test_a_call_with_malformed_arguments_is_shown_as_the_resource_shows_it(raw: str):
    events: list[Event] = [
        StepStart(0, FunctionCallStep({}, "f1", "f")),
        StepDelta(ArgumentsDelta(raw), 0),
        StepStop(0),
    ]
    assert outputs_of(frames(events))[0]["arguments"] == {}


def test_a_step_that_comes_whole_is_shown_whole():
    events: list[Event] = [
        StepStart(0, UserInputStep([TextContent("Hi")])),
        StepDelta(TextDelta("Hi"), 0),
        StepStop(0),
        StepStart(1, ThoughtStep("c2ln", [TextContent("Why.")])),
        StepStop(1),
        StepStart(2, ModelOutputStep([CITED, ImageContent("aGk=", "image/png")])),
        StepStop(2),
        StepStart(3, FunctionCallStep({"a": 1}, "f1", "f")),
        StepStop(3),
    ]
    whole = [event.step for event in events if isinstance(event, StepStart)]
    assert outputs_of(frames(events)) == view(resource(whole))["outputs"]


def test_statuses_in_a_stream_are_those_old_clients_know():
    events = journal([], status="requires_continuation")
    events.insert(1, InteractionStatusUpdate("v1_x", "queued", usage=Usage(total_thought_tokens=2)))
    shown = frames(events)
    assert shown[1][1]["status"] == "in_progress"
    assert shown[1][1]["usage"] == {"total_thought_tokens": 2, "total_reasoning_tokens": 2}
    assert shown[-1][1]["interaction"]["status"] == "incomplete"


def test_an_error_keeps_its_form():
    [(name, body)] = frames([ErrorEvent(Error("api_error", "It broke."), "x.1")])
    assert name == "error"
    assert body == {
        "event_type": "error",
        "error": {"code": "api_error", "message": "It broke."},
        "event_id": "x.1",
    }


@pytest.mark.requirement("schema:outputs-resume")
@pytest.mark.parametrize("seed", range(3))
def test_resuming_after_any_frame_neither_loses_nor_doubles(seed: int):
    events = journal(STEPS, seed)
    whole = frames(events)
    ids = [body["event_id"] for _, body in whole]
    assert len(set(ids)) == len(ids)
    assert {plain_event_id(id) for id in ids} <= {event.event_id for event in events}
    for number, id in enumerate(ids):
        assert frames(events, after=id) == whole[number + 1 :]


def test_an_id_whose_number_is_not_ours_resumes_after_the_whole_event():
    events = journal(STEPS)
    split = next(body["event_id"] for _, body in frames(events) if "~" in body["event_id"])
    plain_id = plain_event_id(split)
    rest = frames(events, after=plain_id)
    for strange in ("", "x", "9", "٣", "9" * 5_000):
        assert frames(events, after=f"{plain_id}~{strange}") == rest


def test_events_without_ids_make_frames_without_ids():
    events = journal(STEPS)
    for event in events:
        event.event_id = None
    assert not any("event_id" in body for _, body in frames(events))
