"""A turn over the wire: streams, retries, cancelling, reuse, limits."""

import asyncio
from contextlib import aclosing

import pytest

from interplay.contracts import registry
from interplay.contracts.failure import BadAnswer, Busy, Failure, TimedOut, Unavailable
from interplay.plugins.models.openai_compatible import OpenAICompatible
from interplay.wire.deltas import TextDelta
from tests.plugins.models.openai_compatible.upstream import (
    STOP,
    Upstream,
    ask,
    asked,
    chunk,
    http,
    model,
    stalls,
    stream,
    text,
    until,
)


def test_the_entry_point_leads_here():
    assert registry.load("interplay.models", "openai_compatible") is OpenAICompatible


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
    async with model(server) as made, asyncio.timeout(60):
        async with aclosing(made.stream(asked())) as pieces:
            assert await anext(pieces) == TextDelta("one")
        await server.left.wait()


async def test_cancelling_a_turn_that_waits_closes_the_connection_at_once(server: Upstream):
    server.will(stalls(b""))
    async with model(server) as made, asyncio.timeout(60):
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


async def test_more_turns_than_places_wait_in_line(server: Upstream):
    server.will(stalls(stream(text("one"))), stream(text("two"), STOP))
    async with model(server, max_concurrent=1) as made, asyncio.timeout(60):
        first = made.stream(asked())
        await anext(first)
        second = asyncio.create_task(ask(made))
        await until(made.doing)
        assert "line" in (made.doing() or "")
        assert len(server.requests) == 1
        await first.aclose()
        assert (await second).text == "two"
        assert made.doing() is None
