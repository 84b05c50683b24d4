"""The plugin mcp_server against servers from the registries, each in a process of its own.

They are fetched once into the test cache; where npm, pip or the registry cannot be had, the tests
are skipped and say why.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from interplay.contracts.egress import Guard
from interplay.contracts.tool import CallSite, ToolCall
from interplay.plugins.tools.mcp_server import Config, McpServer
from interplay.wire.content import ImageContent, TextContent
from interplay.wire.tools import MCPServer
from tests.api.api import until
from tests.cache import NotMade, kept, python_with
from tests.ports import free_port

pytestmark = pytest.mark.timeout(600)
EVERYTHING = "2026.8.31"
FASTMCP = "4.1.2"
PROGRAM = """
import sys
from fastmcp import FastMCP
server = FastMCP("weather")
@server.tool
def forecast(city: str, days: int = 1) -> dict:
    "The weather of a city."
    return {"city": city, "days": days, "sky": "clear"}
@server.tool
def fails() -> str:
    raise ValueError("broken inside")
server.run(transport="http", host="127.0.0.1", port=int(sys.argv[1]), show_banner=False)
"""


@pytest.fixture(scope="module")
def everything() -> Path:
    """The reference server of the protocol, from npm."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        pytest.skip("there is no npm and node on this machine")
    package = f"@modelcontextprotocol/server-everything@{EVERYTHING}"
    command = [npm, "install", "--no-audit", "--no-fund", "--prefix", ".", package]
    try:
        folder = kept(f"mcp-everything-{EVERYTHING}", [command])
    except NotMade as error:
        pytest.skip(f"{package} cannot be fetched: {error}")
    return folder / "node_modules/@modelcontextprotocol/server-everything/dist/index.js"


@pytest.fixture(scope="module")
def fastmcp() -> Path:
    """A Python with the most used framework for servers, from PyPI."""
    try:
        return python_with(f"mcp-fastmcp-{FASTMCP}", f"fastmcp=={FASTMCP}")
    except NotMade as error:
        pytest.skip(f"fastmcp {FASTMCP} cannot be fetched: {error}")


@asynccontextmanager
async def running(port: int, *command: str, **variables: str) -> AsyncGenerator[str]:
    """A process that listens on the port; its MCP address."""
    quiet = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(
        *command, stdout=quiet, stderr=quiet, env={**os.environ, **variables}
    )
    try:
        await until(lambda: answers(port) or process.returncode is not None, 60)
        assert process.returncode is None
        yield f"http://127.0.0.1:{port}/mcp"
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
async def it() -> AsyncGenerator[McpServer]:
    guard: Any = SimpleNamespace(guard=Guard(["127.0.0.0/8"]))
    it = McpServer(Config(), guard)
    yield it
    await it.close()


async def made(it: McpServer, at: MCPServer, name: str, **arguments: Any) -> Any:
    site = CallSite(interaction_id="i", owner="", declaration=at, idempotency_key="k", timeout=30)
    call = ToolCall(id="c", name=name, arguments=arguments)
    return [piece async for piece in it.call(call, site)][-1]


async def test_the_reference_server_lists_and_answers(it: McpServer, everything: Path) -> None:
    port = free_port()
    node = shutil.which("node") or "node"
    async with running(port, node, str(everything), "streamableHttp", PORT=str(port)) as url:
        at = MCPServer(name="e", url=url)
        names = {spec.name for spec in await it.offer(at)}
        assert {"e__echo", "e__get-sum", "e__get-tiny-image"} <= names
        assert (await made(it, at, "e__echo", message="hi")).result == [TextContent("Echo: hi")]
        image = (await made(it, at, "e__get-tiny-image")).result
        assert any(isinstance(block, ImageContent) for block in image)
        weather = await made(it, at, "e__get-structured-content", location="Chicago")
        assert "temperature" in weather.result[0].text
        failed = await made(it, at, "e__get-sum", a="no number", b=1)
        assert failed.is_error
    async with running(port, node, str(everything), "streamableHttp", PORT=str(port)):
        again = await made(it, at, "e__echo", message="after a restart")
        assert again.result == [TextContent("Echo: after a restart")]


async def test_a_fastmcp_server_lists_and_answers(
    it: McpServer, fastmcp: Path, tmp_path: Path
) -> None:
    program, port = tmp_path / "program.py", free_port()
    program.write_text(PROGRAM)
    async with running(port, str(fastmcp), str(program), str(port)) as url:
        at = MCPServer(name="w", url=url)
        assert {spec.name for spec in await it.offer(at)} == {"w__forecast", "w__fails"}
        found = await made(it, at, "w__forecast", city="Rome")
        assert found.result == [TextContent('{"city":"Rome","days":1,"sky":"clear"}')]
        failed = await made(it, at, "w__fails")
        assert failed.is_error
        assert "broken inside" in failed.result
