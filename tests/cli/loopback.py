"""Servers for the tests of the commands: raw answers, and a proxy that cuts connections."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable


class _Listening:
    """Accepts connections on a loopback port, a thread each, until it is closed."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        raise NotImplementedError

    def __enter__(self):
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(10)


class Canned(_Listening):
    """Answers the requests it gets with these bytes, one after the other; the last one stays.

    `requests` holds what came in, head and body.
    """

    def __init__(self, *answers: bytes) -> None:
        self._answers = list(answers)
        self.requests: list[str] = []
        self.hold: threading.Event | None = None
        """When set, a connection stays open after its answer until this is set."""
        super().__init__()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            connection.settimeout(10)
            try:
                self.requests.append(_request(connection))
                index = min(len(self.requests), len(self._answers)) - 1
                connection.sendall(self._answers[index])
                if self.hold is not None:
                    self.hold.wait(10)
            except OSError:
                return


class Cutting(_Listening):
    """Passes everything on to a server, and cuts each connection after `share` bytes of answer.

    The first `times` connections are cut, those after them pass whole. `cuts` counts them, and
    `shape` may pick which requests are cut by their first line.
    """

    def __init__(
        self, url: str, share: int, times: int, shape: Callable[[str], bool] = lambda _: True
    ) -> None:
        host, _, port = url.removeprefix("http://").partition(":")
        self._server = (host, int(port))
        self._share, self._times, self._shape = share, times, shape
        self.cuts = 0
        super().__init__()

    def _serve(self, connection: socket.socket) -> None:
        with connection, socket.create_connection(self._server, 10) as server:
            connection.settimeout(10)
            server.settimeout(30)
            try:
                head = _request(connection)
                server.sendall(head.encode())
                self._answer(server, connection, self._shape(head.partition("\r\n")[0]))
            except OSError:
                return

    def _answer(self, server: socket.socket, client: socket.socket, cut: bool) -> None:
        left = self._share if cut and self.cuts < self._times else None
        while data := server.recv(65_536):
            if left is not None and len(data) >= left:
                client.sendall(data[:left])
                self.cuts += 1
                return
            client.sendall(data)
            left = None if left is None else left - len(data)


def _request(connection: socket.socket) -> str:
    """One request: its head and, by content-length, its body."""
    raw = b""
    while b"\r\n\r\n" not in raw:
        more = connection.recv(65_536)
        if not more:
            raise ConnectionResetError
        raw += more
    head, _, body = raw.partition(b"\r\n\r\n")
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    length = int(lengths[0].partition(b":")[2]) if lengths else 0
    while len(body) < length:
        body += connection.recv(65_536)
    return (head + b"\r\n\r\n" + body).decode()


def json_answer(body: str, status: str = "200 OK") -> bytes:
    """The bytes of a JSON answer."""
    raw = body.encode()
    head = f"HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {len(raw)}"
    return f"{head}\r\nconnection: close\r\n\r\n".encode() + raw


def sse_answer(body: str) -> bytes:
    """The bytes of an event stream that ends with the connection."""
    head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"
    return (head + body).encode()
