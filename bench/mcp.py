"""What this server adds to one call of a remote MCP tool.

    python -m bench.mcp [--calls 200]

One loopback MCP server; calls in turn: a bare client of the package `mcp`, and the plugin with
its guarded connections, both warm. Then whole interactions: with one MCP call, and with the same
two model turns and a tool that does nothing. Prints medians in milliseconds and what is added; exit
code 1 when more than 2 ms are.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any

import aiohttp
from mcp import Client

from interplay.contracts.egress import Guard
from interplay.contracts.model import FunctionSpec
from interplay.contracts.tool import CallSite, ToolCall
from interplay.plugins.tools.mcp_server import Config, McpServer
from interplay.settings import Settings
from interplay.testing.local_mcp import LocalMcp
from interplay.testing.scripted_model import ScriptedModel
from interplay.testing.server import serve
from interplay.wire.steps import MCPServerToolCallStep, MCPServerToolResultStep
from interplay.wire.tools import MCPServer

LIMIT_MS = 2.0
LOCAL = ["127.0.0.0/8"]


class Nothing:
    """A tool of the same steps that reaches nobody."""

    serves = "mcp_server"
    repeatable = False

    async def offer(self, declaration: Any) -> list[FunctionSpec]:
        """The function of the server of this bench."""
        return [FunctionSpec(name="s__echo", parameters={"type": "object"})]

    async def call(self, call: ToolCall, at: CallSite) -> AsyncIterator[Any]:
        """Both steps at once."""
        yield MCPServerToolCallStep(call.arguments, call.id, "echo", "s")
        yield MCPServerToolResultStep(call.id, "hi", name="echo", server_name="s")


async def timed(work: Callable[[], Awaitable[None]]) -> float:
    """Milliseconds of one run."""
    began = time.perf_counter()
    await work()
    return (time.perf_counter() - began) * 1000


async def calls(server: LocalMcp, count: int) -> tuple[float, float]:
    """Median of a bare client and of the plugin, call by call in turn."""
    surroundings: Any = SimpleNamespace(guard=Guard(LOCAL))
    it = McpServer(Config(), surroundings)
    at = MCPServer(name="s", url=server.url)

    async def plugin() -> None:
        site = CallSite(
            interaction_id="i", owner="", declaration=at, idempotency_key="k", timeout=9
        )
        call = ToolCall(id="c", name="s__echo", arguments={"text": "hi"})
        assert [piece async for piece in it.call(call, site)][-1].result[0].text == "hi"

    async with Client(server.url) as client:

        async def bare() -> None:
            result: Any = await client.call_tool("echo", {"text": "hi"})
            assert result.content[0].text == "hi"

        rows = [(await timed(bare), await timed(plugin)) for _ in range(count)][count // 10 :]
    await it.close()
    return statistics.median(a for a, _ in rows), statistics.median(b for _, b in rows)


async def interactions(server: LocalMcp, count: int) -> tuple[float, float]:
    """Median of an interaction with a tool that does nothing, and with the MCP call, in turn."""
    call = {"name": "s__echo", "arguments": {"text": "hi"}, "id": "call0001"}
    replies = [{"calls": [call]}, "done"] * count
    medians: list[list[float]] = [[], []]
    declared = {"type": "mcp_server", "name": "s", "url": server.url}
    body = {"model": "m", "input": "x", "tools": [declared]}
    with TemporaryDirectory() as one, TemporaryDirectory() as two:
        own: Any = {"mcp_server": Nothing()}
        async with (
            serve({"m": ScriptedModel.of(*replies)}, tools=own, settings=settings(one)) as idle,
            serve({"m": ScriptedModel.of(*replies)}, settings=settings(two)) as real,
            aiohttp.ClientSession() as http,
        ):

            async def post(url: str) -> None:
                async with http.post(f"{url}/v1/interactions", json=body) as answer:
                    assert (await answer.json())["status"] == "completed"

            for _ in range(count):
                for number, url in enumerate((idle.url, real.url)):
                    medians[number].append(await timed(lambda at=url: post(at)))
    idle_ms, real_ms = (statistics.median(found[count // 10 :]) for found in medians)
    return idle_ms, real_ms


def settings(folder: str) -> Settings:
    """A server of its own in a folder."""
    return Settings(data_dir=f"{folder}/data", cache_dir=f"{folder}/cache", allowed_networks=LOCAL)


async def main(count: int) -> int:
    """Measures and prints."""
    async with LocalMcp() as server:
        bare, plugin = await calls(server, count)
        idle, real = await interactions(server, count)
    print(f"one call, bare client of mcp     {bare:7.2f} ms")
    print(f"one call, the plugin             {plugin:7.2f} ms  (added {plugin - bare:+.2f})")
    print(f"interaction, tool does nothing   {idle:7.2f} ms")
    print(f"interaction, one MCP call        {real:7.2f} ms")
    added = real - idle - bare
    print(f"added by this server per call    {added:+7.2f} ms  (limit {LIMIT_MS:g})")
    return 0 if added <= LIMIT_MS and plugin - bare <= LIMIT_MS else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--calls", type=int, default=200)
    sys.exit(asyncio.run(main(parser.parse_args().calls)))
