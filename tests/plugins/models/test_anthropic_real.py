"""The backend of the Messages API against a server of other people, with a real model.

llama.cpp's own server has that API too; see test_openai_compatible_real.py for what it needs.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from interplay.contracts.failure import Failure, Refused
from interplay.contracts.model import Choice, Turn
from interplay.plugins.models.anthropic import Anthropic
from interplay.testing.contracts.model import WEATHER, user
from interplay.testing.pieces import Said, said
from interplay.wire.steps import Step
from tests.plugins.models.anthropic.upstream import config
from tests.plugins.models.test_openai_compatible_real import KEY, gguf, llama_cpp, weather_talk

__all__ = ["gguf", "llama_cpp"]

pytestmark = pytest.mark.timeout(900)


@pytest.fixture
async def model(llama_cpp: str) -> AsyncIterator[Anthropic]:
    made = Anthropic(
        config(base_url=f"{llama_cpp}/v1", api_key=KEY, model="smollm2", dialect={"prefill": True})
    )
    await made.open()
    yield made
    await made.close()


async def ask(model: Anthropic, *steps: Step, **fields: Any) -> Said:
    given: dict[str, Any] = {"max_output_tokens": 24, "temperature": 0.0, **fields}
    turn = Turn(model="m", steps=[*steps] or [user("Count from one to twenty.")], **given)
    async with asyncio.timeout(120):
        return said([piece async for piece in model.stream(turn)])


async def test_text_comes_with_its_count_and_the_cache_is_told(model: Anthropic):
    first, again = [await ask(model) for _ in range(2)]
    assert first.text == again.text != ""
    assert first.end.reason in ("stop", "length")
    assert (first.end.usage.total_output_tokens or 0) > 0
    assert (again.end.usage.total_cached_tokens or 0) > 0
    assert first.end.usage.total_input_tokens == again.end.usage.total_input_tokens


async def test_limits_and_stop_sequences_end_it(model: Anthropic):
    assert (await ask(model, max_output_tokens=1)).end.reason == "length"
    free = (await ask(model)).text.split()
    stop = free[len(free) // 2]
    assert stop not in (await ask(model, stop_sequences=[stop])).text


async def test_an_open_text_is_continued(model: Anthropic):
    assert (await ask(model, prefix="One, two, three, ")).text.startswith("four")


async def test_a_function_is_called_and_where_none_may_be_none_is(model: Anthropic):
    how: dict[str, Any] = {"functions": [WEATHER], "max_output_tokens": 64}
    made = await ask(model, *weather_talk(), **how)
    assert [(call.name, call.arguments) for call in made.calls] == [
        ("get_weather", {"city": "Rome"})
    ]
    assert made.end.reason == "calls"
    assert not (await ask(model, *weather_talk(), choice=Choice(mode="none"), **how)).calls


async def test_refusals_have_their_kinds(model: Anthropic, llama_cpp: str):
    with pytest.raises(Refused, match="too long"):
        await ask(model, user("whale " * 9000))
    other = Anthropic(config(base_url=f"{llama_cpp}/v1", api_key="sk-some-wrong-key"))
    with pytest.raises(Failure, match="api_key_env"):
        await ask(other)
    await other.close()
