"""Media at addresses of the web, fetched through the guard. Its client is slow to import: imported
with the first address."""

from __future__ import annotations

import asyncio
from urllib.parse import urljoin

import aiohttp

from interplay.contracts.egress import EgressRefused, Guard, Place, Unresolvable
from interplay.contracts.egress_http import guarded_session, url_of

_HOPS = 5
_REDIRECTS = (301, 302, 303, 307, 308)
_CONNECTIONS = 16


class Unfetched(Exception):
    """An address gave no media; the message may be shown to the caller."""


class MediaClient:
    """GET without cookies, credentials or proxies. Every hop is checked by the guard."""

    def __init__(self, guard: Guard, most: int, seconds: float) -> None:
        self._guard, self._most, self._seconds = guard, most, seconds
        self._session = guarded_session(guard, connections=_CONNECTIONS)
        # Packed media would have to be unpacked, and may be bombs.
        self._session.headers.update({"User-Agent": "Interplay", "Accept-Encoding": "identity"})

    async def get(self, uri: str) -> tuple[bytes, str]:
        """At most `most` bytes within `seconds`, and what they are said to be, "" where nothing is
        said. Raises Unfetched."""
        try:
            async with asyncio.timeout(self._seconds):
                return await self._follow(uri)
        except TimeoutError as error:
            raise Unfetched(f"There was no whole answer within {self._seconds:g} s") from error
        except (EgressRefused, Unresolvable) as error:
            raise Unfetched(str(error)) from error

    async def _follow(self, uri: str) -> tuple[bytes, str]:
        for _ in range(_HOPS + 1):
            place = self._guard.check(uri)
            try:
                found = await self._once(place)
            except (aiohttp.ClientError, OSError) as error:
                raise _said(error, place) from error
            if not isinstance(found, str):
                return found
            try:
                uri = urljoin(place.url, found.strip())
            except ValueError as error:
                raise Unfetched("The address redirects to something that is no URL") from error
        raise Unfetched(f"The address redirects more than {_HOPS} times")

    async def _once(self, place: Place) -> tuple[bytes, str] | str:
        """What is there, or where it redirects to."""
        limits = aiohttp.ClientTimeout(total=None)
        async with self._session.get(
            url_of(place), allow_redirects=False, auto_decompress=False, timeout=limits
        ) as answer:
            location = answer.headers.get("Location")
            if answer.status in _REDIRECTS and location:
                answer.close()  # its body is nobody's, and may have no end
                return location
            if answer.status != 200:
                raise Unfetched(
                    f"The host '{place.host[:80]}' answered with HTTP status {answer.status}"
                )
            if answer.headers.get("Content-Encoding", "identity") != "identity":
                raise Unfetched(f"The host '{place.host[:80]}' sends it packed")
            body = bytearray()
            async for data in answer.content.iter_any():
                body += data
                if len(body) > self._most:
                    answer.close()
                    raise Unfetched(f"It is larger than {self._most} bytes (limits.media_bytes)")
            return bytes(body), answer.headers.get("Content-Type", "")

    async def close(self) -> None:
        """Lets go of connections."""
        await self._session.close()


def _said(error: Exception, place: Place) -> Exception:
    """What went wrong, without anything that a name inside a network would tell."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, Unresolvable | EgressRefused | TimeoutError):
            return cause
        cause = cause.__cause__ or cause.__context__
    return Unfetched(f"The host '{place.host[:80]}' cannot be reached or broke off its answer")
