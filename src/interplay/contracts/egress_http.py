"""HTTP through the guard: aiohttp sessions that reach nothing it does not permit."""

from __future__ import annotations

import socket

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from interplay.contracts.egress import Guard, Place, Unresolvable


class GuardedResolver(AbstractResolver):
    """Resolves once for each connection and answers only what the guard permits: what was checked
    is what is connected to. aiohttp does not ask it for hosts that are addresses."""

    def __init__(self, guard: Guard, *, only_allowed: bool = False) -> None:
        self._guard, self._only_allowed = guard, only_allowed

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Raises EgressRefused, and OSError as aiohttp expects it."""
        try:
            found = await self._guard.addresses(host, port, only_allowed=self._only_allowed)
        except Unresolvable as error:
            raise OSError(None, str(error)) from error
        families = {address: _family(address) for address in found}
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=kind,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address, kind in families.items()
            if family in (socket.AF_UNSPEC, kind)
        ]

    async def close(self) -> None:
        """Nothing is held."""


def _family(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def guarded_session(
    guard: Guard, *, only_allowed: bool = False, connections: int = 100
) -> aiohttp.ClientSession:
    """A session for places the guard has checked (see `url_of`). No proxy, no cookies, no cache
    of names; redirects are the caller's to refuse, or to check one by one."""
    connector = aiohttp.TCPConnector(
        resolver=GuardedResolver(guard, only_allowed=only_allowed),
        use_dns_cache=False,
        limit=connections,
    )
    return aiohttp.ClientSession(
        connector=connector, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False
    )


def url_of(place: Place) -> URL:
    """The place as aiohttp takes it, without reading it anew."""
    return URL(place.url, encoded=True)
