"""Journal -> a reader: server-sent events from any position, as fast as the reader takes them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from interplay.interactions.failures import elsewhere
from interplay.interactions.followed import Followed
from interplay.interactions.frames import DONE
from interplay.interactions.journal import Journal, Reader
from interplay.settings import Limits

Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]


_FRAMES, _BYTES = 2_000, 256 * 1024
"""The bound of one write: what a reader that stops reading can make the transport hold."""


_MOMENT = 0.001
"""Seconds in which frames are gathered behind one that was sent. (uvloop's clock stands still while
it works through what one packet brought.)"""


class View(Protocol):
    """Another schema of the same events."""

    def convert(self, frames: list[bytes]) -> list[bytes]:
        """These frames in that schema."""
        ...


CLIENT = "interplay.client"
"""The extension of ASGI by which our own server offers a Client."""


class Client(Protocol):
    """What a server can tell and do at once, where ASGI would have us wait."""

    gone: bool
    """The connection is closed."""

    def write(self, body: bytes) -> bool:
        """Sends a part of the body; False, and nothing happens, when it would have to wait."""
        ...


class Connection:
    """One client's connection, as far as we can tell whether it is still there."""

    def __init__(self, receive: Receive, extensions: dict[str, Any] | None = None) -> None:
        self._receive = receive
        self._client: Client | None = extensions.get(CLIENT) if extensions else None
        self.gone = False

    def write(self, body: bytes) -> bool:
        """Sends a part of an answer that has begun, where that can be done without waiting."""
        return self._client is not None and self._client.write(body)

    def left(self) -> bool:
        """Looks, without waiting, whether the client has gone away."""
        if self._client is not None:
            self.gone = self.gone or self._client.gone
            return self.gone
        if self.gone:
            return True
        waiting: Any = self._receive()
        try:
            # One step: either the server's message is there, or this would have to wait.
            waiting.send(None)
        except StopIteration as got:
            self.gone = got.value["type"] == "http.disconnect"
        finally:
            waiting.close()
        return self.gone

    async def wait_gone(self) -> None:
        """Returns when the client has gone away."""
        while not self.gone:
            message = await self._receive()
            self.gone = message["type"] == "http.disconnect"


class _Finished:
    """An interaction that has ended, as a journal's readers see it."""

    base, ended, lost = 0, True, False

    def __init__(self, frames: list[bytes]) -> None:
        self.frames = frames
        self.readers: set[Reader] = set()

    def observe(self) -> bool:
        """Its frames are there."""
        return True


