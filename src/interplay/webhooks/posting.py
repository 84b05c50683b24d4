"""The POST itself. It needs a client that is slow to import: imported with the first event."""

from __future__ import annotations

import asyncio

import aiohttp

from interplay import __version__
from interplay.contracts.egress import EgressRefused, Guard
from interplay.contracts.egress_http import guarded_session, url_of

_LONGEST_RETRY_AFTER = 3_600


class NotAnswered(Exception):
    """The receiver gave no answer; the message says why, in words that hold no address."""


class Answered:
    """The head of an answer."""

    def __init__(self, status: int, retry_after: str) -> None:
        self.status = status
        self.retry_after = 0.0
        """Seconds, at most an hour; dates are not read."""
        if retry_after.isascii() and retry_after.isdigit() and len(retry_after) < 9:
            self.retry_after = float(min(int(retry_after), _LONGEST_RETRY_AFTER))


class Poster:
    """Posts to places the guard permits. No redirect is followed, and of an answer only its head
    is read."""

    def __init__(self, guard: Guard, seconds: float, connections: int) -> None:
        self._guard, self._seconds = guard, seconds
        self._secure = guarded_session(guard, connections=connections)
        self._plain = guarded_session(guard, only_allowed=True, connections=connections)

    async def post(self, uri: str, headers: dict[str, str], body: bytes) -> Answered:
        """Answers within `seconds`, or raises NotAnswered."""
        try:
            return await self._post(uri, headers, body)
        except EgressRefused as error:
            raise NotAnswered(f"{error}.") from error
        except (aiohttp.ClientError, OSError) as error:  # TimeoutError is an OSError
            raise NotAnswered(_said(error, self._seconds)) from error

    async def _post(self, uri: str, headers: dict[str, str], body: bytes) -> Answered:
        place = self._guard.check(uri, plain=False)
        session = self._plain if place.scheme == "http" else self._secure
        whole = {
            "content-type": "application/json",
            "user-agent": f"interplay/{__version__}",
            **headers,
        }
        async with session.post(
            url_of(place),
            data=body,
            headers=whole,
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(total=self._seconds),
        ) as answered:
            return Answered(answered.status, answered.headers.get("retry-after", ""))

    async def close(self) -> None:
        """Closes every connection."""
        await asyncio.gather(self._secure.close(), self._plain.close())


def _said(error: Exception, seconds: float) -> str:
    if isinstance(error, TimeoutError):
        return f"There was no answer within {seconds:g} s."
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "The host has no address."
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return "The receiver's certificate is not valid for its host."
    if isinstance(error, aiohttp.ClientSSLError):
        return "No secure connection could be made."
    if isinstance(error, aiohttp.ClientConnectorError):
        return "The receiver takes no connections."
    if isinstance(error, aiohttp.ClientConnectionError | OSError):
        return "The connection was broken off before there was an answer."
    return "The receiver's answer is no HTTP."
