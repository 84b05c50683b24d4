"""The load: raw connections that send one request again and again and check every answer."""

from __future__ import annotations

import asyncio
import time

import msgspec

from bench.http1 import HEAD_END, LAST_CHUNK, Dechunker, content_length, header

INTERACTIONS = "/v1/interactions"
COUNTER = b"#00000000"


class WrongAnswer(Exception):
    """The server answered something else than what was asked; the message shows what."""


class Ask(msgspec.Struct, frozen=True):
    """One kind of request: its body, and what every answer must hold.

    COUNTER in the body becomes the request's number: no two requests are the same.
    """

    body: bytes
    text: str
    """The whole text the model makes."""
    deltas: int = 0
    """Text deltas of a stream; 0 for an answer in one piece."""
    path: str = INTERACTIONS
    """Answers of any other path are only searched for the text."""


class Answers(msgspec.Struct):
    """What came of one load: `latencies` and `seconds` in seconds."""

    count: int
    seconds: float
    latencies: list[float]
    reads: int
    """How often a connection found something to read: tells how far events were joined."""
    last: bytes
    """The body of the last answer."""


def request_bytes(ask: Ask) -> bytes:
    """The request as it goes over the wire."""
    head = (
        f"POST {ask.path} HTTP/1.1\r\nhost: 127.0.0.1\r\n"
        f"content-type: application/json\r\ncontent-length: {len(ask.body)}\r\n\r\n"
    )
    return head.encode() + ask.body


def frames_of(body: bytes) -> list[tuple[str, bytes]]:
    """The (event, data) pairs of an SSE body; comments are left out."""
    found: list[tuple[str, bytes]] = []
    for frame in body.replace(b"\r\n", b"\n").split(b"\n\n"):
        event, data = "", b""
        for line in frame.split(b"\n"):
            if line.startswith(b"event: "):
                event = line[7:].decode()
            elif line.startswith(b"data: "):
                data = line[6:]
        if event:
            found.append((event, data))
    return found


def check_stream(body: bytes, ask: Ask) -> None:
    """Raises WrongAnswer unless the stream is whole: every event once, in order, text equal."""
    frames = frames_of(body)
    kinds = [kind for kind, _ in frames]
    if kinds[-1:] != ["done"] or "interaction.completed" not in kinds:
        raise WrongAnswer(f"the stream ends with {kinds[-3:]}: {body[-300:]!r}")
    events = [msgspec.json.decode(data) for kind, data in frames if kind != "done"]
    numbers = [int(event["event_id"].rpartition(".")[2]) for event in events]
    if numbers != list(range(len(events))):
        raise WrongAnswer(f"event ids are not dense: {numbers[:20]}")
    deltas = [event["delta"]["text"] for event in events if event["event_type"] == "step.delta"]
    if len(deltas) != ask.deltas or "".join(deltas) != ask.text:
        raise WrongAnswer(f"{len(deltas)} deltas instead of {ask.deltas}, or another text")


def check_whole(body: bytes, ask: Ask) -> None:
    """Raises WrongAnswer unless the interaction is completed and says the text."""
    answer = msgspec.json.decode(body)
    text = "".join(
        content["text"]
        for step in answer.get("steps", [])
        if step["type"] == "model_output"
        for content in step["content"]
    )
    if answer.get("status") != "completed" or text != ask.text:
        raise WrongAnswer(f"not the interaction that was asked for: {body[:300]!r}")