class Tail:
    """Sends one reader the frames of a journal, or of an interaction that has ended.

    Ready frames go out in one write. A reader that is slow only falls behind; one that takes
    nothing for `stream_stall_seconds`, or for a beat while it is further behind than
    `stream_lag_bytes`, is cut off and may resume with its last event id.
    """

    def __init__(
        self,
        source: Journal | Followed | list[bytes],
        start: int,
        connection: Connection,
        send: Send,
        limits: Limits,
        *,
        headers: list[tuple[bytes, bytes]],
        view: View | None = None,
        doing: Callable[[], str | None] = lambda: None,
        again: Callable[[int], Awaitable[list[bytes]]] | None = None,
    ) -> None:
        self._source = _Finished(source) if isinstance(source, list) else source
        self.position = start
        self._connection, self._send, self._limits = connection, send, limits
        self._headers, self._view, self._doing, self._again = headers, view, doing, again
        self._loop = asyncio.get_running_loop()
        self._waiting: asyncio.Future[None] | None = None
        self._sending = False
        self._writes = self._writes_seen = 0
        self._stuck = 0.0
        self._beat: asyncio.TimerHandle | None = None
        self._flush: asyncio.Handle | None = None
        self._moment = 0.0
        self._plain = view is None
        self._comment = b""
        # Two beats to a silence: a comment is never later than keepalive_seconds.
        self._every = min(limits.keepalive_seconds, limits.stream_stall_seconds) / 2
        self._task: asyncio.Task[Any] | None = None
        self._drained = self._cut_off = self._over = False

    async def run(self) -> bool:
        """Sends until the end; answers whether the reader got it whole. Raises Rejected where
        nothing can be sent: another process has what comes next."""
        self._task = asyncio.current_task()
        watcher = asyncio.create_task(self._watch())
        self._arm()
        self._source.observe()
        self._source.readers.add(self)
        try:
            whole = await self._follow(self._source)
            if not self._writes and not self._connection.gone:
                raise elsewhere()
            return whole
        except asyncio.CancelledError:
            if not self._cut_off:
                raise
            return False
        finally:
            self._source.readers.discard(self)
            watcher.cancel()
            for handle in (self._beat, self._flush):
                if handle is not None:
                    handle.cancel()

    async def _follow(self, journal: Journal | Followed | _Finished) -> bool:
        doing = self._doing()
        if doing is not None:
            self._comment = f": {doing}\n\n".encode()
        while not self._connection.gone:
            frames, start = journal.frames, self.position - journal.base
            if start < 0 or (journal.lost and self._again is not None):
                if not await self._catch_up(journal):
                    return self._over and not self._connection.gone
            elif start < len(frames) or self._comment:
                ready = self._ready(frames, start)
                self.position += len(ready)
                if journal.ended and not journal.lost and start + len(ready) == len(frames):
                    await self._write([*ready, DONE], more=False)
                    return not self._connection.gone
                await self._write(ready, more=True)
            elif journal.ended:
                if journal.lost:
                    return False
                await self._write([DONE], more=False)
                return not self._connection.gone
            elif self._drained:
                await self._write([], more=False)
                return False
            elif not self._writes:
                await self._write([], more=True)  # the head alone: the first event may take long
            else:
                self._waiting = self._loop.create_future()
                await self._waiting
                self._waiting = None
        return False

    async def _catch_up(self, journal: Journal | Followed | _Finished) -> bool:
        """Sends what the journal has let go, or what came after it was lost, from the store.
        False when that was the end, when there is nothing, or when nobody can say what comes
        next."""
        frames = await self._again(self.position) if self._again is not None else []
        at = 0
        while at < len(frames) and not self._connection.gone:
            ready = self._ready(frames, at)
            at += len(ready)
            self.position += len(ready)
            await self._write(ready, more=True)
        if at and frames[-1].startswith(b"event: interaction.completed"):
            # Also where the journal does not know yet: it would send this once more.
            await self._write([DONE], more=False)
            self._over = True
            return False
        return bool(frames) and not journal.lost

    @staticmethod
    def _ready(frames: list[bytes], start: int) -> list[bytes]:
        """What goes out in the next write: all there is, up to a bound."""
        if start + 1 == len(frames):
            return frames[start:]
        ready = frames[start : start + _FRAMES]
        size = 0
        for number, frame in enumerate(ready):
            size += len(frame)
            if size > _BYTES:
                return ready[: number + 1]
        return ready

    async def _write(self, frames: list[bytes], *, more: bool) -> None:
        if self._view is not None:
            frames = self._view.convert(frames)
        body = b"".join(frames)
        if self._comment:
            body, self._comment = self._comment + body, b""
        self._sending = True
        if not self._writes:
            head = {"type": "http.response.start", "status": 200, "headers": self._headers}
            await self._send(head)
        self._writes += 1
        await self._send({"type": "http.response.body", "body": body, "more_body": more})
        self._sending = False

    async def _watch(self) -> None:
        await self._connection.wait_gone()
        self.wake()

    def drain(self) -> None:
        """The server is going away: the live stream of a background run ends here, and is resumed
        with the last event id at the next server."""
        if not isinstance(self._source, _Finished) and self._source.row.background:
            self._drained = True
            self.wake()

    @property
    def waits(self) -> bool:
        """Whether it has sent all there is, and waits for more."""
        return self._waiting is not None and not self._waiting.done()

    def ready(self) -> None:
        """There are more frames, or this is the end. The first of a moment goes out at once, those
        behind it together."""
        if self._flush is not None or self._waiting is None:
            return
        moment = self._loop.time()
        if moment - self._moment >= _MOMENT:
            self._moment = moment
            self._send_ready()
        else:
            self._flush = self._loop.call_soon(self._send_ready)

    def _send_ready(self) -> None:
        """Sends what came in this moment, without waking the task where the connection takes it at
        once: a task, woken for each event, costs more than all the rest of its way."""
        self._flush = None
        source, waiting = self._source, self._waiting
        if waiting is None or waiting.done():
            return  # it is awake, and looks itself
        frames, start = source.frames, self.position - source.base
        if 0 <= start < len(frames) and not source.ended and self._plain and not self._comment:
            ready = self._ready(frames, start)
            if self._connection.write(ready[0] if len(ready) == 1 else b"".join(ready)):
                self._writes += 1
                self.position += len(ready)
                if start + len(ready) == len(frames):
                    return
        waiting.set_result(None)

    def wake(self) -> None:
        """Looks again: the client left, a comment is due, or the server is going away."""
        if self._waiting is not None and self.waits:
            self._waiting.set_result(None)

    def _arm(self) -> None:
        self._beat = asyncio.get_running_loop().call_later(self._every, self._tick)

    def _tick(self) -> None:
        """Never per event: a comment on a silent stream, the end of a stuck one."""
        idle, self._writes_seen = self._writes == self._writes_seen, self._writes
        self._stuck = self._stuck + self._every if idle and self._sending else 0.0
        if self._stuck:
            far = self._lag() > self._limits.stream_lag_bytes
            if (far or self._stuck >= self._limits.stream_stall_seconds) and self._task is not None:
                self._cut_off = True
                self._task.cancel()
                return
        elif idle and not self._sending:
            self._comment = f": {self._doing() or 'keep-alive'}\n\n".encode()
            self.wake()
        self._arm()

    def _lag(self) -> int:
        behind = self._source.frames[max(0, self.position - self._source.base) :]
        return sum(len(frame) for frame in behind)
