"""A mock of an OpenAI chat-completions server that costs next to nothing.

The model's name says how it answers, so one process serves every ruler:

- `bench-fixed`: a fixed text of about 700 characters; streamed, it comes in one packet.
- `bench-burst-N`: N chunks of text in one packet.
- `bench-paced-N-MS`: N chunks, one every MS milliseconds (a fraction is allowed).
- `bench-stamped-N-MS`: the same, each text being its number and the monotonic clock in
  nanoseconds, so that a reader can tell loss, doubling and lag.

Requests without `"stream": true` are answered in one piece.
"""

from __future__ import annotations

import argparse
import asyncio
import functools
import os
import time

import msgspec
import uvloop

from bench.http1 import LAST_CHUNK, Malformed, Messages, chunk

WORDS = "The quick brown fox jumps over the lazy dog while seven silver owls watch. "
FIXED_TEXT = (WORDS * 10)[:700]

_STREAM_HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
    b"cache-control: no-cache\r\ntransfer-encoding: chunked\r\n\r\n"
)
_MODELS = b'{"object":"list","data":[{"id":"bench-fixed","object":"model"}]}'


class StreamOptions(msgspec.Struct):
    """The one stream option this mock knows."""

    include_usage: bool = False


class Ask(msgspec.Struct):
    """What the mock reads of a request; the rest is skipped."""

    model: str
    stream: bool = False
    stream_options: StreamOptions | None = None


class Shape(msgspec.Struct, frozen=True):
    """How one model name answers: `gap` is in seconds, 0 for everything at once."""

    kind: str
    count: int
    gap: float


class NoSuchModel(Exception):
    """The name is not one of the mock's."""


@functools.cache
def shape_of(model: str) -> Shape:
    """Reads a model's name; raises NoSuchModel."""
    parts = model.split("-")
    try:
        match parts:
            case ["bench", "fixed"]:
                return Shape("fixed", 1, 0.0)
            case ["bench", "burst", count]:
                return Shape("burst", int(count), 0.0)
            case ["bench", "paced" | "stamped" as kind, count, milliseconds]:
                return Shape(kind, int(count), float(milliseconds) / 1000)
    except ValueError as error:
        raise NoSuchModel(model) from error
    raise NoSuchModel(model)


def piece(number: int) -> str:
    """The text of one chunk of a burst or paced answer."""
    return f" word{number:05d}"


def text_of(model: str) -> str:
    """The whole text a model answers; stamped ones cannot be foretold."""
    shape = shape_of(model)
    if shape.kind == "fixed":
        return FIXED_TEXT
    return "".join(piece(number) for number in range(shape.count))


def _event(model: str, delta: bytes, finish: bytes = b"null") -> bytes:
    return (
        b'data: {"id":"chatcmpl-bench","object":"chat.completion.chunk","created":1700000000,'
        b'"model":"%b","choices":[{"index":0,"delta":%b,"finish_reason":%b}]}\n\n'
        % (model.encode(), delta, finish)
    )


def _text_event(model: str, text: str) -> bytes:
    return _event(model, b'{"content":%b}' % msgspec.json.encode(text))


def _usage(count: int) -> bytes:
    return b'{"prompt_tokens":200,"completion_tokens":%d,"total_tokens":%d}' % (count, 200 + count)


@functools.cache
def _opening(model: str) -> bytes:
    return _event(model, b'{"role":"assistant","content":""}')


@functools.cache
def _closing(model: str, usage: bool) -> bytes:
    end = _event(model, b"{}", b'"stop"')
    if usage:
        end += (
            b'data: {"id":"chatcmpl-bench","object":"chat.completion.chunk","created":1700000000,'
            b'"model":"%b","choices":[],"usage":%b}\n\n'
            % (model.encode(), _usage(shape_of(model).count))
        )
    return end + b"data: [DONE]\n\n"


@functools.cache
def _paced_chunks(model: str) -> list[bytes]:
    count = shape_of(model).count
    return [chunk(_text_event(model, piece(number))) for number in range(count)]


