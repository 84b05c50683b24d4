"""The tool type `mcp_server`: tools of remote MCP servers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, ClassVar

import msgspec

from interplay.contracts.failure import Failure, Refused, TimedOut, Unavailable
from interplay.contracts.model import FunctionSpec
from interplay.contracts.remote_tools import framed, shown_name
from interplay.contracts.surroundings import Surroundings
from interplay.contracts.tool import CallSite, ToolCall
from interplay.plugins.tools.mcp_server import config
from interplay.plugins.tools.mcp_server.content import content_of, text_of
from interplay.plugins.tools.mcp_server.faults import SessionLost
from interplay.plugins.tools.mcp_server.pool import Pool
from interplay.plugins.tools.mcp_server.target import (
    Target,
    allowed_names,
    server_name,
    target_of,
)
from interplay.plugins.tools.mcp_server.transport import Dial
from interplay.wire.content import Content
from interplay.wire.deltas import DeltaData, MCPServerToolResultDelta
from interplay.wire.steps import (
    FunctionResultStep,
    MCPServerToolCallStep,
    MCPServerToolResultStep,
    Step,
)
from interplay.wire.tools import Function, MCPServer

_DESCRIPTION = 4_096


class McpServer:
    """Models see a tool as `server__tool`; steps name it as its server does."""

    serves: ClassVar[str] = "mcp_server"
    repeatable: ClassVar[bool] = False
    Config = config.Config

    def __init__(self, config: config.Config, surroundings: Surroundings) -> None:
        self._config, self._guard = config, surroundings.guard
        self._pool = Pool(Dial(self._guard, config.connect_seconds), config)

    async def offer(self, declaration: MCPServer) -> list[FunctionSpec]:
        """The server's tools that the declaration allows. Raises Failure: 'invalid_request' for
        the declaration itself, what a server does under a code of its own."""
        server, target = server_name(declaration), target_of(declaration, self._guard)
        tools = await self._named(server, self._tools(target))
        allowed = allowed_names(declaration)
        found = [name for name in tools if allowed is None or name in allowed]
        if allowed and not found:
            listed = ", ".join(f"'{name}'" for name in sorted(tools)[:20]) or "none"
            raise Refused(
                f"'allowed_tools' of the MCP server '{server}' allows none of its tools: {listed}"
            )
        return [
            FunctionSpec(
                name=shown_name(server, name),
                description=(tools[name].description or tools[name].title or "")[:_DESCRIPTION],
                parameters=self._schema(tools[name].input_schema),
            )
            for name in found
        ]

    def _schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        if len(msgspec.json.encode(schema)) <= self._config.schema_bytes:
            return schema
        return {"type": "object"}

    async def _tools(self, target: Target) -> dict[str, Any]:
        """The tools by the server's names for them; once more where it forgot the session."""
        for _ in range(2):
            async with self._pool.connection(target) as connection:
                try:
                    return {tool.name: tool for tool in await connection.tools()}
                except SessionLost:
                    self._pool.forget(target, connection)
        raise Unavailable("it forgets every session at once")

    async def _named(self, server: str, awaited: Any) -> Any:
        """What is awaited; a failure says whose it is."""
        try:
            return await awaited
        except Failure as failure:
            message = f"The MCP server '{server}': {failure.message}"
            raise Failure(message, code=failure.code, retry_after=failure.retry_after) from failure

    async def call(self, call: ToolCall, at: CallSite) -> AsyncIterator[Step | DeltaData]:
        """The call under the server's own name for the tool, then what it answers. A tool that
        says it failed gives a function_result with `is_error`: the wire type of an MCP result has
        no place for that. Raises Failure."""
        declaration: MCPServer = at.declaration
        server = server_name(declaration)
        target = target_of(declaration, self._guard, at.owner)
        name = await self._named(server, self._own_name(server, target, call.name))
        yield MCPServerToolCallStep(call.arguments, call.id, name, server)
        if at.argument_faults:
            raise Refused(f"The arguments do not fit: {'; '.join(at.argument_faults)}")
        result = await self._named(server, self._answer(target, name, call.arguments))
        if result.is_error:
            text = text_of(result) or "It failed and did not say why."
            # This step is not framed by the backends: its words could be anybody's.
            said = framed(server, text)
            yield FunctionResultStep(call.id, said, is_error=True, name=call.name)
            return
        yield MCPServerToolResultStep(call.id, "", name=name, server_name=server)
        content: list[Content | Function] = [*content_of(result)]
        yield MCPServerToolResultDelta(content, name=name, server_name=server)

    async def _own_name(self, server: str, target: Target, shown: str) -> str:
        for name in await self._tools(target):
            if shown_name(server, name) == shown:
                return name
        raise Refused(f"it no longer has the tool '{shown}'")

    async def _answer(self, target: Target, name: str, arguments: dict[str, Any]) -> Any:
        """One call, made again only where the server has certainly not begun it."""
        for _ in range(2):
            async with self._pool.connection(target) as connection:
                try:
                    async with asyncio.timeout(self._config.call_seconds):
                        return await connection.call(name, arguments)
                except TimeoutError as error:
                    seconds = self._config.call_seconds
                    raise TimedOut(f"no result within {seconds:g} s") from error
                except SessionLost:
                    self._pool.forget(target, connection)
        raise Unavailable("it forgets every session at once")

    async def close(self) -> None:
        """Closes every connection."""
        await self._pool.close()
