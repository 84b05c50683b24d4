"""A tool in surroundings of the test's own, and a loopback server for it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from types import SimpleNamespace
from typing import Any

import pytest

from interplay.contracts.egress import Guard
from interplay.contracts.tool import CallSite, ToolCall
from interplay.plugins.tools.mcp_server import Config, McpServer
from interplay.testing.local_mcp import LocalMcp
from interplay.wire.tools import MCPServer


class Bench:
    """Makes tools and calls, and closes what it made."""

    def __init__(self) -> None:
        self.made: list[McpServer] = []

    def tool(self, *, allowed: list[str] | None = None, **config: Any) -> McpServer:
        guard = config.pop("guard", None)
        guard = guard or Guard(["127.0.0.0/8"] if allowed is None else allowed)
        tool = McpServer(Config(**config), SimpleNamespace(guard=guard))  # type: ignore
        self.made.append(tool)
        return tool

    async def call(
        self, tool: McpServer, at: MCPServer, name: str = "s__echo", owner: str = "", **given: Any
    ) -> list[Any]:
        faults = given.pop("faults", [])
        site = CallSite(
            interaction_id="v1_x",
            owner=owner,
            declaration=at,
            idempotency_key="k",
            timeout=20,
            argument_faults=faults,
        )
        call = ToolCall(id="call0001", name=name, arguments=given or {"text": "hi"})
        return [piece async for piece in tool.call(call, site)]


@pytest.fixture
async def bench() -> AsyncGenerator[Bench]:
    bench = Bench()
    yield bench
    for tool in bench.made:
        await tool.close()


@pytest.fixture
async def server() -> AsyncGenerator[LocalMcp]:
    async with LocalMcp() as server:
        yield server


@pytest.fixture
def at(server: LocalMcp) -> MCPServer:
    return MCPServer(name="s", url=server.url)
