"""What one call and one chunk cost in the OpenAI-compatible backend.

CPU time of this process, user and system, against the mock upstream in a process of its own, beside
the floor's hand-written client (bench.floor_chat) and, where it is installed, the `openai` package.
The least of several interleaved rounds counts.

    python -m bench.openai_compatible [--rounds 5] [--json]
"""

from __future__ import annotations

import argparse
import asyncio
import importlib.util
import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import msgspec
import uvloop

from bench.floor_chat import ChatAnswer, ChatRequest, Message, Pool
from interplay.contracts.model import FunctionSpec, Turn, TurnEnd
from interplay.plugins.models.openai_compatible import OpenAICompatible, OpenAICompatibleConfig
from interplay.wire.content import TextContent
from interplay.wire.deltas import TextDelta
from interplay.wire.steps import UserInputStep

PROMPT = "Where does the quick brown fox jump, and who is watching it? " * 12
FUNCTION = FunctionSpec(
    name="get_weather",
    description="Tells the weather in a city.",
    parameters={"type": "object", "properties": {"city": {"type": "string"}}},
)
TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": FUNCTION.description,
        "parameters": FUNCTION.parameters,
    },
}
AT_ONCE = 8
BURST, PACED = 1_000, 100
Ask = Callable[[str], Awaitable[int]]
"""Asks one of the mock's models and answers how many pieces of text came."""


class Cost(msgspec.Struct):
    """Microseconds of CPU."""

    client: str
    call: float
    burst_chunk: float
    paced_chunk: float


class _Waiting:
    """The floor's caller: counts chunks and wakes who asked."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.count = 0
        self.done: asyncio.Future[int] = loop.create_future()

    def answered(self, answer: ChatAnswer) -> None:
        for choice in answer.choices:
            if choice.delta is not None and choice.delta.content:
                self.count += 1

    def ended(self) -> None:
        if not self.done.done():
            self.done.set_result(self.count)

    def failed(self, reason: str) -> None:
        if not self.done.done():
            self.done.set_exception(RuntimeError(reason))


@asynccontextmanager
async def floor(port: int) -> AsyncIterator[Ask]:
    """The hand-written client."""
    loop = asyncio.get_running_loop()
    pool = Pool("127.0.0.1", port, loop)

    async def ask(model: str) -> int:
        waiting = _Waiting(loop)
        request = ChatRequest(model, [Message("user", PROMPT)], stream=True, temperature=0.5)
        pool.send(msgspec.json.encode(request), waiting)
        return await waiting.done

    yield ask


@asynccontextmanager
async def ours(port: int) -> AsyncIterator[Ask]:
    """The backend."""
    model = OpenAICompatible(OpenAICompatibleConfig(base_url=f"http://127.0.0.1:{port}/v1"))
    await model.open()

    async def ask(name: str) -> int:
        count = 0
        steps = [UserInputStep(content=[TextContent(PROMPT)])]
        turn = Turn(model=name, steps=[*steps], functions=[FUNCTION], temperature=0.5)
        async for piece in model.stream(turn):
            if type(piece) is TextDelta:
                count += 1
            elif type(piece) is TurnEnd and piece.reason != "stop":
                raise RuntimeError(piece.reason)
        return count

    yield ask
    await model.close()


@asynccontextmanager
async def sdk(port: int) -> AsyncIterator[Ask]:
    """The `openai` package."""
    from openai import AsyncOpenAI  # pyright: ignore

    client = AsyncOpenAI(base_url=f"http://127.0.0.1:{port}/v1", api_key="none")

    async def ask(name: str) -> int:
        count = 0
        chunks = await client.chat.completions.create(
            model=name,
            messages=[{"role": "user", "content": PROMPT}],
            tools=[TOOL],
            temperature=0.5,
            stream=True,
            stream_options={"include_usage": True},
        )
        async for chunk in chunks:
            if chunk.choices and chunk.choices[0].delta.content:
                count += 1
        return count

    yield ask
    await client.close()


async def _spent(ask: Ask, model: str, calls: int, expected: int) -> float:
    """Microseconds of CPU per call, so many at a time."""
    left = calls

    async def worker() -> None:
        nonlocal left
        while left > 0:
            left -= 1
            found = await ask(model)
            if found != expected:
                raise RuntimeError(f"{model}: {found} pieces instead of {expected}")

    before = time.process_time()
    await asyncio.gather(*(worker() for _ in range(AT_ONCE)))
    return (time.process_time() - before) / calls * 1e6


async def _round(name: str, ask: Ask, scale: float) -> Cost:
    await _spent(ask, "bench-fixed", 50, 1)
    call = await _spent(ask, "bench-fixed", int(1_000 * scale), 1)
    burst = await _spent(ask, f"bench-burst-{BURST}", int(100 * scale), BURST)
    paced = await _spent(ask, f"bench-paced-{PACED}-1", int(100 * scale), PACED)
    return Cost(name, call, (burst - call) / (BURST - 1), (paced - call) / (PACED - 1))


async def measure(port: int, rounds: int, scale: float) -> list[Cost]:
    """The least cost of each client over interleaved rounds."""
    clients = {"floor": floor, "interplay": ours}
    if importlib.util.find_spec("openai") is not None:
        clients["openai package"] = sdk
    best: dict[str, Cost] = {}
    for _ in range(rounds):
        for name, client in clients.items():
            async with client(port) as ask:
                cost = await _round(name, ask, scale)
            least = best.setdefault(name, cost)
            for field in ("call", "burst_chunk", "paced_chunk"):
                setattr(least, field, min(getattr(least, field), getattr(cost, field)))
    return list(best.values())


def main() -> None:
    """Starts the mock, measures, prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--scale", type=float, default=1.0, help="more or fewer calls a round")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    command = [sys.executable, "-m", "bench.upstream"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ) as mock:
        try:
            assert mock.stdout is not None
            port = int(mock.stdout.readline().split()[1])
            costs = uvloop.run(measure(port, options.rounds, options.scale))
        finally:
            mock.kill()
    if options.json:
        print(json.dumps(msgspec.to_builtins(costs), indent=1))
        return
    print(f"{'us of CPU':<16}{'call':>10}{'burst chunk':>14}{'paced chunk':>14}")
    for cost in costs:
        row = f"{cost.call:>10.1f}{cost.burst_chunk:>14.2f}{cost.paced_chunk:>14.2f}"
        print(f"{cost.client:<16}{row}")


if __name__ == "__main__":
    main()
