"""What this server adds to one call: of a caller's function, of a tool, of a search for functions.

    python -m bench.tools [--calls 200]

Whole interactions over loopback with a scripted model, two ways in turn: with the call, and the
same number of requests without it. Client and server are one process, and the tool takes no time:
what a call adds is the difference of the medians of processor time, which neighbours on the
machine do not change. Prints it beside its limit, the ratio, and the wall clock; exit code 1 when a
limit is passed. Calls of remote MCP tools are measured by bench.mcp.
"""

from __future__ import annotations

import argparse
import asyncio
import functools
import statistics
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from tempfile import TemporaryDirectory
from typing import Any

import aiohttp
import msgspec

from bench.mcp import settings
from interplay.contracts.model import FunctionSpec
from interplay.contracts.tool import CallSite, ToolCall
from interplay.testing.scripted_model import ScriptedModel
from interplay.testing.server import serve
from interplay.wire.steps import (
    GoogleSearchCallArguments,
    GoogleSearchCallStep,
    GoogleSearchResultStep,
)

Post = Callable[..., Awaitable[dict[str, Any]]]
FUNCTION = {
    "type": "function",
    "name": "weather",
    "description": "The weather of a city",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
}
DEFERRED = [
    {
        **FUNCTION,
        "name": f"weather_{number}",
        "description": f"The weather of place number {number}",
        "defer_loading": True,
    }
    for number in range(2000)
]
WEATHER = {"calls": [{"name": "weather", "arguments": {"city": "Rome"}, "id": "call0001"}]}
SEARCH = {"calls": [{"name": "google_search", "arguments": {"query": "Rome"}, "id": "call0001"}]}


class Row(msgspec.Struct):
    """One measurement: what the script says with the call and without it, what is posted, and the
    most it may add in milliseconds."""

    name: str
    limit: float
    tools: list[Any]
    replies: list[Any]
    answers: bool = False
    """The caller answers the call in a second request."""


def loads(**arguments: Any) -> dict[str, Any]:
    """A turn that searches for functions."""
    return {"calls": [{"name": "tool_search", "arguments": arguments, "id": "call0001"}]}


ROWS = [
    Row("function round trip", 2.0, [FUNCTION], [WEATHER, "done"], answers=True),
    Row("tool of the server", 2.0, [{"type": "google_search"}], [SEARCH, "done"]),
    Row(
        "one of 2,000 deferred, by name",
        25.0,
        [{"type": "tool_search"}, *DEFERRED],
        [loads(function_names=["weather_1234"]), "done"],
    ),
    Row(
        "one of 2,000 deferred, by words",
        100.0,
        [{"type": "tool_search"}, *DEFERRED],
        [loads(query="weather of place 1234"), "done"],
    ),
]


class Nothing:
    """A tool that takes no time."""

    serves = "google_search"
    repeatable = True

    async def offer(self, declaration: Any) -> list[FunctionSpec]:
        """One function with one text argument."""
        query = {"query": {"type": "string"}}
        parameters = {"type": "object", "properties": query, "required": ["query"]}
        return [FunctionSpec(name=self.serves, parameters=parameters)]

    async def call(self, call: ToolCall, at: CallSite) -> AsyncIterator[Any]:
        """Both steps at once."""
        yield GoogleSearchCallStep(GoogleSearchCallArguments(queries=["Rome"]), call.id)
        yield GoogleSearchResultStep(call.id, [])


async def exchange(row: Row, post: Post, *, calls: bool) -> None:
    """The requests of one round, checked."""
    body = {"model": "m", "input": "x", "tools": row.tools}
    made = await post(body)
    if row.answers:
        assert made["status"] == ("requires_action" if calls else "completed"), made
        body["previous_interaction_id"] = made["id"]
        if calls:
            result = {"type": "function_result", "call_id": "call0001", "result": "18"}
            body["input"] = [result]  # pyright: ignore[reportArgumentType]
        made = await post(body)
    assert made["status"] == "completed", made
    assert made["steps"][-1]["content"][0]["text"] == "done"


class Took(msgspec.Struct):
    """Milliseconds of many rounds."""

    wall: list[float] = []
    processor: list[float] = []

    async def round(self, work: Awaitable[None]) -> None:
        """One more."""
        wall, processor = time.perf_counter(), time.process_time()
        await work
        self.wall.append((time.perf_counter() - wall) * 1000)
        self.processor.append((time.process_time() - processor) * 1000)

    def medians(self) -> tuple[float, float]:
        """Of processor and wall, without the first rounds."""
        warm = len(self.wall) // 10
        return statistics.median(self.processor[warm:]), statistics.median(self.wall[warm:])


async def measured(row: Row, count: int) -> tuple[Took, Took]:
    """Without and with the call, round by round in turn."""
    plain = ["done"] * (count * len(row.replies))
    found = Took(), Took()
    with TemporaryDirectory() as one, TemporaryDirectory() as two:
        own: Any = {"google_search": Nothing()}
        async with (
            serve({"m": ScriptedModel.of(*plain)}, tools=own, settings=settings(one)) as bare,
            serve(
                {"m": ScriptedModel.of(*row.replies * count)}, tools=own, settings=settings(two)
            ) as calling,
            aiohttp.ClientSession() as http,
        ):

            async def post(url: str, body: Any) -> dict[str, Any]:
                async with http.post(f"{url}/v1/interactions", json=body) as answer:
                    return await answer.json()

            for _ in range(count):
                for calls, url in enumerate((bare.url, calling.url)):
                    made = exchange(row, functools.partial(post, url), calls=bool(calls))
                    await found[calls].round(made)
    return found


async def main(count: int) -> int:
    """Measures and prints."""
    passed = True
    columns = ("without", "with", "ratio", "added", "limit", "wall without", "wall with")
    print(f"{'':34}" + "".join(f"{name:>14}" for name in columns))
    for row in ROWS:
        bare, calling = await measured(row, count)
        (without, wall_without), (with_call, wall_with) = bare.medians(), calling.medians()
        added = with_call - without
        passed = passed and added <= row.limit
        figures = (without, with_call, with_call / without, added, row.limit)
        print(
            f"{row.name:34}"
            + "".join(f"{figure:14.2f}" for figure in (*figures, wall_without, wall_with))
            + ("" if added <= row.limit else "  past its limit")
        )
    print("all in milliseconds of one round, but for the ratio")
    return 0 if passed else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--calls", type=int, default=200)
    sys.exit(asyncio.run(main(parser.parse_args().calls)))
