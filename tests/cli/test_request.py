"""The body of a create request from what a user gave."""

import base64
import io
import sys

import click
import pytest

from interplay.cli.client import Api
from interplay.cli.request import function_result, request_body, resolved_id, tools_of
from tests.cli.loopback import Canned, json_answer

NOTHING = {
    "words": (), "model": None, "agent": None, "system": None, "files": (), "schema": None,
    "tools": None, "results": (), "thoughts": False, "background": False, "no_store": False,
}  # fmt: skip


class Stdin:
    """A pipe on stdin."""

    def __init__(self, raw: bytes) -> None:
        self.buffer = io.BytesIO(raw)

    def isatty(self) -> bool:
        return False


@pytest.fixture
def body(monkeypatch):
    def make(stdin=b"", **given):
        monkeypatch.setattr(sys, "stdin", Stdin(stdin))
        return request_body({**NOTHING, **given})

    return make


def test_words_alone_are_a_text(body):
    assert body(words=("why", "so")) == {"input": "why so"}


def test_nothing_is_sent_that_was_not_asked_for(body):
    asked = body(
        words=("x",), model="m", system="s", thoughts=True, background=True, no_store=False
    )
    assert asked == {
        "input": "x",
        "model": "m",
        "system_instruction": "s",
        "generation_config": {"thinking_summaries": "auto"},
        "background": True,
    }
    assert body(words=("x",), agent="a", no_store=True) == {
        "input": "x",
        "agent": "a",
        "store": False,
    }


@pytest.mark.parametrize(
    ("name", "kind", "mime"),
    [
        ("a.png", "image", "image/png"),
        ("a.jpg", "image", "image/jpeg"),
        ("a.wav", "audio", "audio/x-wav"),
        ("a.mp4", "video", "video/mp4"),
        ("a.pdf", "document", "application/pdf"),
    ],
)
def test_media_are_inline_content_by_their_type(body, tmp_path, name, kind, mime):
    file = tmp_path / name
    file.write_bytes(b"\x00\xffdata")
    content, text = body(words=("look",), files=(str(file),))["input"]
    data = base64.b64encode(b"\x00\xffdata").decode()
    assert (content["type"], content["data"], text["text"]) == (kind, data, "look")
    assert content["mime_type"].removeprefix("audio/x-") in (mime, "wav")


def test_files_of_text_are_text(body, tmp_path):
    file = tmp_path / "main.rs"
    file.write_text("fn main() {}")
    (content,) = body(files=(str(file),))["input"]
    assert content == {"type": "text", "text": "File main.rs:\n\nfn main() {}"}


def test_a_file_that_is_neither_is_refused(body, tmp_path):
    file = tmp_path / "blob.bin"
    file.write_bytes(b"\xff\x00\xfe")
    with pytest.raises(click.UsageError, match=r"blob\.bin is no image"):
        body(files=(str(file),))


def test_a_schema_becomes_a_response_format(body, tmp_path):
    file = tmp_path / "schema.json"
    file.write_text('{"type": "object"}')
    assert body(words=("x",), schema=str(file))["response_format"] == {
        "type": "text",
        "mime_type": "application/json",
        "schema": {"type": "object"},
    }
    file.write_text("{")
    with pytest.raises(click.BadParameter, match="holds no JSON"):
        body(words=("x",), schema=str(file))


def test_results_are_steps_and_a_question_goes_behind_them(body):
    step = {"type": "function_result", "call_id": "c1", "result": "sunny=yes"}
    assert body(results=("c1=sunny=yes",))["input"] == [step]
    both = body(results=("c1=sunny=yes",), words=("and?",))["input"]
    assert both[1] == {"type": "user_input", "content": [{"type": "text", "text": "and?"}]}
    with pytest.raises(click.BadParameter, match="CALL_ID=VALUE"):
        body(results=("c1",))


def test_a_result_that_is_an_object_is_sent_as_one():
    assert function_result("c", '{"t": 3}', "f")["result"] == {"t": 3}
    assert function_result("c", "{torn")["result"] == "{torn"
    assert "name" not in function_result("c", "x")


def test_a_byte_order_mark_is_no_part_of_the_text(body):
    assert body(stdin=b"\xef\xbb\xbfhello\n", words=("-",))["input"] == "hello"


def test_tools_are_a_list_or_a_single_one(tmp_path):
    file = tmp_path / "tools.json"
    file.write_text('{"type": "function", "name": "f"}')
    assert tools_of(str(file)) == [{"type": "function", "name": "f"}]
    file.write_text('["f"]')
    with pytest.raises(click.BadParameter, match="no list of tools"):
        tools_of(str(file))


def test_last_is_the_newest_interaction():
    with Canned(json_answer('{"interactions": [{"id": "v1_n"}]}')) as server:
        assert resolved_id(Api(server.url), "last") == "v1_n"
        assert resolved_id(Api(server.url), "v1_o") == "v1_o"
    assert len(server.requests) == 1
    with Canned(json_answer('{"interactions": []}')) as server, pytest.raises(click.UsageError):
        resolved_id(Api(server.url), "last")
