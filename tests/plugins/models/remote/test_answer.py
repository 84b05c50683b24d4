"""An answer is read block by block, whatever its form and packing."""

import asyncio
import random
from collections import Counter
from pathlib import Path

import pytest

from interplay.contracts.failure import BadAnswer, Failure
from tests.plugins.models.openai_compatible.upstream import (
    DONE,
    STOP,
    STREAM_HEAD,
    Upstream,
    ask,
    asked,
    calls,
    chunk,
    event,
    failure,
    http,
    model,
    resets,
    sends,
    stalls,
    stream,
    text,
)

WHOLE = stream(
    text("Grüße, "),
    text("Welt 🌍"),
    calls({"index": 0, "id": "c1", "function": {"name": "f", "arguments": '{"a":'}}),
    calls({"index": 0, "function": {"arguments": "1}"}}),
    chunk({}, "tool_calls"),
    event({"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 5}}),
    DONE,
)


@pytest.mark.parametrize("each", [0, 1, 2, 3, 7, 64])
async def test_an_answer_is_the_same_however_it_is_packed(server: Upstream, each: int):
    server.will(sends(WHOLE, each=each))
    async with model(server) as made:
        answer = await ask(made)
    assert answer.text == "Grüße, Welt 🌍"
    assert [(call.id, call.name, call.arguments) for call in answer.calls] == [
        ("c1", "f", {"a": 1})
    ]
    assert answer.end.reason == "calls"
    assert answer.end.usage.total_input_tokens == 7
    assert answer.end.usage.total_output_tokens == 5


async def test_an_event_over_several_data_lines_is_one_chunk(server: Upstream):
    pretty = b'data: {"choices": [\ndata:  {"delta": {"content": "one"}}\ndata: ]}\n\n'
    server.will(stream(pretty, STOP))
    async with model(server) as made:
        assert (await ask(made)).text == "one"


async def test_a_server_that_does_not_stream_is_read_whole(server: Upstream):
    message = {
        "role": "assistant",
        "content": "one two",
        "tool_calls": [
            {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}},
            {"id": "b", "type": "function", "function": {"name": "g", "arguments": {"x": 1}}},
        ],
    }
    body = {
        "object": "chat.completion",
        "choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5},
    }
    server.will(http(200, body, Content_Type="application/json"))
    async with model(server) as made:
        answer = await ask(made)
    assert answer.text == "one two"
    assert [(call.name, call.arguments) for call in answer.calls] == [("f", {}), ("g", {"x": 1})]
    assert answer.end.usage.total_tokens == 5


async def test_an_answer_without_usage_and_without_done_ends_by_its_finish_reason(server: Upstream):
    server.will(stream(text("one"), chunk({}, "stop")))
    async with model(server) as made:
        answer = await ask(made)
    assert answer.end.reason == "stop"
    assert answer.end.usage.total_tokens is None


async def test_a_connection_lost_after_the_finish_reason_loses_nothing(server: Upstream):
    head = STREAM_HEAD + b"Content-Length: 9999\r\n\r\n"
    server.will(resets(head + text("one") + chunk({}, "stop")))
    async with model(server) as made:
        assert (await ask(made)).text == "one"


async def test_a_server_that_keeps_its_stream_open_after_the_end_does_not_hold_us(server: Upstream):
    server.will(stalls(stream(text("one"), STOP)))
    async with model(server) as made:
        assert (await ask(made, seconds=3)).text == "one"
        async with asyncio.timeout(60):
            await server.left.wait()


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"data: {not json}\n\n", "not JSON|half a chunk"),
        (b'data: {"choices": [{"delta": {"content": "a\n\ndata: [DONE]\n\n', "half a chunk"),
        (b'data: {"choices": 7}\n\n', "unknown shape"),
        (b"data: nonsense\n\n", "not JSON"),
        (b"<!DOCTYPE html><html>Sign in</html>\n", "web page"),
        (b"PK\x03\x04 binary\n", "no event stream"),
        (b'{"choices": [{"message": {"content": "ha', "half a JSON object"),
        (b"", "broke off"),
        (b"data: [1, 2]\n\n", "unknown shape"),
    ],
)
async def test_garbage_is_a_bad_answer_that_quotes_it(server: Upstream, body: bytes, words: str):
    server.will(stream(body))
    async with model(server) as made:
        with pytest.raises(BadAnswer, match=words):
            await ask(made)


async def test_a_reset_in_the_middle_is_a_bad_answer(server: Upstream):
    server.will(resets(STREAM_HEAD + b"Content-Length: 99999\r\n\r\n" + text("one")))
    async with model(server) as made:
        with pytest.raises(BadAnswer, match="broke off"):
            await ask(made)


async def test_chunks_without_end_are_cut_off_at_the_limit(server: Upstream):
    fault = await failure(server, stream(event({"choices": []}) * 50, STOP), max_chunks=20)
    assert "max_chunks" in fault.message


@pytest.mark.parametrize("start", [b": nothing\n\n", b'{"choices": []'])
async def test_an_answer_without_end_is_cut_off_at_the_limit(server: Upstream, start: bytes):
    fault = await failure(server, stream(start + b"\n" * 9000), max_answer_bytes=5000)
    assert "max_answer_bytes" in fault.message


async def test_damaged_streams_end_in_an_answer_or_a_failure_and_nothing_else(server: Upstream):
    folder = Path(__file__).parents[1] / "openai_compatible" / "streams"
    bodies = [path.read_bytes() for path in sorted(folder.glob("*.sse"))]
    dice = random.Random(7)
    outcomes: Counter[str] = Counter()
    async with model(server) as made:
        for _ in range(400):
            body = bytearray(dice.choice(bodies))
            for _ in range(dice.randint(1, 3)):
                at = dice.randrange(len(body))
                body[at : at + dice.randint(0, 6)] = dice.randbytes(dice.randint(0, 3))
            server.replace(stream(bytes(body)))
            try:
                async with asyncio.timeout(60):
                    outcomes["answer"] += bool([p async for p in made.stream(asked())])
            except Failure:
                outcomes["failure"] += 1
    assert outcomes["answer"] > 20
    assert outcomes["failure"] > 20
