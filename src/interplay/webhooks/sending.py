"""One attempt at a receiver, and what came of it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import msgspec

from interplay.contracts.egress import Guard

if TYPE_CHECKING:
    from interplay.webhooks.posting import Poster


class Outcome(msgspec.Struct, kw_only=True, frozen=True):
    """What came of an attempt."""

    status: int | None = None
    """None when there was no answer."""
    seconds: float
    error: str | None = None
    """None exactly when the receiver took it. It may be shown to the webhook's owner."""
    retry_after: float = 0.0
    """Seconds the receiver asked to be left alone for."""


class Sender:
    """Makes attempts, each answered within `seconds`."""

    def __init__(self, guard: Guard, seconds: float, connections: int) -> None:
        self._guard, self._seconds, self._connections = guard, seconds, connections
        self._poster: Poster | None = None

    async def send(self, uri: str, headers: dict[str, str], body: bytes) -> Outcome:
        """One attempt; it never raises for what the receiver does."""
        from interplay.webhooks.posting import NotAnswered, Poster

        if self._poster is None:
            self._poster = Poster(self._guard, self._seconds, self._connections)
        began = time.monotonic()
        try:
            answered = await self._poster.post(uri, headers, body)
        except NotAnswered as error:
            return Outcome(seconds=time.monotonic() - began, error=str(error))
        return Outcome(
            status=answered.status,
            seconds=time.monotonic() - began,
            error=_fault(answered.status),
            retry_after=answered.retry_after,
        )

    async def close(self) -> None:
        """Closes every connection."""
        if self._poster is not None:
            await self._poster.close()


def _fault(status: int) -> str | None:
    if 200 <= status < 300:
        return None
    if 300 <= status < 400:
        return f"The receiver answered {status}; redirects are not followed."
    return f"The receiver answered {status}."
