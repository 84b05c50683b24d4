"""Safe retries: the same request, sent again, never makes the work twice."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

import msgspec

from interplay.interactions.failures import Rejected
from interplay.interactions.runner import Running


def fingerprint(body: bytes) -> str:
    """A hash of a request body."""
    return hashlib.blake2b(body, digest_size=16).hexdigest()


class Sent(msgspec.Struct, eq=False):
    """A request that was answered, or is being answered, by `running`."""

    running: Running
    fingerprint: str
    left: Callable[[], bool]
    """Whether its client has gone away without the whole answer."""


class Retries:
    """Requests of the last seconds, by key and by body, in memory.

    With an `Idempotency-Key` a second request joins the first. Without one it joins only when
    the first one's connection was lost: two clients may well ask the same thing.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._by_key: dict[tuple[str, str], Sent] = {}
        self._by_body: dict[tuple[str, str], Sent] = {}
        self._turns: dict[tuple[str, str], tuple[asyncio.Lock, list[None]]] = {}

    @asynccontextmanager
    async def turn(self, owner: str, key: str) -> AsyncGenerator[None]:
        """Requests with one key take turns to look for an earlier one and to begin."""
        # Who waits is counted: a lock is free for a moment between its holder and the next.
        lock, there = self._turns.setdefault((owner, key), (asyncio.Lock(), []))
        there.append(None)
        try:
            async with lock:
                yield
        finally:
            there.pop()
            if not there:
                del self._turns[owner, key]

    def find(self, owner: str, key: str | None, print_: str) -> Running | None:
        """The interaction an earlier sending of this request made. Raises Rejected when the key
        came with another body."""
        if key is not None:
            sent = self._by_key.get((owner, key))
            if sent is None or self._past(sent) or _came_to_nothing(sent.running):
                return None
            if sent.fingerprint != print_:
                raise conflict(key)
            return sent.running
        sent = self._by_body.get((owner, print_))
        if sent is None or self._past(sent) or not sent.left():
            return None
        running = sent.running
        # A failure was answered, and is why the same request comes again; what was cancelled was
        # not wanted any more, and is asked for anew.
        ending = running.journal.ending
        failed = running.journal.ended and running.error is not None
        cancelled = ending is not None and ending.status == "cancelled"
        return None if failed or cancelled or _came_to_nothing(running) else running

    def _past(self, sent: Sent) -> bool:
        journal = sent.running.journal
        return journal.ended and journal.touched + self._seconds < time.time()

    def note(
        self, owner: str, key: str | None, print_: str, running: Running, left: Callable[[], bool]
    ) -> None:
        """Remembers a request that begins to be worked on."""
        sent = Sent(running, print_, left)
        if key is not None:
            self._by_key[owner, key] = sent
        self._by_body[owner, print_] = sent

    def answered(self, owner: str, print_: str, running: Running) -> None:
        """The whole answer reached its client: the same body is a new request again."""
        sent = self._by_body.get((owner, print_))
        if sent is not None and sent.running is running:
            del self._by_body[owner, print_]

    def forget(self, interaction_id: str) -> None:
        """An interaction was deleted: nobody is given it any more."""
        for held in (self._by_key, self._by_body):
            for name, sent in list(held.items()):
                if sent.running.journal.row.id == interaction_id:
                    del held[name]

    def sweep(self) -> None:
        """Forgets what is too old to be a retry."""
        for held in (self._by_key, self._by_body):
            for name in [name for name, sent in held.items() if self._past(sent)]:
                del held[name]


def _came_to_nothing(running: Running) -> bool:
    """Whether nothing of it was stored: the request is as good as new."""
    return running.journal.lost or (running.journal.ended and running.journal.failure is not None)


def conflict(key: str) -> Rejected:
    """The answer to a key that comes with another body."""
    return Rejected(
        "aborted",
        f"The Idempotency-Key '{key[:80]}' was used with another body; use a new key.",
    )
