"""Bytes from an address: every hop checked by the guard, every answer bounded."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from urllib.parse import urljoin

import aiohttp
import msgspec

from interplay.contracts.egress import EgressRefused, Guard, Place, Unresolvable
from interplay.contracts.egress_http import guarded_session, url_of
from interplay.plugins.readers.http.config import Config
from interplay.plugins.readers.http.pace import Pace
from interplay.plugins.readers.http.unpacking import CannotUnpack, unpacker

_REDIRECTS = (301, 302, 303, 307, 308)
_ACCEPT = "text/html,application/xhtml+xml,application/pdf,text/*;q=0.9,image/*;q=0.8,*/*;q=0.5"


class Unreachable(Exception):
    """An address gave nothing that can be read; the message may be shown to the caller."""


class Fetched(msgspec.Struct, kw_only=True):
    """What an address answered."""

    place: Place
    """Where redirects led to."""
    status: int
    content_type: str
    body: bytes
    """Unpacked."""
    cut: bool = False
    """There was more, or the answer broke off."""
    retry_after: str = ""


Allow = Callable[[Place], Awaitable[None]]
"""Raises Unreachable for a place that must not be asked."""


async def anyone(place: Place) -> None:
    """Allows every place."""


class Fetcher:
    """GET through the guard, without cookies, credentials or proxies."""

    def __init__(self, config: Config, guard: Guard) -> None:
        self._config, self._guard = config, guard
        self._pace = Pace(config.per_host, config.host_gap)
        self._session: aiohttp.ClientSession | None = None

    async def get(self, url: str, most: int, allow: Allow = anyone) -> Fetched:
        """Follows redirects and reads at most so many bytes. Raises EgressRefused, Unresolvable,
        Unreachable; time is the caller's to limit."""
        for _ in range(self._config.redirects + 1):
            place = self._guard.check(url)
            await allow(place)
            try:
                async with self._pace.turn(place.host):
                    found = await self._once(place, most)
            except (aiohttp.ClientError, OSError) as error:
                raise _said(error, place) from error
            except CannotUnpack as error:
                raise Unreachable(str(error)) from error
            if isinstance(found, Fetched):
                return found
            url = _joined(place, found)
        raise Unreachable(f"The address redirects more than {self._config.redirects} times")

    async def _once(self, place: Place, most: int) -> Fetched | str:
        """One answer, or where it redirects to."""
        session = self._opened()
        async with session.get(
            url_of(place),
            allow_redirects=False,
            auto_decompress=False,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=self._config.seconds),
        ) as answer:
            headers = answer.headers
            location = headers.get("Location")
            if answer.status in _REDIRECTS and location:
                answer.close()  # its body is nobody's, and may have no end
                return location
            body, cut = await _body(answer, most)
            return Fetched(
                place=place,
                status=answer.status,
                content_type=headers.get("Content-Type", ""),
                body=body,
                cut=cut,
                retry_after=headers.get("Retry-After", ""),
            )

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = guarded_session(self._guard, connections=self._config.documents)
            self._session.headers.update(
                {
                    "User-Agent": self._config.user_agent,
                    "Accept": _ACCEPT,
                    "Accept-Encoding": "gzip, deflate, br",
                }
            )
        return self._session

    async def close(self) -> None:
        """Lets go of connections."""
        if self._session is not None:
            await self._session.close()


async def _body(answer: aiohttp.ClientResponse, most: int) -> tuple[bytes, bool]:
    """The unpacked body, at most so many bytes of it, and whether there was more."""
    unpack = unpacker(answer.headers.get("Content-Encoding", ""))
    body, came = bytearray(), 0
    try:
        async for data in answer.content.iter_any():
            came += len(data)
            for piece in unpack.feed(data):
                body += piece
                if len(body) > most:
                    answer.close()
                    return bytes(body[:most]), True
                await asyncio.sleep(0)  # a packed chunk may be long work
            if came > most:  # packed into more than it holds
                answer.close()
                return bytes(body), True
    except aiohttp.ClientPayloadError:
        if not body:
            raise
        return bytes(body), True
    return bytes(body), False


def _joined(place: Place, location: str) -> str:
    readable = location.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    try:
        return urljoin(place.url, readable.strip())
    except ValueError as error:
        raise Unreachable("The address redirects to something that is no URL") from error


def _said(error: Exception, place: Place) -> Exception:
    """What went wrong, without anything that a name inside a network would tell."""
    host = place.host[:80]
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, Unresolvable | EgressRefused):
            return cause
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return Unreachable(f"The host '{host}' has no valid certificate")
    if isinstance(error, aiohttp.ClientConnectorError | aiohttp.ServerTimeoutError):
        return Unreachable(f"The host '{host}' cannot be reached")
    if isinstance(error, aiohttp.ServerDisconnectedError | aiohttp.ClientPayloadError):
        return Unreachable(f"The host '{host}' broke off its answer")
    if isinstance(error, aiohttp.ClientResponseError):
        return Unreachable(f"The host '{host}' did not answer with HTTP")
    return Unreachable(f"The connection to '{host}' failed")
