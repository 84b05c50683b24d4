"""The double of the Messages API, asked by Anthropic's own client."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import anthropic
import pytest

from interplay.testing.local_messages import LocalMessages, Said

OLD = "claude-haiku-4-5"
NEW = "claude-opus-5-5"
HELLO: Any = [{"role": "user", "content": "hello there"}]
WEATHER: Any = {"name": "weather", "input_schema": {"type": "object", "properties": {}}}


@pytest.fixture
async def server() -> AsyncIterator[LocalMessages]:
    async with LocalMessages(key="k") as made:
        yield made


@pytest.fixture
async def client(server: LocalMessages) -> AsyncIterator[anthropic.AsyncAnthropic]:
    base_url = server.url.removesuffix("/v1")
    async with anthropic.AsyncAnthropic(api_key="k", base_url=base_url, max_retries=0) as made:
        yield made


async def test_a_message_is_read(client: anthropic.AsyncAnthropic):
    message = await client.messages.create(model=NEW, max_tokens=9, messages=HELLO)
    assert message.content[0].text == "hello there"
    assert message.stop_reason == "end_turn"
    assert (message.usage.input_tokens, message.usage.output_tokens) == (5, 2)


async def test_a_stream_comes_to_the_same_message(
    server: LocalMessages, client: anthropic.AsyncAnthropic
):
    server.replies = [
        Said(
            text="I look.",
            thought="Hm, where?",
            redacted="RED==",
            calls=[("weather", {"city": "Rome"}), ("weather", {})],
            stop_reason="tool_use",
        )
    ]
    kinds: list[str] = []
    async with client.messages.stream(
        model=OLD,
        max_tokens=4_000,
        messages=HELLO,
        tools=[WEATHER],
        thinking={"type": "enabled", "budget_tokens": 2_000},
    ) as stream:
        async for event in stream:
            kinds.append(event.type)
        message = await stream.get_final_message()
    assert kinds[0] == "message_start"
    assert kinds[-1] == "message_stop"
    assert [block.type for block in message.content] == [
        "thinking",
        "redacted_thinking",
        "text",
        "tool_use",
        "tool_use",
    ]
    assert message.content[0].thinking == "Hm, where?"
    assert message.content[0].signature
    assert [block.input for block in message.content[3:]] == [{"city": "Rome"}, {}]
    assert message.stop_reason == "tool_use"
    assert message.usage.output_tokens_details.thinking_tokens == 2


async def test_thoughts_are_taken_back_as_they_were_and_not_otherwise(
    client: anthropic.AsyncAnthropic,
):
    how: Any = {
        "model": OLD,
        "max_tokens": 4_000,
        "thinking": {"type": "enabled", "budget_tokens": 2_000},
    }
    first = await client.messages.create(messages=HELLO, **how)
    back: Any = [block.model_dump(exclude_none=True) for block in first.content]
    more: Any = [*HELLO, {"role": "assistant", "content": back}, *HELLO]
    await client.messages.create(messages=more, **how)
    back[0]["thinking"] += "!"
    with pytest.raises(anthropic.BadRequestError, match="Invalid `signature`"):
        await client.messages.create(messages=more, **how)


async def test_thoughts_of_newer_models_are_bound_to_what_stands_before_them(
    client: anthropic.AsyncAnthropic,
):
    how: Any = {"model": NEW, "max_tokens": 99, "output_config": {"effort": "high"}}
    how["thinking"] = {"type": "adaptive"}
    first = await client.messages.create(messages=HELLO, **how)
    back: Any = [block.model_dump(exclude_none=True) for block in first.content]
    assert back[0]["type"] == "thinking"
    more: Any = [*HELLO, {"role": "assistant", "content": back}, *HELLO]
    await client.messages.create(messages=more, **how)
    with pytest.raises(anthropic.BadRequestError, match="different conversation"):
        await client.messages.create(messages=more, system="Another.", **how)


async def test_errors_are_told_as_the_api_tells_them(
    server: LocalMessages, client: anthropic.AsyncAnthropic
):
    server.replies = [Said(status=529, error="overloaded_error", text="Overloaded")]
    with pytest.raises(anthropic.APIStatusError, match="Overloaded") as raised:
        await client.messages.create(model=NEW, max_tokens=9, messages=HELLO)
    assert raised.value.status_code == 529
    with pytest.raises(anthropic.NotFoundError, match="model: claude-9"):
        await client.messages.create(model="claude-9", max_tokens=9, messages=HELLO)
    with pytest.raises(anthropic.AuthenticationError):
        await client.with_options(api_key="x").messages.create(
            model=NEW, max_tokens=9, messages=HELLO
        )


async def test_what_was_marked_is_read_from_the_cache(client: anthropic.AsyncAnthropic):
    marked: Any = {"type": "text", "text": "a b c", "cache_control": {"type": "ephemeral"}}
    spent = []
    for _ in range(2):
        message = await client.messages.create(
            model=NEW, max_tokens=9, system=[marked], messages=HELLO
        )
        spent.append(message.usage)
    assert spent[0].cache_creation_input_tokens == spent[1].cache_read_input_tokens > 0
    assert spent[0].cache_read_input_tokens == 0


async def test_an_answer_breaks_off_as_told(
    server: LocalMessages, client: anthropic.AsyncAnthropic
):
    server.replies = [Said(text="one two three", breaks_after=1, breaks="error")]
    with pytest.raises(anthropic.APIStatusError, match="in the middle"):
        async with client.messages.stream(model=NEW, max_tokens=9, messages=HELLO) as stream:
            await stream.get_final_message()
