"""One connection to one MCP server: opened, kept, used by many calls at once, closed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any, cast

import httpx2
import mcp_types as types
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError
from mcp.shared.message import SessionMessage
from pydantic import TypeAdapter, ValidationError

from interplay.contracts.failure import BadAnswer, Failure, Refused, TimedOut, Unavailable
from interplay.plugins.tools.mcp_server.config import Config
from interplay.plugins.tools.mcp_server.faults import Faults, short
from interplay.plugins.tools.mcp_server.target import Target
from interplay.plugins.tools.mcp_server.transport import Dial, GuardedTransport

_CLOSE_SECONDS = 5.0
_ABOUT_US = types.Implementation(name="interplay", version="1")
_RESULT = TypeAdapter[types.CallToolResult | types.InputRequiredResult](
    types.CallToolResult | types.InputRequiredResult
)


class Connection:
    """Lives in a task of its own, as the MCP package asks for. Failures name what the server did
    ("it cannot be reached"); whoever raises them on says which server it is."""

    def __init__(
        self, target: Target, dial: Dial, config: Config, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._target, self._dial, self._config, self._now = target, dial, config, now
        self._faults = Faults()
        self._client: Client | None = None
        self._opened = asyncio.Event()
        self._stopping = asyncio.Event()
        self._fault: Failure | None = None
        self._task: asyncio.Task[None] | None = None
        self._tools: list[types.Tool] | None = None
        self._stale = 0.0
        self._listing = asyncio.Lock()

    @property
    def alive(self) -> bool:
        """Whether calls can be made."""
        return self._client is not None

    async def open(self) -> None:
        """Connects and agrees on the protocol. Raises Failure; nothing is left open then."""
        self._task = asyncio.create_task(self._live())
        try:
            async with asyncio.timeout(self._config.connect_seconds):
                await self._opened.wait()
        except TimeoutError as error:
            await self.close()
            raise TimedOut(f"no answer within {self._config.connect_seconds:g} s") from error
        except asyncio.CancelledError:
            self._task.cancel()
            raise
        if self._client is None:
            raise self._fault or Unavailable("the connection was closed")

    async def _live(self) -> None:
        transport = GuardedTransport(self._dial, self._faults, self._config.answer_bytes)
        http = httpx2.AsyncClient(
            transport=transport,
            headers={"user-agent": "interplay", **dict(self._target.headers)},
            timeout=None,
            trust_env=False,
        )
        streams = streamable_http_client(
            self._target.url, http_client=http, max_sse_event_size=self._config.answer_bytes
        )
        try:
            async with (
                http,
                Client(
                    cast("Any", _mended(streams)),
                    cache=None,
                    client_info=_ABOUT_US,
                    message_handler=self._heard,
                ) as client,
            ):
                self._client = client
                self._opened.set()
                await self._stopping.wait()
        # Whatever the package raises ends this connection and nothing else.
        except Exception as error:  # noqa: BLE001
            self._fault = self._failure(error)
        finally:
            self._client = None
            self._opened.set()

    async def _heard(self, message: Any) -> None:
        if isinstance(message, types.ToolListChangedNotification):
            self._tools = None

    async def tools(self) -> list[types.Tool]:
        """Every tool of the server, asked for once. Raises Failure."""
        if self._tools is not None and self._now() < self._stale:
            return self._tools
        async with self._listing:
            if self._tools is not None and self._now() < self._stale:
                return self._tools
            try:
                async with asyncio.timeout(self._config.connect_seconds):
                    found, seconds = await self._list()
            except TimeoutError as error:
                seconds = self._config.connect_seconds
                raise TimedOut(f"it did not list its tools within {seconds:g} s") from error
            self._tools, self._stale = found, self._now() + seconds
            return found

    async def _list(self) -> tuple[list[types.Tool], float]:
        """All pages, and how many seconds they hold."""
        session, most = self._alive().session, self._config.tools
        found: dict[str, types.Tool] = {}
        seen: set[str] = set()
        seconds, cursor = self._config.tools_seconds, None
        while True:
            params = types.PaginatedRequestParams(cursor=cursor) if cursor else None
            try:
                page = await session.list_tools(params=params)
            except (MCPError, ValidationError, RuntimeError) as error:
                raise self._failure(error) from error
            found |= {tool.name: tool for tool in page.tools if tool.name}
            if len(found) > most:
                raise Refused(f"it has more than {most} tools (tools.mcp_server.tools)")
            if page.ttl_ms:
                seconds = min(seconds, page.ttl_ms / 1000)
            cursor = page.next_cursor
            if not cursor:
                return list(found.values()), seconds
            if cursor in seen or len(seen) > most:
                raise BadAnswer("its list of tools has no end")
            seen.add(cursor)

    async def call(self, name: str, arguments: dict[str, Any]) -> types.CallToolResult:
        """One call of a tool, by the server's name for it. Cancelling it tells the server. Raises
        Failure; SessionLost when the server has certainly done nothing."""
        params = types.CallToolRequestParams(name=name, arguments=arguments)
        try:
            # Not `call_tool`: it checks results by the server's own patterns and schemas, which
            # may take for ever.
            result = await self._alive().session.send_request(
                types.CallToolRequest(params=params), _RESULT
            )
        except (MCPError, ValidationError, RuntimeError) as error:
            raise self._failure(error) from error
        if isinstance(result, types.InputRequiredResult):
            raise Refused("the tool asks for more input, which nobody here can give")
        return result

    def _alive(self) -> Client:
        if self._client is None:
            raise self._fault or Unavailable("the connection was closed")
        return self._client

    def _failure(self, error: BaseException) -> Failure:
        """What an exception of the package means."""
        while isinstance(error, BaseExceptionGroup):
            error = cast("BaseExceptionGroup[BaseException]", error).exceptions[0]
        if isinstance(error, Failure):
            return error
        if isinstance(error, MCPError):
            failure = self._faults.of(error.message)
            if failure is not None:
                return failure
            if error.code == types.CONNECTION_CLOSED:
                return Unavailable("it broke off its answer; the call was not repeated")
            if error.code == types.PARSE_ERROR or error.message.startswith("Unexpected content"):
                return BadAnswer("its answer is not MCP")
            return Refused(f"it said: {short(error.message)}")
        if isinstance(error, ValidationError):
            return BadAnswer("its answer does not have the form that MCP gives it")
        return BadAnswer(f"its answer cannot be understood ({type(error).__name__})")

    async def close(self) -> None:
        """Says goodbye, and lets go after some seconds whatever the server does."""
        self._stopping.set()
        task = self._task
        if task is None:
            return
        if not self._opened.is_set():
            task.cancel()
        done, _ = await asyncio.wait([task], timeout=_CLOSE_SECONDS)
        if not done:
            task.cancel()
            await asyncio.wait([task], timeout=_CLOSE_SECONDS)


@asynccontextmanager
async def _mended(streams: Any) -> AsyncGenerator[Any]:
    """The same streams, lists of tools made readable."""
    async with streams as (incoming, outgoing):
        yield _Mended(incoming), outgoing


class _Mended:
    """One tool in a form that the package does not take would cost all the others."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    async def receive(self) -> Any:
        """The next message."""
        return _mend(await self._stream.receive())

    def __aiter__(self) -> _Mended:
        return self

    async def __anext__(self) -> Any:
        return _mend(await self._stream.__anext__())

    async def __aenter__(self) -> _Mended:
        await self._stream.__aenter__()
        return self

    async def __aexit__(self, *why: Any) -> Any:
        return await self._stream.__aexit__(*why)


def _mend(item: Any) -> Any:
    if not isinstance(item, SessionMessage) or not isinstance(item.message, types.JSONRPCResponse):
        return item
    result: Any = item.message.result
    if isinstance(result.get("tools"), list):
        result["tools"] = [tool for tool in map(_mended_tool, result["tools"]) if tool]
    return item


def _mended_tool(tool: Any) -> dict[str, Any] | None:
    """A tool with what is needed of it; None for what has no name."""
    if not isinstance(tool, dict):
        return None
    fields = cast("dict[str, Any]", tool)
    name, schema = fields.get("name"), fields.get("inputSchema")
    if not isinstance(name, str):
        return None
    given = cast("dict[str, Any]", schema) if isinstance(schema, dict) else {}
    kept: dict[str, Any] = {"name": name, "inputSchema": {**given, "type": "object"}}
    if not isinstance(given.get("properties", {}), dict):
        kept["inputSchema"].pop("properties")
    if not isinstance(given.get("required", []), list):
        kept["inputSchema"].pop("required")
    for key in ("title", "description"):
        if isinstance(fields.get(key), str):
            kept[key] = fields[key]
    return kept
