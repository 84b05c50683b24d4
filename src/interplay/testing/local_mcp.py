"""LocalMcp: an MCP server on a loopback port that behaves, or misbehaves, as a test says."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any

from aiohttp import web

Answer = Callable[[dict[str, Any]], Any]


def tool(name: str = "echo", **fields: Any) -> dict[str, Any]:
    """A tool as a server lists it; it takes a `text` unless told otherwise."""
    schema = {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}
    return {"name": name, "description": f"Answers {name}.", "inputSchema": schema, **fields}


def text(said: str, **fields: Any) -> dict[str, Any]:
    """A result that is one text."""
    return {"content": [{"type": "text", "text": said}], **fields}


class LocalMcp:
    """`async with LocalMcp() as server:` serves at `server.url`.

    `tools` is what it lists, `page` how many at a time; `answers` says what a tool gives: a result,
    or a function of the arguments that makes one; a tool without an answer repeats its `text`.
    `calls` holds (name, arguments) in order, `requests` (HTTP method, headers), `methods` the MCP
    methods. A tool named in `hangs` never answers; `reply`, when set, answers every POST.
    """

    def __init__(self, tools: Sequence[dict[str, Any]] = (), *, page: int = 100) -> None:
        self.tools = list(tools) or [tool()]
        self.page = page
        self.answers: dict[str, Any] = {}
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.methods: list[str] = []
        self.hangs: set[str] = set()
        self.cancelled = asyncio.Event()
        self.listening = asyncio.Event()
        self.reply: Callable[[web.Request], Any] | None = None
        self.sessions: set[str] = set()
        self.url = ""
        self._opened = 0
        self._streams: list[web.StreamResponse] = []
        self._closing = asyncio.Event()
        self._runner: web.AppRunner | None = None

    def forget(self) -> None:
        """Every session is forgotten, as after a restart."""
        self.sessions.clear()

    async def changed(self) -> None:
        """Tells those who listen that the list of tools is another."""
        for stream in self._streams:
            await stream.write(_event({"method": "notifications/tools/list_changed"}))

    async def __aenter__(self) -> LocalMcp:
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_route("*", "/mcp", self._handle)
        self._runner = web.AppRunner(
            app, handler_cancellation=True, shutdown_timeout=1.0, access_log=None
        )
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        port = self._runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{port}/mcp"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closing.set()
        assert self._runner is not None
        await self._runner.cleanup()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        self.requests.append((request.method, {k.lower(): v for k, v in request.headers.items()}))
        if self.reply is not None and request.method == "POST":
            return await self.reply(request)
        if request.method == "GET":
            return await self._listen(request)
        session = request.headers.get("mcp-session-id", "")
        if request.method == "DELETE":
            self.sessions.discard(session)
            return web.Response()
        message = await request.json()
        method = message["method"]
        self.methods.append(method)
        if method in ("initialize", "server/discover"):
            return self._greeted(message)
        if session not in self.sessions:
            return web.Response(status=404)
        if method == "notifications/cancelled":
            self.cancelled.set()
        if "id" not in message:
            return web.Response(status=202)
        return await self._answered(message)

    def _greeted(self, message: dict[str, Any]) -> web.Response:
        if message["method"] == "server/discover":
            error = {"code": -32601, "message": "Method not found"}
            return web.json_response({"jsonrpc": "2.0", "id": message["id"], "error": error})
        self._opened += 1
        session = f"session{self._opened}"
        self.sessions.add(session)
        result = {
            "protocolVersion": "2025-06-18",
            "capabilities": {"tools": {"listChanged": True}},
            "serverInfo": {"name": "local", "version": "1"},
        }
        answer = {"jsonrpc": "2.0", "id": message["id"], "result": result}
        return web.json_response(answer, headers={"mcp-session-id": session})

    async def _answered(self, message: dict[str, Any]) -> web.Response:
        params: dict[str, Any] = message.get("params") or {}
        if message["method"] == "tools/list":
            result = self._listed(int(params.get("cursor") or 0))
        else:
            name: str = params["name"]
            arguments: dict[str, Any] = params.get("arguments") or {}
            self.calls.append((name, arguments))
            if name in self.hangs:
                await self._closing.wait()
            result: Any = self.answers.get(name) or text(str(arguments.get("text", "")))
            if callable(result):
                result = result(arguments)
        return web.json_response({"jsonrpc": "2.0", "id": message["id"], "result": result})

    def _listed(self, start: int) -> dict[str, Any]:
        end = start + self.page
        result: dict[str, Any] = {"tools": self.tools[start:end]}
        if end < len(self.tools):
            result["nextCursor"] = str(end)
        return result

    async def _listen(self, request: web.Request) -> web.StreamResponse:
        stream = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await stream.prepare(request)
        self._streams.append(stream)
        self.listening.set()
        try:
            await self._closing.wait()
        finally:
            self._streams.remove(stream)
        return stream


def _event(message: dict[str, Any]) -> bytes:
    return f"event: message\ndata: {json.dumps({'jsonrpc': '2.0', **message})}\n\n".encode()
