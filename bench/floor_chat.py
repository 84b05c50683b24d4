"""The floor's way to the upstream: one keep-alive HTTP/1.1 connection per running request."""

from __future__ import annotations

import asyncio
from typing import Protocol

import msgspec

from bench.http1 import HEAD_END, Dechunker, content_length, header


class Message(msgspec.Struct):
    """One message of a chat."""

    role: str
    content: str


class ChatRequest(msgspec.Struct, omit_defaults=True):
    """The body of `POST /chat/completions`."""

    model: str
    messages: list[Message]
    stream: bool = False
    temperature: float | None = None
    max_tokens: int | None = None
    seed: int | None = None


class Spent(msgspec.Struct):
    """Tokens as the upstream counts them."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    total_tokens: int = 0


class Part(msgspec.Struct):
    """A message or a delta of one."""

    content: str | None = None


class Choice(msgspec.Struct):
    """One choice; unary answers fill `message`, chunks fill `delta`."""

    message: Part | None = None
    delta: Part | None = None
    finish_reason: str | None = None


class ChatAnswer(msgspec.Struct):
    """A completion, or one chunk of it."""

    choices: list[Choice]
    usage: Spent | None = None


class Caller(Protocol):
    """Who waits for an upstream answer."""

    def answered(self, answer: ChatAnswer) -> None:
        """One whole answer, or one chunk of a stream."""

    def ended(self) -> None:
        """A stream is over."""

    def failed(self, reason: str) -> None:
        """No (whole) answer will come."""


_decoder = msgspec.json.Decoder(ChatAnswer)


class Link(asyncio.Protocol):
    """One connection to the upstream."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self.caller: Caller | None = None
        self.buffer = b""
        self.need = -1
        self.chunks: Dechunker | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: asyncio.Transport = transport  # pyright: ignore

    def connection_lost(self, exc: Exception | None) -> None:
        self.pool.drop(self)
        caller, self.caller = self.caller, None
        if caller is not None:
            caller.failed(f"the upstream closed the connection: {exc}")

    def send(self, body: bytes, caller: Caller) -> None:
        self.caller = caller
        self.transport.write(self.pool.head % len(body) + body)

    def data_received(self, data: bytes) -> None:
        if self.chunks is not None:
            self.streamed(data)
            return
        buffer = self.buffer = self.buffer + data if self.buffer else data
        if self.need < 0:
            end = buffer.find(HEAD_END)
            if end < 0:
                return
            head, self.buffer = buffer[: end + 2], buffer[end + 4 :]
            if not head.startswith(b"HTTP/1.1 200"):
                self.transport.close()
                return
            if header(head, b"transfer-encoding") == b"chunked":
                self.chunks = Dechunker()
                rest, self.buffer = self.buffer, b""
                self.streamed(rest)
                return
            self.need = content_length(head)
        if len(self.buffer) < self.need:
            return
        body, self.buffer, self.need = self.buffer, b"", -1
        caller, self.caller = self.caller, None
        self.pool.idle.append(self)
        if caller is not None:
            caller.answered(_decoder.decode(body))

    def streamed(self, data: bytes) -> None:
        chunks = self.chunks
        assert chunks is not None
        text = chunks.feed(data)
        if self.buffer:
            text = self.buffer + text
        *frames, self.buffer = text.split(b"\n\n")
        caller = self.caller
        for frame in frames:
            if caller is not None and frame != b"data: [DONE]":
                caller.answered(_decoder.decode(frame[6:]))
        if chunks.ended:
            self.chunks, self.caller, self.buffer = None, None, b""
            self.pool.idle.append(self)
            if caller is not None:
                caller.ended()


class Pool:
    """Connections to one upstream."""

    def __init__(self, host: str, port: int, loop: asyncio.AbstractEventLoop) -> None:
        self.host, self.port, self.loop = host, port, loop
        self.idle: list[Link] = []
        self.opening: set[asyncio.Task[None]] = set()
        self.head = (
            f"POST /v1/chat/completions HTTP/1.1\r\nhost: {host}:{port}\r\n"
            "content-type: application/json\r\ncontent-length: %d\r\n\r\n"
        ).encode()

    def send(self, body: bytes, caller: Caller) -> None:
        """Sends a request on a free connection, or on a new one."""
        if self.idle:
            self.idle.pop().send(body, caller)
            return
        task = self.loop.create_task(self._open(body, caller))
        self.opening.add(task)
        task.add_done_callback(self.opening.discard)

    async def _open(self, body: bytes, caller: Caller) -> None:
        try:
            _, link = await self.loop.create_connection(lambda: Link(self), self.host, self.port)
        except OSError as error:
            caller.failed(f"the upstream cannot be reached: {error}")
            return
        link.send(body, caller)

    def drop(self, link: Link) -> None:
        """Forgets a connection that is closed."""
        if link in self.idle:
            self.idle.remove(link)
