"""HTTP/1.1 as these backends speak it: one connection, one answer at a time.

A general client costs several times what the answer itself does (docs/why.md): its sessions,
request objects, timers and streams are made anew for each call. Here a packet goes from the socket
through the parser into a list, and whoever waits is woken once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

_BARREN_BYTES = 131_072
"""The most a server may send without a byte of body: its head, and what stands between chunks."""
_UNREAD_BYTES = 1_048_576
"""When so much waits to be read, the server is made to wait too."""

_PARSE_ERRORS = (HttpParserError, HttpParserUpgrade)


class LinkFault(Exception):
    """The connection broke; the message says how, and goes on after a colon."""


class Closed(LinkFault):
    """The other side closed before its answer was whole."""

    def __init__(self, message: str, *, begun: bool) -> None:
        super().__init__(message)
        self.begun = begun
        """A byte of the answer had come."""


class Silent(LinkFault):
    """Nothing came for as long as is allowed."""


class NotHTTP(LinkFault):
    """What came is not HTTP/1.1."""


class Home(Protocol):
    """Where a connection belongs."""

    def give_back(self, link: Link) -> None:
        """Takes a connection whose answer has been read."""
        ...

    def forget(self, link: Link) -> None:
        """Is told of a connection that is closed."""
        ...


class Link(asyncio.Protocol):
    """One connection.

    `send`, then `head`, then `read` until it answers nothing; then the pool takes it back. After
    a fault, or when it is dropped, the connection is closed at once.
    """

    __slots__ = (
        "_barren",
        "_begun",
        "_blocks",
        "_busy",
        "_drained",
        "_fault",
        "_keep",
        "_loop",
        "_parser",
        "_paused",
        "_silence",
        "_since",
        "_timer",
        "_transport",
        "_unread",
        "_unsent",
        "_waiter",
        "headers",
        "home",
        "idle_since",
        "lost",
        "over",
        "status",
    )

    def __init__(self, loop: asyncio.AbstractEventLoop, silence: float, home: Home) -> None:
        self._loop, self._silence, self.home = loop, silence, home
        self._transport: asyncio.Transport | None = None
        self._parser: HttpResponseParser | None = HttpResponseParser(self)
        self._blocks: list[bytes] = []
        self._waiter: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._drained: Callable[[], None] | None = None
        self._fault: LinkFault | None = None
        self._busy = self._begun = self._keep = self._paused = False
        self._barren = self._unread = self._unsent = 0
        self._since = 0.0
        self.status = 0
        """The answer's status; 0 until its head is whole."""
        self.headers: list[tuple[bytes, bytes]] = []
        self.over = False
        """The answer is whole."""
        self.idle_since = 0.0
        """Kept by the pool, in seconds of the loop's clock."""
        self.lost = False
        """The connection is closed, and everyone knows."""

    @property
    def usable(self) -> bool:
        """Whether another request can be sent."""
        return (
            (self.over or not self._busy)
            and self._keep
            and not self.lost
            and self._transport is not None
            and not self._transport.is_closing()
        )

    @property
    def broken(self) -> bool:
        """Whether nothing more will come."""
        return self.lost or self._fault is not None

    def send(self, head: bytes, body: bytes) -> None:
        """Sends a request. What is wrong with the connection shows in `head`."""
        self.status, self.over, self._keep, self._begun = 0, False, False, False
        self.headers, self._barren, self._busy = [], 0, True
        self._since = self._loop.time()
        transport = self._transport
        if self.lost or transport is None or transport.is_closing():
            self._break(Closed("the connection was closed", begun=False))
            return
        transport.writelines((head, body))
        if self._timer is None:
            self._unsent = transport.get_write_buffer_size()
            self._timer = self._loop.call_later(self._silence, self._listen)

    async def head(self) -> int:
        """The answer's status, once its head has come. Raises LinkFault."""
        while not self.status:
            if self._fault is not None:
                raise self._fault
            await self._arrival()
        return self.status

    async def read(self) -> bytes:
        """What has come of the body since, at least a byte; nothing at its end. Raises LinkFault,
        after what came before the fault."""
        blocks = self._blocks
        while not blocks:
            if self.over:
                return b""
            if self._fault is not None:
                raise self._fault
            await self._arrival()
        block = blocks[0] if len(blocks) == 1 else b"".join(blocks)
        blocks.clear()
        self._unread = 0
        if self._paused:
            self._resume()
        return block

    def release(self) -> None:
        """Ends an answer that is whole."""
        self._busy = False
        self._drained = None
        self._blocks.clear()
        self._unread = 0
        if self._paused:
            self._resume()

    def drain(self, then: Callable[[], None]) -> None:
        """Passes over the rest of the answer; `then` is called once it is whole."""
        self._drained = then
        self._blocks.clear()
        self._unread = 0
        if self._paused:
            self._resume()

    def drop(self) -> None:
        """Closes the connection at once; safe at any time."""
        if self._transport is not None:
            self._transport.abort()

    def _arrival(self) -> asyncio.Future[None]:
        """Done when something has come; one waits at a time."""
        waiter = self._waiter = self._loop.create_future()
        return waiter

    def _wake(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    def _break(self, fault: LinkFault) -> None:
        """Ends the answer with a fault, unless it is whole or broken already."""
        self._keep = False
        if self._busy and not self.over and self._fault is None:
            self._fault = fault
        self._wake()
        self.drop()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # pyright: ignore[reportAttributeAccessIssue]
        self._keep = True

    def data_received(self, data: bytes) -> None:
        parser = self._parser
        if not self._busy or parser is None:  # nobody asked: whatever it is, it spoils the next
            self._keep = False
            self.drop()
            return
        self._begun = True
        self._since = self._loop.time()
        blocks = self._blocks
        before = len(blocks)
        try:
            parser.feed_data(data)
        except _PARSE_ERRORS as error:
            self._break(NotHTTP(str(error) or "it changes the protocol"))
            return
        if len(blocks) == before and not self.over:
            self._barren += len(data)
            if self._barren > _BARREN_BYTES:
                self._break(NotHTTP(f"more than {_BARREN_BYTES} bytes without an answer in them"))
                return
        else:
            self._barren = 0
        waiter = self._waiter
        if waiter is not None:
            self._waiter = None
            if not waiter.done():
                waiter.set_result(None)
        elif self._drained is not None:
            blocks.clear()
            if self.over:
                self._drained()
            return
        self._unread += len(data)
        if self._unread > _UNREAD_BYTES and not self._paused and not self.over:
            self._pause()

    def on_message_begin(self) -> None:
        if self.over:
            raise _PastTheEnd

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        assert self._parser is not None
        status = self._parser.get_status_code()
        if status >= 200:
            self.status = status
        else:
            self.headers = []

    def on_body(self, body: bytes) -> None:
        self._blocks.append(body)

    def on_message_complete(self) -> None:
        if self.status:
            assert self._parser is not None
            self.over = True
            self._keep = self._parser.should_keep_alive()

    def eof_received(self) -> None:
        self._end("the connection was closed", clean=True)

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._end(str(exc or "") or "the connection was closed", clean=exc is None)
        self._parser = None  # it holds this object, and this object it
        self.home.forget(self)

    def _end(self, words: str, *, clean: bool) -> None:
        if clean and self._busy and self.status and self._fault is None and not self._framed():
            self.over = True  # a body without a length ends with its connection
        self._break(Closed(words, begun=self._begun))

    def _framed(self) -> bool:
        """Whether the head tells where the body ends."""
        for name, value in self.headers:
            lowered = name.lower()
            if lowered == b"content-length":
                return True
            if lowered == b"transfer-encoding" and b"chunked" in value.lower():
                return True
        return False

    def _listen(self) -> None:
        """Looks how long nothing has come. One timer serves many answers: it is not set anew for
        each packet but looks again when the time since the last one is up."""
        self._timer = None
        if not self._busy or self.over or self._fault is not None or self._transport is None:
            return
        now = self._loop.time()
        unsent = self._transport.get_write_buffer_size()
        if self._paused or unsent < self._unsent:
            self._since = now
        self._unsent = unsent
        left = self._since + self._silence - now
        if left <= 0:
            self._break(Silent("nothing came"))
        else:
            self._timer = self._loop.call_later(left, self._listen)

    def _pause(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.pause_reading()
            self._paused = True

    def _resume(self) -> None:
        self._paused = False
        self._since = self._loop.time()
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()


class _PastTheEnd(Exception):
    """Bytes came after the end of the answer."""
