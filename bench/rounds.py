"""Interleaved rounds of the same load on several servers: A B A B, the best round counts."""

from __future__ import annotations

import statistics

import msgspec

from bench.load import COUNTER, Ask, drive
from bench.processes import Server, cpu_seconds
from bench.upstream import WORDS, text_of

BURST = 100
PACED = 100
PACED_MILLISECONDS = 2


class Sizes(msgspec.Struct, frozen=True):
    """How much one round does."""

    rounds: int
    unary: int
    streams: int
    single: int
    turns: int
    """Length of the long chain."""
    short: int
    """Chains of ten turns beside it."""
    starts: int
    """Fresh interpreters for the import figure."""
    connections: int = 32


FULL = Sizes(rounds=5, unary=3000, streams=320, single=400, turns=1000, short=20, starts=7)
QUICK = Sizes(rounds=2, unary=600, streams=64, single=150, turns=200, short=10, starts=3)
SMOKE = Sizes(rounds=1, unary=8, streams=4, single=4, turns=11, short=1, starts=1, connections=4)


class Target(msgspec.Struct):
    """A server under load."""

    name: str
    port: int
    server: Server


class Cost(msgspec.Struct):
    """What the best round of one server cost.

    `unary` is microseconds of CPU per request; `paced` and `burst` microseconds of CPU per
    text event, the stream's own cost divided among its events; `single` and `single_high`
    the median and 99th percentile latency of one client in milliseconds; `joined` how many
    paced events came in one read.
    """

    unary: float = float("inf")
    paced: float = float("inf")
    burst: float = float("inf")
    single: float = float("inf")
    single_high: float = float("inf")
    joined: float = 0.0
    rate: float = 0.0
    """The best wall-clock requests per second, for the reader's curiosity only."""


def _body(model: str, stream: bool) -> bytes:
    return msgspec.json.encode(
        {
            "model": model,
            "stream": stream,
            "system_instruction": (WORDS * 3)[:190] + COUNTER.decode(),
            "input": [
                {"type": "user_input", "content": [{"type": "text", "text": (WORDS * 8)[:550]}]}
            ],
            "generation_config": {"max_output_tokens": 2048, "seed": 7},
        }
    )


def ask_for(model: str, *, stream: bool) -> Ask:
    """A request of about 1 KB for one of the mock's models."""
    text = text_of(model)
    deltas = 0
    if stream:
        deltas = 1 if model == "bench-fixed" else int(model.split("-")[2])
    return Ask(_body(model, stream), text, deltas)


UNARY = ask_for("bench-fixed", stream=False)
BURST_ASK = ask_for(f"bench-burst-{BURST}", stream=True)
PACED_ASK = ask_for(f"bench-paced-{PACED}-{PACED_MILLISECONDS}", stream=True)


async def warm(target: Target, sizes: Sizes) -> None:
    """Lets a server import and cache what it does on first use."""
    await drive(target.port, UNARY, connections=sizes.connections, total=sizes.unary // 4)
    for ask in (BURST_ASK, PACED_ASK):
        await drive(target.port, ask, connections=sizes.connections, total=sizes.connections)


async def measure(target: Target, sizes: Sizes, cost: Cost) -> None:
    """One round on one server; `cost` keeps the minimum."""
    pid, many = target.server.pid, sizes.connections
    before = cpu_seconds(pid)
    answers = await drive(target.port, UNARY, connections=many, total=sizes.unary)
    spent = cpu_seconds(pid) - before
    cost.unary = min(cost.unary, spent / answers.count * 1e6)
    cost.rate = max(cost.rate, answers.count / answers.seconds)

    before = cpu_seconds(pid)
    answers = await drive(target.port, PACED_ASK, connections=many, total=sizes.streams)
    spent = (cpu_seconds(pid) - before) / (answers.count * PACED) * 1e6
    if spent < cost.paced:
        cost.paced, cost.joined = spent, answers.count * PACED / answers.reads

    before = cpu_seconds(pid)
    answers = await drive(target.port, BURST_ASK, connections=many, total=sizes.streams * 2)
    cost.burst = min(cost.burst, (cpu_seconds(pid) - before) / (answers.count * BURST) * 1e6)
    await single(target, sizes, cost)


async def single(target: Target, sizes: Sizes, cost: Cost) -> None:
    """Latency at one client."""
    answers = await drive(target.port, UNARY, connections=1, total=sizes.single)
    ordered = sorted(answers.latencies)
    median = statistics.median(ordered) * 1e3
    if median < cost.single:
        cost.single = median
        cost.single_high = ordered[int(len(ordered) * 0.99)] * 1e3


async def direct_latency(port: int, sizes: Sizes) -> float:
    """Median latency of the mock upstream itself at one client, in milliseconds."""
    body = msgspec.json.encode(
        {"model": "bench-fixed", "messages": [{"role": "user", "content": (WORDS * 8)[:550]}]}
    )
    ask = Ask(body, text_of("bench-fixed"), path="/v1/chat/completions")
    answers = await drive(port, ask, connections=1, total=sizes.single)
    return statistics.median(answers.latencies) * 1e3
