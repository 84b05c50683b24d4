"""HTTP/1.1 for the app, as a protocol of uvicorn's: one connection, one exchange after the other.

uvicorn listens, starts and stops; requests and answers go through here. An answer leaves in as few
writes as it can, and nothing is made for each request that one connection can keep.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any
from urllib.parse import unquote

import httptools
from uvicorn import Config
from uvicorn.server import ServerState

from interplay.interactions.tail import CLIENT
from interplay.server.exchange import STATUS_LINES, Exchange, Message

_HEAD_BYTES = 65_536
"""The most that the line and the headers of a request may have together."""
_AHEAD_BYTES = 65_536
"""While so much of a body is here and nobody has asked for it, its client is made to wait."""


class Door(asyncio.Protocol):
    """One client's connection. A request that comes before the last was answered waits in line."""

    grace_seconds = 0.0
    """How long an idle connection stays open when the server stops."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        if not config.loaded:
            config.load()
        self.loop = _loop or asyncio.get_running_loop()
        self.app: Any = config.loaded_app  # pyright: ignore[reportUnknownMemberType]
        self.transport: asyncio.Transport
        self.paused = False
        """The client reads slower than it is written to; see `drained`."""
        self._server: Any = server_state
        self._silence = config.timeout_keep_alive
        self._scope: Message = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "root_path": config.root_path,
        }
        self._state = app_state
        self._parser: Any = self._new_parser()
        self._passing_over = False
        self._line: deque[tuple[Exchange, Message]] = deque()
        self._arriving: Exchange | None = None
        self._ahead = self._head_bytes = 0
        self._in_head, self._held, self._leaving = True, False, False
        self._url = self._known_url = b""
        self._target: tuple[str, bytes, bytes] = "", b"", b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._expects = False
        self._since = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._draining: list[asyncio.Future[None]] = []

    @property
    def default_headers(self) -> list[tuple[bytes, bytes]]:
        """Headers of every answer, as uvicorn is configured."""
        return self._server.default_headers

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # pyright: ignore[reportAttributeAccessIssue]
        self._server.connections.add(self)
        self._scope["server"] = _address(transport.get_extra_info("sockname"))
        self._scope["client"] = _address(transport.get_extra_info("peername"))
        self._scope["scheme"] = "https" if transport.get_extra_info("sslcontext") else "http"
        self._since = self.loop.time()
        self._look()

    def connection_lost(self, exc: Exception | None) -> None:
        self._server.connections.discard(self)
        if self._timer is not None:
            self._timer.cancel()
        self._parser = None  # it holds this object, and this object it
        for exchange, _ in self._line:
            exchange.leave()
        self.resume_writing()

    def pause_writing(self) -> None:
        self.paused = True

    def resume_writing(self) -> None:
        self.paused = False
        waiting, self._draining = self._draining, []
        for future in waiting:
            if not future.done():
                future.set_result(None)

    def drained(self) -> asyncio.Future[None]:
        """Done when the client has read enough to be written to again, or is gone."""
        future = self.loop.create_future()
        self._draining.append(future)
        return future

    def data_received(self, data: bytes) -> None:
        if not self._line:
            self._since = self.loop.time()
        if self._in_head:
            self._head_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as offer:
            self._pass_over(data[offer.args[0] :])
        except httptools.HttpParserError:
            self._refuse(400, b"This is not HTTP/1.1.")
        else:
            if self._head_bytes > _HEAD_BYTES:
                self._refuse(431, b"The headers are larger than %d bytes." % _HEAD_BYTES)

    def _new_parser(self) -> Any:
        parser = httptools.HttpRequestParser(self)
        # What comes behind a last request is no fault of that request.
        parser.set_dangerous_leniencies(lenient_data_after_close=True)
        return parser

    def _pass_over(self, rest: bytes) -> None:
        """Another protocol was offered, and is not taken: the parser has stopped behind the head,
        and what follows is read as if nothing had been offered."""
        framing = [
            b"%b: %b\r\n" % header
            for header in self._headers
            if header[0] in (b"content-length", b"transfer-encoding")
        ]
        self._parser, self._passing_over = self._new_parser(), True
        self.data_received(b"POST / HTTP/1.1\r\n%b\r\n%b" % (b"".join(framing), rest))

    def on_message_begin(self) -> None:
        self._url, self._headers, self._expects = b"", [], False

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        name = name.lower()
        self._headers.append((name, value))
        if name == b"expect":
            self._expects = value.lower() == b"100-continue"

    def on_headers_complete(self) -> None:
        self._in_head, self._head_bytes = False, 0
        if self._passing_over:
            self._passing_over = False
            return
        parser = self._parser
        if self._url != self._known_url:  # clients ask for the same again and again
            self._target = _target(self._url, self._scope["root_path"])
            self._known_url = self._url
        method, version = parser.get_method().decode("ascii"), parser.get_http_version()
        exchange = Exchange(
            self,
            chunks=version == "1.1",
            keep_alive=parser.should_keep_alive() and not self._leaving,
            silent=method == "HEAD",
            expects=self._expects,
        )
        path, raw_path, query = self._target
        scope = {
            **self._scope,
            "method": method,
            "http_version": version,
            "path": path,
            "raw_path": raw_path,
            "query_string": query,
            "headers": self._headers,
            "state": self._state.copy(),
            "extensions": {CLIENT: exchange},
        }
        self._arriving, self._ahead = exchange, 0
        self._line.append((exchange, scope))
        if len(self._line) == 1:
            self._start(exchange, scope)
        else:
            self._hold()

    def on_body(self, body: bytes) -> None:
        if self._arriving is not None:
            self._arriving.take(body)
            self._ahead += len(body)
            if self._ahead > _AHEAD_BYTES:
                self._hold()

    def on_message_complete(self) -> None:
        if self._parser.should_upgrade():
            return  # its body is still to come
        self._in_head = True
        if self._arriving is not None:
            self._arriving.take_end()
            self._arriving = None

    def _start(self, exchange: Exchange, scope: Message) -> None:
        task = self.loop.create_task(exchange.run(scope))
        tasks = self._server.tasks
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    def answered(self, exchange: Exchange) -> None:
        """The front of the line has its whole answer; the next one begins."""
        self._server.total_requests += 1
        self._line.popleft()
        if self._arriving is exchange:
            self._arriving = None  # what is still to come of its body is passed over
        if not exchange.keep_alive:
            self.transport.close()
            return
        if self._line:
            self._start(*self._line[0])
        else:
            self._since = self.loop.time()
        if len(self._line) < 2:
            self.go_on()

    def _hold(self) -> None:
        if not self._held:
            self._held = True
            self.transport.pause_reading()

    def go_on(self) -> None:
        """What came of a body was taken: more may come."""
        self._ahead = 0
        if self._held and not self.transport.is_closing():
            self._held = False
            self.transport.resume_reading()

    def _refuse(self, status: int, message: bytes) -> None:
        """Ends a connection that can no longer be read."""
        at_work = self._line[0][0] if self._line else None
        if at_work is not None and (at_work.begun or at_work is not self._arriving):
            self.transport.abort()  # words here would be taken for (a part of) its answer
            return
        head = b"content-type: text/plain\r\ncontent-length: %d\r\nconnection: close\r\n\r\n"
        self.transport.write(STATUS_LINES[status] + head % len(message) + message)
        self.transport.close()
        if at_work is not None:
            at_work.leave()

    def _look(self) -> None:
        """Closes a connection that nobody uses. One timer serves many requests: it is not set anew
        for each but looks again when the time since the last one is up."""
        left: float = self._silence
        if not self._line:
            left += self._since - self.loop.time()
            if left <= 0:
                self.transport.close()
                return
        self._timer = self.loop.call_later(left, self._look)

    def shutdown(self) -> None:
        """Closes when what is under way, and what comes within `grace_seconds`, is answered."""
        self._leaving = True
        if self.grace_seconds and not self._line:
            self.loop.call_later(self.grace_seconds, self._leave)
        else:
            self._leave()

    def _leave(self) -> None:
        if not self._line:
            self.transport.close()
        for exchange, _ in self._line:
            exchange.keep_alive = False


class LeavingDoor(Door):
    """Stays open for a moment when the server stops: a request that was on its way over a kept
    connection is answered, where a proxy would have to answer 502."""

    grace_seconds = 1.0


def _address(name: Any) -> tuple[str, int] | None:
    """Host and port of a socket's name; None for a socket in the file system."""
    return (str(name[0]), int(name[1])) if isinstance(name, tuple) else None  # pyright: ignore


def _target(url: bytes, root: str) -> tuple[str, bytes, bytes]:
    """Path, path as it was sent, and query."""
    parsed = httptools.parse_url(url)
    raw: bytes = parsed.path
    return root + unquote(raw.decode("ascii")), root.encode() + raw, parsed.query or b""