class _Load:
    def __init__(self, ask: Ask, total: int) -> None:
        self.ask = ask
        self.before, self.counter, self.after = request_bytes(ask).partition(COUNTER)
        self.sent = 0
        self.text = ask.text.encode()
        self.left = total
        self.running = 0
        self.checked = 0
        self.answers = Answers(0, 0.0, [], 0, b"")
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def next_request(self) -> bytes:
        """The next request as it goes over the wire."""
        self.sent += 1
        if not self.counter:
            return self.before
        return self.before + b"#%08d" % self.sent + self.after

    def fail(self, error: Exception) -> None:
        if not self.done.done():
            self.done.set_exception(error)

    def take(self, body: bytes) -> None:
        """Checks an answer: the first ones letter by letter, later ones by what is cheap."""
        ask = self.ask
        if self.checked < 3 and ask.path == INTERACTIONS:
            self.checked += 1
            (check_stream if ask.deltas else check_whole)(body, ask)
        elif ask.deltas:
            if body.count(b"event: step.delta\n") != ask.deltas or b"[DONE]" not in body[-40:]:
                raise WrongAnswer(f"a stream is not whole: {body[-300:]!r}")
        elif self.text not in body:
            raise WrongAnswer(f"the text is not in {body[:300]!r}")


class _Connection(asyncio.Protocol):
    def __init__(self, load: _Load) -> None:
        self.load = load
        self.parts: list[bytes] = []
        self.size = 0
        self.need = -1
        self.chunked = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: asyncio.Transport = transport  # pyright: ignore

    def connection_lost(self, exc: Exception | None) -> None:
        self.load.fail(WrongAnswer(f"the server closed a connection: {exc}"))

    def send(self) -> None:
        load = self.load
        if load.left <= 0:
            return
        load.left -= 1
        load.running += 1
        self.began = time.perf_counter()
        self.transport.write(load.next_request())

    def data_received(self, data: bytes) -> None:
        load = self.load
        load.answers.reads += 1
        self.parts.append(data)
        self.size += len(data)
        try:
            body = self.whole(data)
            if body is None:
                return
            load.answers.latencies.append(time.perf_counter() - self.began)
            load.take(body)
        except (WrongAnswer, ValueError) as error:
            load.fail(error)
            return
        load.answers.count += 1
        load.answers.last = body
        load.running -= 1
        self.send()
        if load.left <= 0 and load.running == 0 and not load.done.done():
            load.done.set_result(None)

    def whole(self, data: bytes) -> bytes | None:
        """The body, once it is all there."""
        if self.need < 0:
            joined = b"".join(self.parts)
            end = joined.find(HEAD_END)
            if end < 0:
                return None
            head = joined[: end + 2]
            if not head.startswith(b"HTTP/1.1 200"):
                raise WrongAnswer(f"{joined[:600]!r}")
            self.chunked = header(head, b"transfer-encoding") == b"chunked"
            self.need = 0 if self.chunked else content_length(head)
            self.parts = [joined[end + 4 :]]
            self.size = len(self.parts[0])
        if self.chunked:
            tail = data if len(data) >= 5 else b"".join(self.parts)[-5:]
            if not tail.endswith(LAST_CHUNK):
                return None
            body = Dechunker().feed(b"".join(self.parts))
        elif self.size < self.need:
            return None
        else:
            body = b"".join(self.parts)
        self.parts, self.size, self.need = [], 0, -1
        return body


async def drive(
    port: int, ask: Ask, *, connections: int, total: int, timeout: float = 60.0
) -> Answers:
    """Sends `total` requests over `connections` to loopback; raises WrongAnswer or TimeoutError."""
    loop = asyncio.get_running_loop()
    load = _Load(ask, total)
    opened: list[_Connection] = []
    try:
        for _ in range(connections):
            _, connection = await loop.create_connection(
                lambda: _Connection(load), "127.0.0.1", port
            )
            opened.append(connection)
        began = time.perf_counter()
        for connection in opened:
            connection.send()
        try:
            async with asyncio.timeout(timeout):
                await load.done
        except TimeoutError as error:
            late = f"{load.answers.count} of {total} answers on port {port} after {timeout:g} s"
            raise TimeoutError(late) from error
        load.answers.seconds = time.perf_counter() - began
    finally:
        if not load.done.done():
            load.done.cancel()
        for connection in opened:
            connection.transport.abort()
    return load.answers
