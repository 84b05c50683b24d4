"""A process that holds many open streams and checks every event of each.

Prints one JSON object (StreamReport) when all its streams have ended.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from array import array

import msgspec
import uvloop

from bench.http1 import HEAD_END, Dechunker, content_length, header
from bench.load import INTERACTIONS, Ask, request_bytes

_FAULTS_SHOWN = 10


class StreamReport(msgspec.Struct):
    """What one client process saw; lags in microseconds."""

    streams: int
    events: int
    reads: int
    compared: int
    """Finished interactions whose stored text was read back and equals what was streamed."""
    faults: list[str]
    lags: list[int]
    """Every hundredth of the sorted lags between the upstream's write and our read: 0..100."""


class _Delta(msgspec.Struct):
    text: str = ""


class _Head(msgspec.Struct):
    id: str
    status: str


class _Event(msgspec.Struct):
    event_type: str
    event_id: str
    delta: _Delta | None = None
    interaction: _Head | None = None


_decoder = msgspec.json.Decoder(_Event)


class Broken(Exception):
    """A stream lost, doubled or changed something; the message says what."""


class Tally:
    """What all streams of this process have in common."""

    def __init__(self, model: str, count: int, deadline: float) -> None:
        body = {"model": model, "stream": True, "input": "Say when."}
        self.request = request_bytes(Ask(msgspec.json.encode(body), ""))
        self.count = count
        self.deadline = deadline
        self.lags = array("I")
        self.ended: list[tuple[str, str]] = []
        self.events = self.reads = self.streams = 0
        self.faults: list[str] = []


class Stream(asyncio.Protocol):
    """One slot: a stream, and the next one when it has ended in time."""

    def __init__(self, tally: Tally) -> None:
        self.tally = tally
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: asyncio.Transport = transport  # pyright: ignore
        self.ask()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.fail(f"the connection was lost in mid-stream: {exc}")

    def ask(self) -> None:
        self.head, self.rest = b"", b""
        self.chunks: Dechunker | None = None
        self.number = self.heard = 0
        self.texts: list[str] = []
        self.id = self.status = ""
        self.transport.write(self.tally.request)

    def fail(self, reason: str) -> None:
        if len(self.tally.faults) < _FAULTS_SHOWN:
            self.tally.faults.append(f"{self.id or 'no id yet'}: {reason}")
        if not self.done.done():
            self.done.set_result(None)
        self.transport.abort()

    def data_received(self, data: bytes) -> None:
        now = time.monotonic_ns()
        self.tally.reads += 1
        try:
            self.read(data, now)
        except (Broken, ValueError) as error:
            self.fail(str(error))

    def read(self, data: bytes, now: int) -> None:
        if self.chunks is None:
            self.head += data
            end = self.head.find(HEAD_END)
            if end < 0:
                return
            if not self.head.startswith(b"HTTP/1.1 200"):
                raise Broken(f"refused: {self.head[:400]!r}")
            self.chunks = Dechunker()
            data = self.head[end + 4 :]
        *frames, self.rest = (self.rest + self.chunks.feed(data)).split(b"\n\n")
        for frame in frames:
            if not frame.startswith(b":"):
                self.take(frame[frame.index(b"\ndata: ") + 7 :], now)
        if self.chunks.ended:
            self.end()

    def take(self, data: bytes, now: int) -> None:
        if data == b"[DONE]":
            self.status += "+done"
            return
        event = _decoder.decode(data)
        if event.interaction is not None:
            self.id, self.status = event.interaction.id, event.interaction.status
        if int(event.event_id.rpartition(".")[2]) != self.number:
            raise Broken(f"event id {event.event_id} where number {self.number} was due")
        self.number += 1
        if event.event_type == "error":
            raise Broken(f"an error came: {data[:300]!r}")
        if event.event_type == "step.delta" and event.delta is not None:
            for line in event.delta.text.splitlines():
                self.stamp(line, now)
            self.texts.append(event.delta.text)

    def stamp(self, line: str, now: int) -> None:
        number, _, sent = line.partition(" ")
        if int(number) != self.heard:
            raise Broken(f"piece {number} came where piece {self.heard} was due")
        self.heard += 1
        self.tally.events += 1
        self.tally.lags.append(max(0, now - int(sent)) // 1000)

    def end(self) -> None:
        tally = self.tally
        if self.heard != tally.count or self.status != "completed+done":
            raise Broken(f"{self.heard} of {tally.count} pieces, then {self.status}")
        tally.streams += 1
        tally.ended.append((self.id, "".join(self.texts)))
        if time.monotonic() < tally.deadline:
            self.ask()
        else:
            self.done.set_result(None)
            self.transport.close()


async def stored_text(port: int, id: str) -> str:
    """The text of a finished interaction, as the server gives it back."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**24)
    try:
        ask = f"GET {INTERACTIONS}/{id} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n"
        writer.write(ask.encode())
        raw = await reader.read(-1)
    finally:
        writer.close()
    head, _, body = raw.partition(HEAD_END)
    if not head.startswith(b"HTTP/1.1 200"):
        raise Broken(f"GET answers {raw[:300]!r}")
    if header(head, b"transfer-encoding") == b"chunked":
        body = Dechunker().feed(body)
    else:
        body = body[: content_length(head)]
    answer = msgspec.json.decode(body)
    return "".join(
        content["text"]
        for step in answer["steps"]
        if step["type"] == "model_output"
        for content in step["content"]
    )


async def compare(port: int, tally: Tally, id: str, text: str) -> bool:
    """Whether the store holds what was streamed."""
    try:
        if await stored_text(port, id) == text:
            return True
        raise Broken("the stored text is not the text that was streamed")
    except (Broken, ValueError, OSError) as error:
        if len(tally.faults) < _FAULTS_SHOWN:
            tally.faults.append(f"{id}: {error}")
        return False


async def run(options: argparse.Namespace) -> StreamReport:
    """Opens the streams one after the other over `stagger` seconds and waits for their end."""
    loop = asyncio.get_running_loop()
    deadline = time.monotonic() + options.stagger + options.seconds - options.length
    tally = Tally(options.model, options.count, deadline)
    slots: list[Stream] = []
    began = loop.time()
    for number in range(options.streams):
        due = began + options.stagger * number / options.streams
        await asyncio.sleep(max(0.0, due - loop.time()))
        _, slot = await loop.create_connection(lambda: Stream(tally), "127.0.0.1", options.port)
        slots.append(slot)
    print("all open", file=sys.stderr, flush=True)
    async with asyncio.timeout(options.seconds + options.length + 60):
        await asyncio.gather(*(slot.done for slot in slots))
    compared = 0
    if options.compare:
        for id, text in tally.ended[: options.compare]:
            compared += await compare(options.port, tally, id, text)
    ordered = sorted(tally.lags) or [0]
    lags = [ordered[min(len(ordered) - 1, len(ordered) * part // 100)] for part in range(101)]
    return StreamReport(tally.streams, tally.events, tally.reads, compared, tally.faults, lags)


def main() -> None:
    """Started by bench.streams."""
    parser = argparse.ArgumentParser(description="Holds open streams and checks them.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--count", type=int, required=True, help="pieces of text in a stream")
    parser.add_argument("--streams", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--length", type=float, required=True, help="seconds of one stream")
    parser.add_argument("--stagger", type=float, required=True)
    parser.add_argument("--compare", type=int, default=0, help="read back this many at the end")
    report = uvloop.run(run(parser.parse_args()))
    print(msgspec.json.encode(report).decode())


if __name__ == "__main__":
    main()
