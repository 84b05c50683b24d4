"""How fast one host is asked."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

_MANY = 1_000


class _Host:
    def __init__(self, at_once: int) -> None:
        self.places = asyncio.Semaphore(at_once)
        self.next = 0.0
        self.users = 0


class Pace:
    """Turns per host: so many at once, their starts `gap` seconds apart."""

    def __init__(
        self,
        at_once: int,
        gap: float,
        *,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._at_once, self._gap, self._now, self._sleep = at_once, gap, now, sleep
        self._hosts: dict[str, _Host] = {}

    @asynccontextmanager
    async def turn(self, name: str) -> AsyncGenerator[None]:
        """Waits for a turn at this host and holds it."""
        if len(self._hosts) >= _MANY:
            self._forget()
        host = self._hosts.setdefault(name, _Host(self._at_once))
        host.users += 1
        try:
            async with host.places:
                now = self._now()
                start = max(now, host.next)
                host.next = start + self._gap
                if start > now:
                    await self._sleep(start - now)
                yield
        finally:
            host.users -= 1

    def _forget(self) -> None:
        now = self._now()
        idle = [name for name, host in self._hosts.items() if not host.users and host.next <= now]
        for name in idle:
            del self._hosts[name]
