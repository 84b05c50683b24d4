"""The floor: the least this work costs in Python, as a ruler for the server.

A hand-written protocol on uvloop that does honestly what one interaction needs: parse
HTTP, decode and validate the body with the real wire types, translate it to chat
completions, ask the upstream over its own keep-alive connection, translate back, store one
row by group commit, answer. In stream mode every upstream chunk becomes one `step.delta`
frame, written as it comes. It knows text, `POST /v1/interactions` and nothing else.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import time

import msgspec
import uvloop

from bench.floor_chat import ChatAnswer, ChatRequest, Message, Pool
from bench.floor_rows import Rows
from bench.http1 import LAST_CHUNK, Malformed, Messages, chunk
from interplay.wire.content import TextContent
from interplay.wire.deltas import TextDelta
from interplay.wire.events import (
    InteractionCompletedEvent,
    InteractionCreatedEvent,
    InteractionHead,
    InteractionStatusUpdate,
    StepDelta,
    StepStart,
    StepStop,
)
from interplay.wire.interaction import CreateInteraction, Interaction
from interplay.wire.record import Record
from interplay.wire.steps import ModelOutputStep, Step, UserInputStep
from interplay.wire.usage import Usage

_STREAM_HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
    b"cache-control: no-cache\r\ntransfer-encoding: chunked\r\n\r\n"
)
_decoder = msgspec.json.Decoder(CreateInteraction)
_encode = msgspec.json.Encoder().encode


class NotServed(Exception):
    """The floor has no words for this request; the message says which part."""


def _timestamp(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def _input_steps(asked: CreateInteraction) -> list[Step]:
    given = asked.input
    if isinstance(given, str):
        return [UserInputStep([TextContent(given)])]
    if isinstance(given, list) and all(
        isinstance(one, UserInputStep | ModelOutputStep) for one in given
    ):
        return given  # pyright: ignore
    raise NotServed("input must be text or a list of user_input and model_output steps")


def _messages(steps: list[Step], system: str | None) -> list[Message]:
    messages = [] if system is None else [Message("system", system)]
    for step in steps:
        role = "user" if isinstance(step, UserInputStep) else "assistant"
        text: list[str] = []
        for content in step.content or []:  # pyright: ignore
            if not isinstance(content, TextContent):
                raise NotServed("only text is served")
            text.append(content.text)
        messages.append(Message(role, "".join(text)))
    return messages


class Door(asyncio.Protocol):
    """One client's connection; it serves one request after the other."""

    def __init__(self, pool: Pool, rows: Rows) -> None:
        self.pool, self.rows = pool, rows
        self.messages = Messages()
        self.streaming = False
        self.opened = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: asyncio.Transport = transport  # pyright: ignore

    def data_received(self, data: bytes) -> None:
        try:
            for head, body in self.messages.feed(data):
                self.serve(head, body)
        except (Malformed, NotServed, msgspec.DecodeError) as error:
            self.refuse(400, str(error))

    def serve(self, head: bytes, body: bytes) -> None:
        if not head.startswith(b"POST /v1/interactions "):
            self.refuse(404, "the floor serves POST /v1/interactions")
            return
        asked = _decoder.decode(body)
        if asked.model is None:
            raise NotServed("model is missing")
        self.asked = asked
        self.input = _input_steps(asked)
        self.created = time.time()
        self.id = "v1_" + os.urandom(24).hex()
        knobs = asked.generation_config
        chat = ChatRequest(asked.model, _messages(self.input, asked.system_instruction))
        if knobs is not None:
            chat.max_tokens, chat.seed = knobs.max_output_tokens, knobs.seed
        self.streaming = chat.stream = bool(asked.stream)
        self.opened = False
        self.pool.send(_encode(chat), self)

    def refuse(self, status: int, reason: str) -> None:
        body = _encode({"error": {"code": "invalid_request", "message": reason}})
        self.transport.write(
            b"HTTP/1.1 %d X\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b"
            % (status, len(body), body)
        )

    def failed(self, reason: str) -> None:
        if self.opened:
            self.transport.close()
        else:
            self.refuse(502, reason)

    def answered(self, answer: ChatAnswer) -> None:
        if self.streaming:
            self.piece(answer)
            return
        message = answer.choices[0].message
        self.text = message.content or "" if message is not None else ""
        self.usage = self.count(answer)
        self.store(self.reply)

    def count(self, answer: ChatAnswer) -> Usage:
        spent = answer.usage
        if spent is None:
            return Usage()
        return Usage(
            total_input_tokens=spent.prompt_tokens,
            total_output_tokens=spent.completion_tokens,
            total_tokens=spent.total_tokens,
        )

    def store(self, then: object) -> None:
        self.output: list[Step] = [ModelOutputStep([TextContent(self.text)])]
        doc = _encode([*self.input, *self.output])
        parent = self.asked.previous_interaction_id
        row = (self.id, parent, self.id, 0, "completed", self.asked.model or "", self.created, doc)
        self.rows.add(row, then)  # pyright: ignore

    def reply(self) -> None:
        stamp = _timestamp(self.created)
        body = _encode(
            Interaction(
                id=self.id,
                object="interaction",
                status="completed",
                model=self.asked.model,
                created=stamp,
                updated=stamp,
                steps=self.output,
                usage=self.usage,
            )
        )
        self.transport.write(
            b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b"
            % (len(body), body)
        )

    def frame(self, kind: bytes, event: Record) -> bytes:
        event.event_id = f"{self.id[-12:]}.{self.number}"  # pyright: ignore
        self.number += 1
        return chunk(b"event: %b\ndata: %b\n\n" % (kind, _encode(event)))

    def open(self) -> None:
        self.opened = True
        self.number = 0
        self.texts: list[str] = []
        self.usage = Usage()
        head = InteractionHead(self.id, "in_progress", model=self.asked.model, object="interaction")
        self.transport.write(
            _STREAM_HEAD
            + self.frame(b"interaction.created", InteractionCreatedEvent(head))
            + self.frame(
                b"interaction.status_update", InteractionStatusUpdate(self.id, "in_progress")
            )
            + self.frame(b"step.start", StepStart(0, ModelOutputStep()))
        )

    def piece(self, answer: ChatAnswer) -> None:
        if not self.opened:
            self.open()
        if answer.usage is not None:
            self.usage = self.count(answer)
        if not answer.choices:
            return
        delta = answer.choices[0].delta
        if delta is not None and delta.content:
            self.texts.append(delta.content)
            event = StepDelta(TextDelta(delta.content), 0)
            self.transport.write(self.frame(b"step.delta", event))

    def ended(self) -> None:
        if not self.opened:
            self.open()
        self.text = "".join(self.texts)
        self.store(self.finish)

    def finish(self) -> None:
        stamp = _timestamp(self.created)
        head = InteractionHead(
            self.id,
            "completed",
            created=stamp,
            model=self.asked.model,
            object="interaction",
            updated=stamp,
            usage=self.usage,
        )
        self.transport.write(
            self.frame(b"step.stop", StepStop(0))
            + self.frame(b"interaction.completed", InteractionCompletedEvent(head))
            + chunk(b"event: done\ndata: [DONE]\n\n")
            + LAST_CHUNK
        )


async def serve(port: int, upstream: int, database: str) -> None:
    """Serves on loopback until cancelled; port 0 picks one. Prints `ready PORT`."""
    loop = asyncio.get_running_loop()
    pool, rows = Pool("127.0.0.1", upstream, loop), Rows(database, loop)
    server = await loop.create_server(lambda: Door(pool, rows), "127.0.0.1", port, backlog=4096)
    print("ready", server.sockets[0].getsockname()[1], flush=True)
    try:
        async with server:
            await server.serve_forever()
    finally:
        rows.close()


def main() -> None:
    """Command: `python -m bench.floor --upstream 9000 --database floor.db`."""
    parser = argparse.ArgumentParser(description="The least an interaction costs in Python.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--upstream", type=int, required=True, help="port of the mock upstream")
    parser.add_argument("--database", required=True, help="path of the SQLite file")
    parser.add_argument("--core", type=int, help="pin to this core")
    options = parser.parse_args()
    if options.core is not None:
        os.sched_setaffinity(0, {options.core})
    uvloop.run(serve(options.port, options.upstream, options.database))


if __name__ == "__main__":
    main()
