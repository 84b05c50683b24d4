"""A loopback server that sends exactly the bytes a test wants."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest

from interplay.contracts.failure import Failure
from interplay.contracts.model import Turn
from interplay.plugins.models.openai_compatible import OpenAICompatible, OpenAICompatibleConfig
from interplay.testing.pieces import Said, said
from interplay.wire.content import TextContent
from interplay.wire.steps import UserInputStep

KEY = "sk-very-secret-1234567890"
STREAM_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"


class Request(msgspec.Struct):
    """One request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any
    connection: int


class Wire:
    """The server's side of one connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self.keep = False
        self.answered = 0
        """Requests answered on this connection; whoever answers counts."""

    async def send(self, data: bytes, each: int = 0) -> None:
        """Writes bytes; with `each`, so many at a time."""
        for at in range(0, len(data), each or len(data) or 1):
            self._writer.write(data[at : at + (each or len(data))])
            await self._writer.drain()
            await asyncio.sleep(0)

    async def wait_for_the_end(self) -> None:
        """Waits until the client is gone."""
        try:
            await self._reader.read()
        except ConnectionError:
            return

    def reset(self, *, hard: bool = False) -> None:
        """Drops the connection at once; `hard` tells the client that it is no proper end."""
        if hard:
            linger = struct.pack("ii", 1, 0)
            made = self._writer.get_extra_info("socket")
            made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self._writer.transport.abort()


Answer = Callable[[Wire], Awaitable[None]]


class Upstream:
    """Answers requests with what was queued by `will`, in order; the last one is repeated."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.connections = 0
        self.left = asyncio.Event()
        """A client went away while its answer was being sent."""
        self._answers: list[Answer] = []
        self.base_url = ""

    def will(self, *answers: Answer | bytes) -> None:
        """Queues answers; bytes are sent as they are and the connection closed."""
        self._answers += [answer if callable(answer) else sends(answer) for answer in answers]

    def replace(self, *answers: Answer | bytes) -> None:
        """Queues these answers instead of those there are."""
        self._answers.clear()
        self.will(*answers)

    def answer(self) -> Answer:
        """The next answer."""
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        number = self.connections
        wire = Wire(reader, writer)
        try:
            while (request := await _read(reader, number)) is not None:
                self.requests.append(request)
                wire.keep = False
                await self.answer()(wire)
                if not wire.keep:
                    return
        except ConnectionError:
            self.left.set()
        finally:
            writer.close()


async def _read(reader: asyncio.StreamReader, connection: int) -> Request | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.strip().split("\r\n")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    raw = await reader.readexactly(int(headers.get("content-length", 0)))
    method, path, _ = first.split(" ")
    body = msgspec.json.decode(raw) if raw else None
    return Request(method, path, headers, body, connection)


@asynccontextmanager
async def upstream(port: int = 0, made: Upstream | None = None) -> AsyncIterator[Upstream]:
    """A running upstream; port 0 picks one."""
    made = made or Upstream()
    server = await asyncio.start_server(made.serve, "127.0.0.1", port)
    port = server.sockets[0].getsockname()[1]
    made.base_url = f"http://127.0.0.1:{port}/v1"
    try:
        yield made
    finally:
        server.close()


@asynccontextmanager
async def model(at: Upstream, **config: Any) -> AsyncIterator[OpenAICompatible]:
    """A model behind the upstream; no retries unless the config says so."""
    fields = {"base_url": at.base_url, "retries": 0, "retry_seconds": 0.001, **config}
    made = OpenAICompatible(msgspec.convert(fields, OpenAICompatibleConfig))
    await made.open()
    try:
        yield made
    finally:
        await made.close()


def asked(text: str = "hello", **fields: Any) -> Turn:
    """A turn with one input."""
    fields = {"steps": [UserInputStep(content=[TextContent(text)])], **fields}
    return Turn(model="m", **fields)


async def ask(made: OpenAICompatible, turn: Turn | None = None, seconds: float = 60.0) -> Said:
    """Runs a turn whole and checks the order of its pieces."""
    async with asyncio.timeout(seconds):
        return said([piece async for piece in made.stream(turn or asked())])


async def failure(at: Upstream, *answers: Answer | bytes, **config: Any) -> Failure:
    """The failure a turn ends with when the upstream answers so."""
    at.will(*answers)
    async with model(at, **config) as made:
        with pytest.raises(Failure) as raised:
            await ask(made)
    return raised.value


async def until(holds: Callable[[], object], seconds: float = 60.0) -> None:
    """Lets the loop go round until something holds."""
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110 - what is waited for has no event to wait on
            await asyncio.sleep(0)


def sends(data: bytes, *, each: int = 0) -> Answer:
    """An answer of these bytes, then the connection is closed."""

    async def answer(wire: Wire) -> None:
        await wire.send(data, each)

    return answer


def stalls(data: bytes) -> Answer:
    """An answer that stops in the middle and says nothing more until the client is gone."""

    async def answer(wire: Wire) -> None:
        await wire.send(data)
        await wire.wait_for_the_end()
        raise ConnectionError

    return answer


def resets(data: bytes) -> Answer:
    """An answer that is cut off by a reset."""

    async def answer(wire: Wire) -> None:
        await wire.send(data)
        wire.reset()

    return answer


def keeps(body: bytes) -> Answer:
    """An event stream after which the connection stays open for the next request."""

    async def answer(wire: Wire) -> None:
        head = STREAM_HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
        await wire.send(head + b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body))
        wire.keep = True

    return answer


def event(payload: Any) -> bytes:
    """One server-sent event."""
    return b"data: " + msgspec.json.encode(payload) + b"\n\n"


def chunk(delta: dict[str, Any] | None = None, finish: str | None = None, **more: Any) -> bytes:
    """One chunk of a stream."""
    choice = {"index": 0, "delta": delta or {}, "finish_reason": finish}
    return event({"object": "chat.completion.chunk", "choices": [choice], **more})


def text(words: str) -> bytes:
    """A chunk of text."""
    return chunk({"content": words})


def calls(*parts: dict[str, Any]) -> bytes:
    """A chunk of parts of function calls."""
    return chunk({"tool_calls": list(parts)})


DONE = b"data: [DONE]\n\n"
STOP = chunk({}, "stop") + DONE


def stream(*events: bytes) -> bytes:
    """The bytes of an event stream that ends with the connection."""
    return STREAM_HEAD + b"Connection: close\r\n\r\n" + b"".join(events)


def http(status: int, body: Any, **headers: str) -> bytes:
    """The bytes of an answer in one piece; a body that is not bytes goes as JSON."""
    raw = body if isinstance(body, bytes) else msgspec.json.encode(body)
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    head = f"HTTP/1.1 {status} X\r\nContent-Length: {len(raw)}\r\nConnection: close\r\n{lines}\r\n"
    return head.encode() + raw
