"""One request and its answer: the two callables an ASGI app is given."""

from __future__ import annotations

import asyncio
import http
import logging
from functools import lru_cache
from typing import Any, Protocol

log = logging.getLogger("interplay.server")

Message = dict[str, Any]

STATUS_LINES = {
    status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode()
    for status in http.HTTPStatus
}
_LAST_CHUNK = b"0\r\n\r\n"
_BODILESS = frozenset({204, 304})
_FAILED = b'{"error":{"code":"api_error","message":"The server made a mistake; its log has it."}}'
_FAILED_HEADERS = [
    (b"content-type", b"application/json"),
    (b"content-length", str(len(_FAILED)).encode()),
]


class Connection(Protocol):
    """What an exchange goes over."""

    app: Any
    transport: asyncio.Transport
    loop: asyncio.AbstractEventLoop
    paused: bool

    @property
    def default_headers(self) -> list[tuple[bytes, bytes]]:
        """Headers of every answer."""
        ...

    def drained(self) -> asyncio.Future[None]:
        """Done when the client can be written to again, or is gone."""
        ...

    def go_on(self) -> None:
        """More of the body may come."""
        ...

    def answered(self, exchange: Exchange) -> None:
        """The exchange is over."""
        ...


class BrokenAnswer(RuntimeError):
    """What the app sends is not an answer as ASGI has it."""


class Exchange:
    """One request and its answer.

    The head of an answer goes out with the first of its body, as ASGI asks; a message with an
    empty body sends it by itself. What is sent to a client who has gone is let fall.
    """

    __slots__ = (
        "_body",
        "_chunked",
        "_chunks",
        "_connection",
        "_expects",
        "_head",
        "_left",
        "_silent",
        "_started",
        "_taken",
        "_waiting",
        "_whole",
        "begun",
        "gone",
        "keep_alive",
        "over",
    )

    def __init__(
        self, connection: Connection, *, chunks: bool, keep_alive: bool, silent: bool, expects: bool
    ) -> None:
        """`chunks`: the client can be sent them; `silent`: it wants no body; `expects`: it waits to
        be told that it may send its own."""
        self._connection = connection
        self._chunks, self._silent, self._expects = chunks, silent, expects
        self._body: list[bytes] = []
        self._whole = self._taken = False
        self._waiting: list[asyncio.Future[None]] = []
        self._head = b""
        self._started = self._chunked = False
        self._left: int | None = None
        self.keep_alive = keep_alive
        self.begun = False
        """Something of the answer has been written."""
        self.over = False
        """The answer is whole."""
        self.gone = False
        """The client is not there any more."""

    async def run(self, scope: Message) -> None:
        """Has the app answer. What it lets out becomes a 500, or breaks the answer off."""
        try:
            await self._connection.app(scope, self.receive, self.send)
        except Exception as error:
            # The boundary of a request: one fault must not end the server.
            log.error("answer broken off", exc_info=error, extra={"path": scope["path"]})
        finally:
            if not self.over and not self.gone:
                self._give_up()

    def _give_up(self) -> None:
        self.keep_alive = False
        if self.begun:
            self._connection.transport.close()
            return
        self._start(500, _FAILED_HEADERS)
        self._write(_FAILED, more=False)

    def take(self, body: bytes) -> None:
        """A part of the request's body has come."""
        self._expects = False
        self._body.append(body)
        self._wake()

    def take_end(self) -> None:
        """The request's body is whole."""
        self._whole = True
        self._wake()

    def leave(self) -> None:
        """The client is gone."""
        self.gone = True
        self._wake()

    def _wake(self) -> None:
        if self._waiting:
            waiting, self._waiting = self._waiting, []
            for future in waiting:
                if not future.done():
                    future.set_result(None)

    async def receive(self) -> Message:
        """The request's body as far as it has come; then, once there is news of him, that the
        client is gone (or has his answer)."""
        while not self.gone and not self.over:
            if self._body or (self._whole and not self._taken):
                body = self._body[0] if len(self._body) == 1 else b"".join(self._body)
                self._body, self._taken = [], self._whole
                if not self._whole:
                    self._connection.go_on()
                return {"type": "http.request", "body": body, "more_body": not self._whole}
            if self._expects and not self._whole and not self.begun:
                self._expects = False
                self._connection.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            news = self._connection.loop.create_future()
            self._waiting.append(news)
            try:
                await news
            finally:
                if news in self._waiting:  # whoever waited has given up
                    self._waiting.remove(news)
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """The head of the answer, then its body; waits while the client is slow."""
        if self._connection.paused and not self.gone:
            await self._connection.drained()
        if self.gone:
            return
        if self._started:
            if message["type"] != "http.response.body" or self.over:
                raise BrokenAnswer(f"{message['type']} does not come here")
            self._write(message.get("body", b""), more=message.get("more_body", False))
        else:
            if message["type"] != "http.response.start":
                raise BrokenAnswer(f"{message['type']} came first")
            self._start(message["status"], message.get("headers", ()))

    def write(self, body: bytes) -> bool:
        """Sends a part of the body at once; False, and nothing happens, where it would have to
        wait for the client, or where no answer is under way."""
        if not self.begun or self.over or self.gone or self._connection.paused:
            return False
        if self._chunked and body:
            self._connection.transport.write(b"%x\r\n%b\r\n" % (len(body), body))
        else:
            self._write(body, more=True)
        return True

    def _start(self, status: int, headers: Any) -> None:
        """Writes the head, to be sent with what comes next."""
        lines = [STATUS_LINES[status], *map(_line, self._connection.default_headers)]
        length: int | None = None
        for header in headers:
            lines.append(_line(header))
            if header[0] == b"content-length":
                length = int(header[1])
        if status in _BODILESS:
            self._silent = True
        if self._expects:
            self.keep_alive = False  # nobody knows whether the body will still come
        self._chunked = length is None and not self._silent and self._chunks
        if self._chunked:
            lines.append(b"transfer-encoding: chunked\r\n")
        elif length is None and not self._silent:
            self.keep_alive = False  # the end of the connection ends the answer
        if not self.keep_alive:
            lines.append(b"connection: close\r\n")
        lines.append(b"\r\n")
        self._left = length
        self._head, self._started = b"".join(lines), True

    def _write(self, body: bytes, *, more: bool) -> None:
        head, self._head = self._head, b""
        if self._silent:
            body = head
        elif self._chunked:
            body = _chunk(head, body, more)
        else:
            if self._left is not None:
                self._left -= len(body)
                if self._left < 0 or (self._left and not more):
                    raise BrokenAnswer("the body is not as long as its content-length")
            body = head + body
        self.begun = True
        if body:
            self._connection.transport.write(body)
        if not more:
            self.over = True
            self._wake()
            self._connection.answered(self)


def _chunk(head: bytes, body: bytes, more: bool) -> bytes:
    """A part of a body, behind what there is of the head."""
    end = b"" if more else _LAST_CHUNK
    return b"%b%x\r\n%b\r\n%b" % (head, len(body), body, end) if body else head + end


@lru_cache(maxsize=512)
def _line(header: tuple[bytes, bytes]) -> bytes:
    """A header as a line; there are few, again and again. Raises BrokenAnswer."""
    line = b"%b: %b" % tuple(header)
    if b"\n" in line or b"\r" in line or b"\0" in line:
        raise BrokenAnswer(f"a header holds the end of a line: {line!r}")
    return line + b"\r\n"
