"""HTTP for the MCP package: every request through the guard, every answer bounded.

The package's own client would resolve names by itself and read answers of any size. A failure
here is given to it as an answer that carries a mark (see faults.py): an exception would end the
connection, and with it the other calls that wait on it.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator

import aiohttp
import httpx2
import msgspec

from interplay.contracts.egress import EgressRefused, Guard, Place
from interplay.contracts.egress_http import guarded_session, url_of
from interplay.contracts.failure import BadAnswer, Busy, Failure, Refused, Unavailable
from interplay.plugins.tools.mcp_server.faults import Faults, SessionLost, short

# These tell session ids, addresses with their queries and whole answers; what goes wrong is told
# by the failures themselves.
for _name in ("mcp", "client", "httpx2"):
    logging.getLogger(_name).setLevel(logging.CRITICAL + 1)

_DROPPED = {"host", "content-length", "connection", "accept-encoding", "transfer-encoding"}
_REFUSAL_BYTES = 64 * 1024
_SESSION = "mcp-session-id"


class Dial:
    """The HTTP sessions of this process towards MCP servers; they hold no cookies, and pool
    connections by address."""

    def __init__(self, guard: Guard, connect_seconds: float) -> None:
        self._guard = guard
        self._sessions: dict[bool, aiohttp.ClientSession] = {}
        self._timeout = aiohttp.ClientTimeout(total=None, connect=connect_seconds)

    async def request(
        self, method: str, url: str, headers: list[tuple[str, str]], body: bytes
    ) -> aiohttp.ClientResponse:
        """Sends a request and answers once the head of its answer is there. Raises EgressRefused,
        aiohttp.ClientError, TimeoutError, OSError."""
        place = self._guard.check(url, plain=False)
        return await self._session(place).request(
            method,
            url_of(place),
            data=body or None,
            headers=headers,
            allow_redirects=False,
            timeout=self._timeout,
        )

    def _session(self, place: Place) -> aiohttp.ClientSession:
        plain = place.scheme == "http"
        if plain not in self._sessions:
            session = guarded_session(self._guard, only_allowed=plain, connections=2_000)
            self._sessions[plain] = session
        return self._sessions[plain]

    async def close(self) -> None:
        """Closes every connection."""
        for session in self._sessions.values():
            await session.close()
        self._sessions.clear()


class GuardedTransport(httpx2.AsyncBaseTransport):
    """The transport of one connection to one server."""

    def __init__(self, dial: Dial, faults: Faults, answer_bytes: int) -> None:
        self._dial, self._faults, self._most = dial, faults, answer_bytes

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Raises nothing that a server or a network does."""
        try:
            return await self._exchange(request)
        except Failure as failure:
            error = {"code": -32000, "message": self._faults.mark(failure)}
            body = msgspec.json.encode({"jsonrpc": "2.0", "id": None, "error": error})
            headers = {"content-type": "application/json"}
            return httpx2.Response(502, headers=headers, content=body, request=request)

    async def _exchange(self, request: httpx2.Request) -> httpx2.Response:
        headers = [(k, v) for k, v in request.headers.multi_items() if k not in _DROPPED]
        headers.append(("Accept-Encoding", "identity"))
        body = await request.aread()
        try:
            answer = await self._dial.request(request.method, str(request.url), headers, body)
        except EgressRefused as error:
            raise Refused(str(error)) from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Unavailable(f"it cannot be reached ({type(error).__name__})") from error
        try:
            return await self._taken(request, answer)
        except BaseException:
            answer.close()
            raise

    async def _taken(
        self, request: httpx2.Request, answer: aiohttp.ClientResponse
    ) -> httpx2.Response:
        kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
        if answer.headers.get("content-encoding", "identity").lower() != "identity":
            raise BadAnswer("it compressed its answer, which nobody asked it to")
        headers = [
            (name, answer.headers[name])
            for name in ("content-type", "location", _SESSION)
            if name in answer.headers
        ]
        if answer.status == 200 and kind == "text/event-stream":
            stream = _Bounded(answer, self._most, self._faults)
            return httpx2.Response(200, headers=headers, stream=stream, request=request)
        most = self._most if answer.status == 200 else _REFUSAL_BYTES
        content = b""
        if kind == "application/json" or answer.status >= 400:
            content = await _whole(answer, most)
        answer.close() if answer.status >= 300 else answer.release()
        if request.method == "POST":
            self._refusal(request, answer, content)
        return httpx2.Response(answer.status, headers=headers, content=content, request=request)

    @staticmethod
    def _refusal(request: httpx2.Request, answer: aiohttp.ClientResponse, content: bytes) -> None:
        """Raises the failure behind a status; silent where the package itself reads it."""
        status = answer.status
        if status in (401, 403):
            raise Refused(f"it does not accept these headers (HTTP {status})")
        if status == 429:
            after = answer.headers.get("retry-after", "")
            raise Busy("it takes no more requests", retry_after=_seconds(after))
        forgot = status == 404 or (status == 400 and b"session" in content.lower())
        if forgot and _SESSION in request.headers:
            raise SessionLost("it forgot the session")
        if status >= 500 and b'"jsonrpc"' not in content:
            said = short(content.decode("utf-8", "replace"), 100)
            raise Unavailable(f"it answered HTTP {status}" + (f": {said}" if said else ""))


class _Bounded(httpx2.AsyncByteStream):
    """The body of an answer that comes in events, up to so many bytes."""

    def __init__(self, answer: aiohttp.ClientResponse, most: int, faults: Faults) -> None:
        self._answer, self._left, self._most, self._faults = answer, most, most, faults

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in self._answer.content.iter_any():
                self._left -= len(chunk)
                if self._left < 0:
                    # The one error after which the package does not ask for the rest again.
                    raise httpx2.SSEError(self._faults.mark(_too_large(self._most)))
                yield chunk
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise httpx2.ReadError(type(error).__name__) from error

    async def aclose(self) -> None:
        self._answer.close()


async def _whole(answer: aiohttp.ClientResponse, most: int) -> bytes:
    """A body of bounded size. Raises BadAnswer, Unavailable."""
    read = bytearray()
    try:
        async for chunk in answer.content.iter_any():
            read += chunk
            if len(read) > most:
                raise _too_large(most)
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise Unavailable("it broke off its answer; the call was not repeated") from error
    return bytes(read)


def _too_large(most: int) -> Failure:
    return BadAnswer(f"its answer is larger than {most} bytes (tools.mcp_server.answer_bytes)")


def _seconds(text: str) -> float | None:
    return float(text[:9]) if text.isascii() and text.isdigit() else None
