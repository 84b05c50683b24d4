"""What stands in results for media that a model does not take."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest

from interplay.contracts.model import Turn
from interplay.interactions.sight import seen
from interplay.plugins.models.llama_cpp.prompt import conversation
from interplay.testing.echo import echo
from interplay.wire.content import (
    AudioContent,
    DocumentContent,
    ImageContent,
    TextContent,
    VideoContent,
)
from interplay.wire.steps import (
    CodeExecutionResultStep,
    FunctionCallStep,
    FunctionResultStep,
    MCPServerToolResultStep,
    ModelOutputStep,
    Step,
    ThoughtStep,
    UserInputStep,
)
from interplay.wire.tools import Function

PNG = b64encode(b"\x89PNG" + bytes(2_996)).decode()
SHOT = ImageContent(data=PNG, mime_type="image/png")
SAID = "[Here is an image (image/png, 3 kB) that you cannot see.]"
WORD = TextContent("a map")
TEXT = frozenset({"text"})
RESULTS: list[Any] = [
    FunctionResultStep("c", [WORD, SHOT], name="look", is_error=True),
    MCPServerToolResultStep("c", [WORD, SHOT], name="look", server_name="s"),
    CodeExecutionResultStep("c", [WORD, SHOT], is_error=True),
]


@pytest.mark.parametrize("step", RESULTS, ids=lambda step: type(step).__name__)
def test_an_image_in_any_result_is_said_to_be_there_and_the_rest_stays(step: Any):
    (told,) = seen([step], TEXT)
    assert told is not step
    assert told.result == [WORD, TextContent(SAID)]
    assert (told.call_id, getattr(told, "is_error", None)) == (
        "c",
        getattr(step, "is_error", None),
    )
    assert step.result == [WORD, SHOT], "what is stored keeps the image"


@pytest.mark.parametrize("step", RESULTS, ids=lambda step: type(step).__name__)
def test_a_model_that_sees_is_given_the_very_same_steps(step: Any):
    (given,) = seen([step], frozenset({"text", "image"}))
    assert given is step


@pytest.mark.parametrize("kind", [UserInputStep, ModelOutputStep])
def test_an_image_of_an_earlier_turn_is_said_to_be_there(kind: Any):
    (told,) = seen([kind([WORD, SHOT])], TEXT)
    assert told == kind([WORD, TextContent(SAID)])
    (given,) = seen([step := kind([SHOT])], frozenset({"text", "image"}))
    assert given is step


def test_steps_without_media_are_the_same_objects():
    steps: list[Step] = [
        UserInputStep([WORD]),
        ThoughtStep(summary=[WORD]),
        FunctionCallStep({}, "c", "look"),
        FunctionResultStep("c", "done"),
        FunctionResultStep("d", {"type": "image"}),
        FunctionResultStep("e", [Function(name="f"), WORD]),
    ]
    assert all(a is b for a, b in zip(seen(steps, TEXT), steps, strict=True))


@pytest.mark.parametrize(
    ("block", "told"),
    [
        (AudioContent(data="AAAA", mime_type="audio/wav"), "a recording (audio/wav, 3 bytes)"),
        (VideoContent(uri="https://a.example/v"), "a video (of unknown type, at https://a.ex"),
        (DocumentContent(data="JVBER", mime_type="application/pdf"), "a document (application/"),
        (DocumentContent(data="/w==", mime_type="text/plain"), "a document (text/plain, 1 byte)"),
    ],
)
def test_other_media_are_told_by_what_they_are(block: Any, told: str):
    (step,) = seen([FunctionResultStep("c", [block])], TEXT)
    assert isinstance(step, FunctionResultStep)
    assert isinstance(step.result, list)
    (words,) = step.result
    assert isinstance(words, TextContent)
    assert words.text.startswith(f"[Here is {told}")


def test_a_document_of_plain_text_is_read_out():
    note = DocumentContent(data=b64encode("Größe".encode()).decode(), mime_type="text/csv; x=y")
    (step,) = seen([FunctionResultStep("c", [note])], TEXT)
    assert isinstance(step, FunctionResultStep)
    assert step.result == [TextContent("Größe")]
    assert seen([FunctionResultStep("c", [note])], {"document"}) == [
        FunctionResultStep("c", [note])
    ]


def test_the_embedded_model_reads_that_there_is_an_image():
    call = FunctionCallStep({"x": 1}, "c", "click")
    (entry,) = conversation(seen([call, RESULTS[0]], TEXT))
    assert (entry.name, entry.text) == ("click", f"a map\n{SAID}")


def test_a_scripted_model_reads_that_there_is_an_image():
    reply = echo(Turn(model="m", steps=seen([UserInputStep([WORD]), RESULTS[0]], TEXT)))
    said = "".join(chunk for chunk in reply.chunks if isinstance(chunk, str))
    assert SAID in said
    assert PNG not in said
