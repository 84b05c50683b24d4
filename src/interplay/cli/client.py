"""The HTTP client of the commands: JSON calls and event streams over the standard library."""

from __future__ import annotations

import http.client
import json
import os
import socket
import ssl
from collections.abc import Iterator
from contextlib import closing
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode, urlsplit

from interplay import __version__

CALL_SECONDS = 30.0
"""How long a call may wait for its answer, unless it says otherwise."""
SILENCE_SECONDS = 60.0
"""How long a stream may say nothing; a server sends a comment every 15 seconds."""
CONNECT_SECONDS = 10.0


class Unreachable(Exception):
    """No server answers at the URL; the message says which and why."""


class HungUp(Unreachable):
    """A server took the request and closed the connection without an answer."""


class StreamLost(Exception):
    """A stream ended before its last event; what it told may be resumed."""


class ApiFault(Exception):
    """The server refused: `code` and `message` as it said them, `status` is the HTTP number."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


class Frame(NamedTuple):
    """One thing a stream says: an event's data, or a comment of the server."""

    data: dict[str, Any] | None = None
    comment: str | None = None


class Api:
    """A server at `url`; `key` goes along with every call.

    Every method raises Unreachable and ApiFault. Each call has its own connection.
    """

    def __init__(
        self, url: str, key: str | None = None, *, silence_seconds: float = SILENCE_SECONDS
    ) -> None:
        self.url = url.rstrip("/")
        parts = urlsplit(url if "://" in url else f"http://{url}")
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"'{url}' is no URL of a server; give http://HOST:PORT")
        self._secure = parts.scheme == "https"
        self._host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(parts.hostname, parts.hostname)
        self._port = parts.port
        self._prefix = _without_version(parts.path.rstrip("/"))
        self._key = key
        self._silence = silence_seconds

    def get(self, path: str, query: dict[str, Any] | None = None, **more: Any) -> Any:
        """The JSON at a path below /v1."""
        return self.call("GET", path, query=query, **more)

    def call(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        query: dict[str, Any] | None = None,
        seconds: float = CALL_SECONDS,
    ) -> Any:
        """One call and its JSON answer; None where the answer is empty."""
        with closing(self._connection()) as connection:
            try:
                response = self._ask(connection, method, self._path(path, query), body, seconds)
                raw = response.read()
            except (OSError, http.client.HTTPException) as error:
                raise self._unreachable(error) from error
        if response.status >= 400:
            raise _fault(response.status, response.reason, raw)
        return self._decoded(raw)

    def health(self, path: str, seconds: float = 3.0) -> tuple[int, bytes]:
        """Status and body of a path that is not below /v1."""
        with closing(self._connection()) as connection:
            try:
                response = self._ask(connection, "GET", f"{self._prefix}{path}", None, seconds)
                return response.status, response.read(65_536)
            except (OSError, http.client.HTTPException) as error:
                raise self._unreachable(error) from error

    def stream(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        query: dict[str, Any] | None = None,
        idempotency_key: str | None = None,
    ) -> Iterator[Frame]:
        """The events of a path below /v1 as they come; ends after the server's last one.

        A body that is sent again with the same key is answered by the first one's interaction.
        Raises StreamLost when the connection breaks off, or says nothing for too long.
        """
        with closing(self._connection()) as connection:
            try:
                target = self._path(path, query)
                more = {"Accept": "text/event-stream"}
                if idempotency_key is not None:
                    more["Idempotency-Key"] = idempotency_key
                response = self._ask(connection, method, target, body, self._silence, more)
                raw = response.read() if response.status >= 400 else b""
            except (OSError, http.client.HTTPException) as error:
                raise self._unreachable(error) from error
            if response.status >= 400:
                raise _fault(response.status, response.reason, raw)
            if not response.headers.get_content_type().endswith("event-stream"):
                raise self._foreign()
            with closing(response):
                yield from _frames(response)

    def _connection(self) -> http.client.HTTPConnection:
        if self._secure:
            context = ssl.create_default_context()
            return http.client.HTTPSConnection(
                self._host, self._port, timeout=CONNECT_SECONDS, context=context
            )
        return http.client.HTTPConnection(self._host, self._port, timeout=CONNECT_SECONDS)

    def _ask(
        self,
        connection: http.client.HTTPConnection,
        method: str,
        target: str,
        body: Any,
        seconds: float,
        more: dict[str, str] | None = None,
    ) -> http.client.HTTPResponse:
        headers = {
            "Accept": "application/json",
            "User-Agent": f"interplay-cli/{__version__}",
            "Connection": "close",
        }
        if self._key:
            headers["x-goog-api-key"] = self._key
        raw = None if body is None else json.dumps(body).encode()
        if raw is not None:
            headers["Content-Type"] = "application/json"
            # What is asked twice is meant twice, also soon after an answer that was cut off.
            headers["Idempotency-Key"] = os.urandom(12).hex()
        headers |= more or {}
        connection.connect()
        connection.sock.settimeout(seconds)
        connection.request(method, target, body=raw, headers=headers)
        return connection.getresponse()

    def _path(self, path: str, query: dict[str, Any] | None) -> str:
        given = {name: value for name, value in (query or {}).items() if value is not None}
        told = f"?{urlencode(given, doseq=True)}" if given else ""
        return f"{self._prefix}/v1/{quote(path, safe='/:')}{told}"

    def _unreachable(self, error: Exception) -> Unreachable:
        if isinstance(error, ConnectionRefusedError):
            return Unreachable(f"No server answers at {self.url}.")
        if isinstance(error, TimeoutError):
            return Unreachable(f"The server at {self.url} did not answer in time.")
        if isinstance(error, socket.gaierror):
            return Unreachable(f"The host of {self.url} has no address: {error.strerror}.")
        if isinstance(error, http.client.BadStatusLine | ConnectionError):
            return HungUp(f"The server at {self.url} hung up without an answer.")
        return Unreachable(f"No answer from {self.url}: {error}")

    def _foreign(self) -> Unreachable:
        return Unreachable(f"What answers at {self.url} does not speak the Interactions API.")

    def _decoded(self, raw: bytes) -> Any:
        if not raw.strip():
            return None
        try:
            return json.loads(raw)
        except ValueError as error:
            raise self._foreign() from error


