"""JSON from a web service of the settings: bounded in time and size, its faults typed.

Callers and models do not name these addresses, an operator does. His service may stand in a
private network: that is allowed for its own host and for nothing else.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

import aiohttp
import msgspec

from interplay.contracts.egress import (
    EgressRefused,
    Guard,
    Place,
    Resolve,
    Unresolvable,
    system_resolve,
)
from interplay.contracts.egress_http import guarded_session, url_of
from interplay.contracts.failure import BadAnswer, Busy, Refused, TimedOut, Unavailable

_T = TypeVar("_T")
_EVERYWHERE = ("0.0.0.0/0", "::/0")
_LONGEST_PAUSE = 3_600.0


class OneHost(Guard):
    """Permits whatever the host of one URL leads to, and no other host. Raises EgressRefused for
    a URL that is none."""

    def __init__(self, url: str, *, resolve: Resolve = system_resolve) -> None:
        super().__init__(_EVERYWHERE, resolve=resolve)
        self._host = super().check(url).host

    def check(self, url: str, *, plain: bool = True) -> Place:
        """See Guard."""
        place = super().check(url, plain=plain)
        self._own(place.host)
        return place

    async def addresses(self, host: str, port: int, *, only_allowed: bool = False) -> list[str]:
        """See Guard."""
        self._own(host)
        return await super().addresses(host, port, only_allowed=only_allowed)

    def _own(self, host: str) -> None:
        if host != self._host:
            raise EgressRefused(f"Only '{self._host[:80]}' is reached here")


def key_from(variable: str, service: str) -> str:
    """The secret in an environment variable. Raises Refused, which names the variable alone."""
    key = os.environ.get(variable, "").strip()
    if not key:
        raise Refused(f"{service} needs a key in the environment variable {variable}.")
    return key


class WebService:
    """One service at one address. Redirects are not followed.

    `guard` is asked where to connect; without one, the host of `url` may lead anywhere. `seconds`
    bounds each request, its wait for `pace` (seconds between requests) included. `told` has a
    sentence for statuses that mean something of their own.
    """

    def __init__(
        self,
        name: str,
        url: str,
        *,
        guard: Guard | None = None,
        seconds: float = 10.0,
        answer_bytes: int = 4 * 1024 * 1024,
        pace: float = 0.0,
        told: Mapping[int, str] | None = None,
    ) -> None:
        self.name = name
        self._url = url.rstrip("/")
        self._guard = guard
        self._seconds, self._answer_bytes, self._pace = seconds, answer_bytes, pace
        self._told = dict(told or {})
        self._session: aiohttp.ClientSession | None = None
        self._gate = asyncio.Lock()
        self._next = self._free_at = 0.0

    async def ask(
        self,
        path: str,
        kind: type[_T],
        *,
        params: Mapping[str, str] | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> _T:
        """The answer of GET, or of POST with a JSON `body`, as `kind`.

        Raises Busy (also for as long as an earlier answer asked for), TimedOut, Unavailable,
        Refused, BadAnswer.
        """
        left = self._free_at - asyncio.get_running_loop().time()
        if left > 0:
            raise Busy(f"{self.name} asked to wait.", retry_after=left)
        try:
            async with asyncio.timeout(self._seconds):
                await self._paced()
                data = await self._exchange(path, params or {}, body, headers or {})
        except TimeoutError as error:
            raise TimedOut(f"{self.name} did not answer in {self._seconds:g} s.") from error
        except EgressRefused as error:
            raise Refused(f"{self.name}: {error}") from error
        except (aiohttp.ClientError, OSError, Unresolvable) as error:
            word = type(error).__name__
            raise Unavailable(f"{self.name} cannot be reached ({word}).") from error
        try:
            return msgspec.json.decode(data, type=kind, strict=False)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise BadAnswer(f"{self.name} answered with something that is not its form.") from error

    async def close(self) -> None:
        """Lets go of connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _paced(self) -> None:
        if not self._pace:
            return
        loop = asyncio.get_running_loop()
        async with self._gate:
            await asyncio.sleep(max(0.0, self._next - loop.time()))
            self._next = loop.time() + self._pace

    async def _exchange(
        self, path: str, params: Mapping[str, str], body: Any, headers: Mapping[str, str]
    ) -> bytes:
        if self._guard is None:
            self._guard = OneHost(self._url)
        place = self._guard.check(self._url + path)
        if self._session is None:
            self._session = guarded_session(self._guard)
        url = url_of(place)
        sent = {"accept": "application/json", **headers}
        data = None
        if body is not None:
            data, sent["content-type"] = msgspec.json.encode(body), "application/json"
        async with self._session.request(
            "GET" if body is None else "POST",
            url.update_query(dict(params)) if params else url,
            data=data,
            headers=sent,
            allow_redirects=False,
        ) as response:
            self._accept(response)
            return await self._read(response)

    def _accept(self, response: aiohttp.ClientResponse) -> None:
        status = response.status
        if 200 <= status < 300:
            return
        told = self._told.get(status, "")
        if status == 429:
            pause = _pause(response.headers.get("retry-after", ""))
            self._free_at = asyncio.get_running_loop().time() + (pause or 0.0)
            raise Busy(told or f"{self.name} has too many requests.", retry_after=pause)
        if status in (401, 403):
            raise Refused(told or f"{self.name} refuses this server's key ({status}).")
        if status in (408, 504):
            raise TimedOut(told or f"{self.name} did not answer in time ({status}).")
        if status >= 500:
            raise Unavailable(told or f"{self.name} is not well ({status}).")
        if status >= 400:
            raise Refused(told or f"{self.name} refuses the request ({status}).")
        raise BadAnswer(told or f"{self.name} answered with the status {status}.")

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        data = bytearray()
        async for chunk in response.content.iter_chunked(65_536):
            data += chunk
            if len(data) > self._answer_bytes:
                raise BadAnswer(f"{self.name} answered with more than {self._answer_bytes} bytes.")
        return bytes(data)


def _pause(text: str) -> float | None:
    """Seconds of a Retry-After header; None when it says nothing that is understood."""
    try:
        seconds = float(text)
    except ValueError:
        try:
            when = parsedate_to_datetime(text)
        except (ValueError, TypeError):
            return None
        from datetime import UTC, datetime

        seconds = (when - datetime.now(UTC)).total_seconds() if when.tzinfo else 0.0
    return min(max(seconds, 0.0), _LONGEST_PAUSE) if seconds == seconds else None