@functools.cache
def _at_once(model: str, usage: bool) -> bytes:
    shape = shape_of(model)
    texts = (
        [FIXED_TEXT] if shape.kind == "fixed" else [piece(number) for number in range(shape.count)]
    )
    body = _opening(model) + b"".join(_text_event(model, text) for text in texts)
    return _STREAM_HEAD + chunk(body + _closing(model, usage)) + LAST_CHUNK


@functools.cache
def _whole(model: str) -> bytes:
    body = (
        b'{"id":"chatcmpl-bench","object":"chat.completion","created":1700000000,"model":"%b",'
        b'"choices":[{"index":0,"message":{"role":"assistant","content":%b},'
        b'"finish_reason":"stop"}],"usage":%b}'
        % (model.encode(), msgspec.json.encode(text_of(model)), _usage(shape_of(model).count))
    )
    return _answer(200, body)


def _answer(status: int, body: bytes) -> bytes:
    return b"HTTP/1.1 %d X\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (
        status,
        len(body),
        body,
    )


_decoder = msgspec.json.Decoder(Ask)


class Upstream(asyncio.Protocol):
    """One connection of the mock."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.messages = Messages()
        self.timer: asyncio.TimerHandle | None = None
        self.paused = False
        self.held = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: asyncio.Transport = transport  # pyright: ignore

    def connection_lost(self, exc: Exception | None) -> None:
        if self.timer is not None:
            self.timer.cancel()

    def data_received(self, data: bytes) -> None:
        try:
            for head, body in self.messages.feed(data):
                self.serve(head, body)
        except Malformed as error:
            self.transport.write(_answer(400, msgspec.json.encode({"error": str(error)})))
            self.transport.close()

    def serve(self, head: bytes, body: bytes) -> None:
        if head.startswith(b"GET "):
            self.transport.write(_answer(200, _MODELS))
            return
        try:
            ask = _decoder.decode(body)
            shape = shape_of(ask.model)
        except (msgspec.DecodeError, NoSuchModel) as error:
            fault = {"error": {"message": f"{type(error).__name__}: {error}"}}
            self.transport.write(_answer(400, msgspec.json.encode(fault)))
            return
        usage = ask.stream_options is not None and ask.stream_options.include_usage
        if not ask.stream and shape.kind != "stamped":
            self.transport.write(_whole(ask.model))
        elif shape.gap == 0:
            self.transport.write(_at_once(ask.model, usage))
        else:
            self.pace(ask.model, shape, usage)

    def pace(self, model: str, shape: Shape, usage: bool) -> None:
        self.model, self.shape, self.usage = model, shape, usage
        self.number = 0
        self.chunks = _paced_chunks(model) if shape.kind == "paced" else None
        self.transport.write(_STREAM_HEAD + chunk(_opening(model)))
        self.due = self.loop.time() + shape.gap
        self.timer = self.loop.call_at(self.due, self.tick)

    def tick(self) -> None:
        if self.paused:
            self.held = True
            return
        number = self.number
        if number == self.shape.count:
            self.timer = None
            self.transport.write(chunk(_closing(self.model, self.usage)) + LAST_CHUNK)
            return
        if self.chunks is not None:
            self.transport.write(self.chunks[number])
        else:
            text = f"{number} {time.monotonic_ns()}\n"
            self.transport.write(chunk(_text_event(self.model, text)))
        self.number = number + 1
        self.due += self.shape.gap
        self.timer = self.loop.call_at(self.due, self.tick)

    def pause_writing(self) -> None:
        self.paused = True

    def resume_writing(self) -> None:
        self.paused = False
        if self.held:
            self.held = False
            self.tick()


async def serve(port: int) -> None:
    """Serves on loopback until cancelled; port 0 picks one. Prints `ready PORT`."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Upstream(loop), "127.0.0.1", port, backlog=4096)
    print("ready", server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await server.serve_forever()


def main() -> None:
    """Command: `python -m bench.upstream --port 9000 --core 0`."""
    parser = argparse.ArgumentParser(description="A fast mock of a chat-completions server.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--core", type=int, help="pin to this core")
    options = parser.parse_args()
    if options.core is not None:
        os.sched_setaffinity(0, {options.core})
    uvloop.run(serve(options.port))


if __name__ == "__main__":
    main()