def _without_version(path: str) -> str:
    """The path of a base URL without /v1, /v1beta, ... that a caller copied along."""
    before, _, last = path.rpartition("/")
    return before if last.startswith("v1") else path


def _fault(status: int, reason: str, raw: bytes) -> ApiFault:
    try:
        error = json.loads(raw)["error"]
        return ApiFault(status, str(error.get("code", "")), str(error["message"]))
    except (ValueError, KeyError, TypeError, AttributeError):
        return ApiFault(status, "", f"The server answered {status} {reason}.")


def _frames(response: http.client.HTTPResponse) -> Iterator[Frame]:
    data: list[str] = []
    for line in _lines(response):
        if line.startswith(":"):
            yield Frame(comment=line[1:].strip())
        elif line.startswith("data:"):
            data.append(line[5:].removeprefix(" "))
        elif not line and data:
            text, data = "\n".join(data), []
            if text == "[DONE]":
                return
            yield Frame(data=_event(text))
    raise StreamLost("The connection ended before the answer did.")


def _lines(response: http.client.HTTPResponse) -> Iterator[str]:
    while True:
        try:
            line = response.readline()
        except TimeoutError as error:
            raise StreamLost("The server said nothing for too long.") from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise StreamLost(f"The connection broke: {error}") from error
        if not line.endswith(b"\n"):
            return
        yield line.rstrip(b"\r\n").decode("utf-8", "replace")


def _event(text: str) -> dict[str, Any]:
    try:
        return dict(json.loads(text))
    except (ValueError, TypeError) as error:
        raise StreamLost(f"The server sent an event that is no JSON object: {text[:80]}") from error
