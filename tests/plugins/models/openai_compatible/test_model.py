"""A turn over the wire: streams, retries, cancelling, reuse, limits."""

import asyncio
from contextlib import aclosing

import pytest

from interplay.contracts import registry
from interplay.contracts.failure import BadAnswer, Busy, Failure, TimedOut, Unavailable
from interplay.plugins.models.openai_compatible import OpenAICompatible
from interplay.wire.deltas import TextDelta
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
    http,
    keeps,
    model,
    resets,
    sends,
    stalls,
    stream,
    text,
    until,
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


def test_the_entry_point_leads_here():
    assert registry.load("interplay.models", "openai_compatible") is OpenAICompatible


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


async def test_carriage_returns_comments_and_other_fields_are_passed_over(server: Upstream):
    body = b"\xef\xbb\xbf: hello\n\nevent: message\nid: 7\nretry: 10\n" + text("one") + STOP
    server.will(stream(body.replace(b"\n", b"\r\n")))
    async with model(server) as made:
        assert (await ask(made)).text == "one"


async def test_an_event_over_several_data_lines_is_one_chunk(server: Upstream):
    pretty = b'data: {"choices": [\ndata:  {"delta": {"content": "one"}}\ndata: ]}\n\n'
    server.will(stream(pretty, STOP))
    async with model(server) as made:
        assert (await ask(made)).text == "one"


async def test_events_without_blank_lines_between_them_are_read(server: Upstream):
    server.will(stream((text("one") + text(" two") + STOP).replace(b"\n\n", b"\n")))
    async with model(server) as made:
        assert (await ask(made)).text == "one two"


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


async def test_a_stream_that_breaks_off_is_a_bad_answer_after_what_came(server: Upstream):
    server.will(stream(text("one"), text(" two")))
    async with model(server, retries=3) as made:
        pieces = made.stream(asked())
        assert await anext(pieces) == TextDelta("one")
        assert await anext(pieces) == TextDelta(" two")
        with pytest.raises(BadAnswer, match="broke off"):
            await anext(pieces)
    assert len(server.requests) == 1


async def test_a_stream_that_breaks_off_before_its_first_piece_is_asked_for_again(server: Upstream):
    server.will(stream(), stream(chunk({"role": "assistant"})), stream(text("one"), STOP))
    async with model(server, retries=2) as made:
        assert (await ask(made)).text == "one"
    assert len(server.requests) == 3


async def test_a_failing_server_is_tried_again_and_then_given_up(server: Upstream):
    server.will(http(503, {"error": {"message": "Loading model"}}))
    async with model(server, retries=2) as made:
        with pytest.raises(Unavailable, match="Loading model"):
            await ask(made)
    assert len(server.requests) == 3


async def test_a_refused_request_is_not_sent_again(server: Upstream):
    server.will(http(400, {"error": {"message": "no"}}))
    async with model(server, retries=5) as made:
        with pytest.raises(Failure):
            await ask(made)
    assert len(server.requests) == 1


async def test_the_wait_a_server_asks_for_is_kept(server: Upstream):
    server.will(http(429, {}, Retry_After="0.3"), stream(text("one"), STOP))
    loop = asyncio.get_running_loop()
    before = loop.time()
    async with model(server, retries=1) as made:
        await ask(made)
    assert loop.time() - before >= 0.3


async def test_a_wait_beyond_the_cap_is_the_callers_to_wait(server: Upstream):
    server.will(http(429, {"error": {"message": "slow down"}}, Retry_After="90"))
    async with model(server, retries=5) as made:
        with pytest.raises(Busy) as busy:
            await ask(made)
    assert busy.value.retry_after == 90
    assert len(server.requests) == 1


async def test_waiting_for_another_try_is_said_in_doing(server: Upstream):
    server.will(http(503, {}, Retry_After="5"))
    async with model(server, retries=1) as made:
        task = asyncio.create_task(ask(made))
        await until(made.doing)
        assert "again" in (made.doing() or "")
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert made.doing() is None


