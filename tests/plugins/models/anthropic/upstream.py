"""A model behind the double of the Messages API, and turns for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from interplay.contracts.model import FunctionSpec, Turn
from interplay.plugins.models.anthropic import Anthropic, AnthropicConfig
from interplay.testing.local_messages import LocalMessages
from interplay.testing.pieces import Said, said
from interplay.wire.content import TextContent
from interplay.wire.steps import ModelOutputStep, Step, UserInputStep

OLD = "claude-haiku-4-5"
NEW = "claude-opus-5-5"
WEATHER = FunctionSpec(
    name="get_weather",
    description="Tells the weather in a city.",
    parameters={
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": False,
    },
)


def config(**fields: Any) -> AnthropicConfig:
    """An entry; no retries unless the fields say so."""
    return msgspec.convert({"retries": 0, "retry_seconds": 0.001, **fields}, AnthropicConfig)


@asynccontextmanager
async def model(at: LocalMessages, **fields: Any) -> AsyncIterator[Anthropic]:
    """A model behind the double."""
    made = Anthropic(config(base_url=at.url, **fields))
    await made.open()
    try:
        yield made
    finally:
        await made.close()


def user(text: str) -> UserInputStep:
    """One input of text."""
    return UserInputStep(content=[TextContent(text)])


def output(text: str) -> ModelOutputStep:
    """One output of text."""
    return ModelOutputStep(content=[TextContent(text)])


def turn(*steps: Step, name: str = OLD, **fields: Any) -> Turn:
    """A turn of these steps."""
    return Turn(model=name, steps=[*(steps or (user("hello"),))], **fields)


async def ask(made: Anthropic, asked: Turn, seconds: float = 60.0) -> Said:
    """Runs a turn whole and checks the order of its pieces."""
    async with asyncio.timeout(seconds):
        return said([piece async for piece in made.stream(asked)])
