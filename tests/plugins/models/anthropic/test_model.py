"""Turns over the wire: headers, thoughts that go back, caches, failures, tries."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import Any

import pytest

from interplay.contracts import registry
from interplay.contracts.failure import BadAnswer, Busy, Failure, Refused, TimedOut, Unavailable
from interplay.contracts.model import Choice
from interplay.plugins.models.anthropic import Anthropic
from interplay.plugins.models.anthropic.thinking import BINDING_BETA
from interplay.testing.local_messages import LocalMessages, Said
from interplay.wire.deltas import TextDelta
from interplay.wire.steps import FunctionResultStep, ThoughtStep
from tests.plugins.models.anthropic.upstream import (
    NEW,
    OLD,
    WEATHER,
    ask,
    config,
    model,
    output,
    turn,
    user,
)
from tests.plugins.models.openai_compatible.upstream import http, sends, stream, upstream

KEY = "sk-ant-very-secret-123"
THINKERS = [OLD, "claude-opus-4-6", "claude-sonnet-5-5", NEW]


def test_the_entry_point_leads_here():
    assert registry.load("interplay.models", "anthropic") is Anthropic


async def test_the_key_and_the_version_go_as_headers(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SOME_KEY", f" {KEY}\n")
    async with LocalMessages(key=KEY) as server, model(server, api_key_env="SOME_KEY") as made:
        assert (await ask(made, turn())).text == "hello"
    headers = server.requests[0].headers
    assert headers["x-api-key"] == KEY
    assert headers["anthropic-version"] == "2023-06-01"
    assert "authorization" not in headers
    assert "anthropic-beta" not in headers


async def test_betas_of_the_operator_and_of_the_request_go_together(server: LocalMessages):
    async with model(server, betas=["mine-1"]) as made:
        await ask(made, turn(name=NEW))
        await ask(made, turn(name=OLD))
    sent = [request.headers["anthropic-beta"] for request in server.requests]
    assert sent == [f"mine-1,{BINDING_BETA}", "mine-1"]


@pytest.mark.parametrize("name", THINKERS)
async def test_thoughts_go_through_a_tool_loop_and_a_chain_unchanged(
    server: LocalMessages, name: str
):
    how: Any = {
        "name": name,
        "functions": [WEATHER],
        "thinking_level": "high",
        "thinking_summaries": True,
    }
    async with model(server) as made:
        steps: list[Any] = [user('call get_weather {"city": "Rome"}\ncall get_weather {}')]
        first = await ask(made, turn(*steps, **how))
        assert first.thought.startswith("Thinking about: call")
        assert [call.arguments for call in first.calls] == [{"city": "Rome"}, {}]
        steps += [ThoughtStep(signature=first.signatures[0]), *first.calls]
        steps += [FunctionResultStep(call.id, f"{at} C") for at, call in enumerate(first.calls)]
        second = await ask(made, turn(*steps, **how))
        assert second.text == "0 C\n1 C"
        steps += [ThoughtStep(signature=sign) for sign in second.signatures]
        steps += [output(second.text), user("thanks")]
        assert (await ask(made, turn(*steps, **how))).text == "thanks"
    assert server.refused == []
    assert [request.dropped for request in server.requests] == [0, 0, 0]
    thoughts = [
        part
        for message in server.requests[-1].body["messages"]
        for part in message["content"]
        if part["type"] == "thinking"
    ]
    assert len(thoughts) == 2


async def test_a_redacted_thought_goes_back_as_it_came(server: LocalMessages):
    server.replies = [Said(text="so", thought="hm", redacted="RED==")]
    async with model(server) as made:
        first = await ask(made, turn(thinking_level="low"))
        again = [user("hello"), ThoughtStep(signature=first.signatures[0]), output("so")]
        await ask(made, turn(*again, user("and?"), thinking_level="low"))
    assert server.refused == []
    back = server.requests[1].body["messages"][1]["content"]
    assert back[1] == {"type": "redacted_thinking", "data": "RED=="}


async def test_thoughts_behind_other_words_are_dropped_by_the_server(server: LocalMessages):
    async with model(server) as made:
        first = await ask(made, turn(name=NEW, thinking_level="low"))
        steps = [user("hello"), ThoughtStep(signature=first.signatures[0]), output("hello")]
        again = turn(*steps, user("and?"), name=NEW, system_instruction="Now be kind.")
        assert (await ask(made, again)).text == "and?"
    assert server.requests[1].dropped == 1


async def test_a_thought_that_was_changed_is_refused_in_the_servers_words(server: LocalMessages):
    other = LocalMessages()
    async with other, model(other) as made:
        first = await ask(made, turn(thinking_level="low"))
    steps = [user("hello"), ThoughtStep(signature=first.signatures[0]), output("hello")]
    async with model(server) as made:
        with pytest.raises(Refused, match="Invalid `signature`"):
            await ask(made, turn(*steps, user("and?"), thinking_level="low"))


async def test_a_chain_is_read_from_the_cache(server: LocalMessages):
    how: Any = {"system_instruction": "Be very kind to all.", "functions": [WEATHER]}
    steps: list[Any] = [user("one two three")]
    cached: list[int] = []
    read: list[int] = []
    async with model(server) as made:
        for _ in range(4):
            said = await ask(made, turn(*steps, **how))
            cached.append(said.end.usage.total_cached_tokens or 0)
            read.append(said.end.usage.total_input_tokens or 0)
            steps += [output(said.text), user("and one more")]
    assert cached[0] == 0
    assert cached[1:] == read[:-1]  # all that was sent before, and nothing else


async def test_a_call_can_be_forced_named_and_forbidden(server: LocalMessages):
    async with model(server, model=OLD) as made:
        for choice in (Choice(mode="any"), Choice(mode="any", names=["get_weather"])):
            said = await ask(made, turn(functions=[WEATHER], choice=choice, thinking_level="low"))
            assert [call.name for call in said.calls] == ["get_weather"]
        none = turn(user("call get_weather"), functions=[WEATHER], choice=Choice(mode="none"))
        assert not (await ask(made, none)).calls
    assert server.refused == []


@pytest.mark.parametrize("tail", ["", " ", "\n\n"])
async def test_an_open_text_is_continued_without_a_seam(server: LocalMessages, tail: str):
    whole = f"one two{tail or ' '}three four"
    async with model(server, model=OLD) as made:
        said = await ask(made, turn(user(whole), prefix=f"one two{tail}", thinking_level="low"))
    assert f"one two{tail}{said.text}" == whole
    assert server.refused == []


@pytest.mark.parametrize("name", [OLD, NEW])
async def test_a_conversation_that_ends_in_the_models_words_is_taken(
    server: LocalMessages, name: str
):
    async with model(server) as made:
        await ask(made, turn(user("a"), output("half \n"), name=name))
    assert server.refused == []


async def test_a_refused_key_is_the_operators_and_never_shown():
    async with LocalMessages(key="other") as server, model(server, api_key=KEY) as made:
        with pytest.raises(Failure, match="api_key_env") as raised:
            await ask(made, turn())
    assert raised.value.code == "service_unavailable"
    assert KEY not in raised.value.message


async def test_an_unknown_model_is_answered_with_what_there_is(server: LocalMessages):
    async with model(server) as made:
        with pytest.raises(Failure, match="claude-haiku-4-5") as raised:
            await ask(made, turn(name="claude-9"))
    assert raised.value.code == "model_not_found"


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (Said(status=429, error="rate_limit_error", headers={"retry-after": "90"}), Busy),
        (Said(status=529, error="overloaded_error", text="Overloaded"), Unavailable),
        (Said(status=500, error="api_error"), Unavailable),
        (Said(status=504, error="timeout_error"), TimedOut),
        (Said(status=413, error="request_too_large"), Refused),
        (Said(text="prompt is too long: 9 > 8", status=400), Refused),
        (Said(text="one two three", breaks_after=1), BadAnswer),
        (
            Said(text="one two three", breaks_after=1, breaks="error", error="overloaded_error"),
            Unavailable,
        ),
    ],
)
async def test_failures_have_their_kinds(server: LocalMessages, said: Said, kind: type):
    server.replies = [said]
    async with model(server) as made:
        with pytest.raises(kind) as raised:
            await ask(made, turn())
    if kind is Busy:
        assert raised.value.retry_after == 90


async def test_an_account_without_credit_is_not_tried_again(server: LocalMessages):
    words = "Your credit balance is too low to access the Anthropic API."
    server.replies = [Said(status=400, error="invalid_request_error", text=words)]
    async with model(server, retries=3) as made:
        with pytest.raises(Failure, match="credit") as raised:
            await ask(made, turn())
    assert raised.value.code == "quota_exceeded"


async def test_what_fails_before_its_first_piece_is_asked_again(server: LocalMessages):
    busy = Said(status=529, error="overloaded_error")
    server.replies = [busy, Said(text="x", breaks_after=0, breaks="error", error="api_error"), busy]
    async with model(server, retries=3) as made:
        assert (await ask(made, turn())).text == "hello"
    assert server.replies == []


async def test_what_fails_after_its_first_piece_is_not(server: LocalMessages):
    server.replies = [Said(text="one two three four", breaks_after=1)]
    async with model(server, retries=3) as made:
        pieces = made.stream(turn())
        assert await anext(pieces) == TextDelta("one two")
        with pytest.raises(BadAnswer, match="broke off"):
            await anext(pieces)
    assert len(server.requests) == 1


async def test_a_server_that_stalls_times_out(server: LocalMessages):
    server.replies = [Said(text="one two three", breaks_after=1, breaks="stall")]
    async with model(server, timeout_seconds=0.3) as made:
        with pytest.raises(TimedOut, match="timeout_seconds"):
            await ask(made, turn())


async def test_closing_the_stream_lets_go_of_the_server(server: LocalMessages):
    server.replies = [Said(text="one two three", breaks_after=1, breaks="stall")]
    async with model(server) as made, asyncio.timeout(60):
        async with aclosing(made.stream(turn())) as pieces:
            await anext(pieces)
        await server.left.wait()


async def test_the_end_of_a_message_is_not_waited_beyond():
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 9999\r\n\r\n"
    events = (
        b'data: {"type":"message_delta","delta":{"stop_reason":"end_turn"}}\n\n'
        b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
    )

    async def answer(wire: Any) -> None:
        await wire.send(head + events)
        await wire.wait_for_the_end()

    async with upstream() as at:
        at.will(answer)
        made = Anthropic(config(base_url=at.base_url))
        assert (await ask(made, turn())).end.reason == "stop"
        await made.close()


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (http(200, {"type": "message", "content": []}), "in one piece"),
        (stream(b"data: [1]\n\n"), "unknown shape"),
        (http(200, b"<html></html>"), "web page"),
    ],
)
async def test_what_is_not_the_protocol_is_a_bad_answer(answer: bytes, words: str):
    async with upstream() as at:
        at.will(sends(answer))
        made = Anthropic(config(base_url=at.base_url))
        with pytest.raises(BadAnswer, match=words):
            await ask(made, turn())
        await made.close()