async def test_closing_the_stream_closes_the_connection_at_once(server: Upstream):
    server.will(stalls(stream(text("one"))))
    async with model(server) as made, asyncio.timeout(5):
        async with aclosing(made.stream(asked())) as pieces:
            assert await anext(pieces) == TextDelta("one")
        await server.left.wait()


async def test_cancelling_a_turn_that_waits_closes_the_connection_at_once(server: Upstream):
    server.will(stalls(b""))
    async with model(server) as made, asyncio.timeout(5):
        task = asyncio.create_task(ask(made))
        await until(lambda: server.requests)
        task.cancel()
        await server.left.wait()
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_a_silent_server_times_out(server: Upstream):
    server.will(stalls(stream(text("one"))))
    async with model(server, timeout_seconds=0.2, retries=3) as made:
        with pytest.raises(TimedOut, match="timeout_seconds"):
            await ask(made)
    assert len(server.requests) == 1


async def test_a_server_that_never_answers_times_out(server: Upstream):
    server.will(stalls(b""))
    async with model(server, timeout_seconds=0.2) as made:
        with pytest.raises(TimedOut, match=r"0\.2 s"):
            await ask(made)


async def test_one_connection_serves_turn_after_turn(server: Upstream):
    server.will(keeps(text("one") + STOP))
    async with model(server) as made:
        for _ in range(5):
            await ask(made)
    assert [request.connection for request in server.requests] == [1] * 5


async def test_a_kept_connection_that_was_just_closed_is_no_failure(server: Upstream):
    server.will(keeps(text("one") + STOP), resets(b""), keeps(text("two") + STOP))
    async with model(server, retries=0) as made:
        await ask(made)
        assert (await ask(made)).text == "two"
    assert [request.connection for request in server.requests] == [1, 1, 2]


async def test_a_server_that_always_hangs_up_is_unavailable(server: Upstream):
    server.will(resets(b""))
    async with model(server, retries=0) as made:
        with pytest.raises(Unavailable, match="closed the connection"):
            await ask(made)
    assert len(server.requests) == 3


async def test_a_server_that_keeps_its_stream_open_after_the_end_does_not_hold_us(server: Upstream):
    server.will(stalls(stream(text("one"), STOP)))
    async with model(server) as made:
        assert (await ask(made, seconds=3)).text == "one"
        async with asyncio.timeout(3):
            await server.left.wait()


async def test_many_turns_at_once_are_not_held_in_line(server: Upstream):
    server.will(stalls(stream(text("one"))))
    async with model(server) as made, asyncio.timeout(20):
        streams = [made.stream(asked()) for _ in range(150)]
        await asyncio.gather(*(anext(one) for one in streams))
        assert server.connections == 150
        await asyncio.gather(*(one.aclose() for one in streams))


async def test_more_turns_than_places_wait_in_line(server: Upstream):
    server.will(stalls(stream(text("one"))), stream(text("two"), STOP))
    async with model(server, max_concurrent=1) as made, asyncio.timeout(10):
        first = made.stream(asked())
        await anext(first)
        second = asyncio.create_task(ask(made))
        await until(made.doing)
        assert "line" in (made.doing() or "")
        assert len(server.requests) == 1
        await first.aclose()
        assert (await second).text == "two"
        assert made.doing() is None


async def test_a_model_that_was_not_opened_opens_on_its_first_turn(server: Upstream):
    server.will(keeps(text("one") + STOP))
    async with model(server) as made:
        await made.close()
        assert (await ask(made)).text == "one"


def test_one_model_serves_several_event_loops():
    async def turn(made: OpenAICompatible | None) -> OpenAICompatible:
        from tests.plugins.models.openai_compatible.upstream import upstream

        async with upstream() as at:
            at.will(keeps(text("one") + STOP))
            async with model(at) as fresh:
                assert (await ask(fresh)).text == "one"
                return fresh

    first = asyncio.run(turn(None))
    assert asyncio.run(turn(first)) is not first
