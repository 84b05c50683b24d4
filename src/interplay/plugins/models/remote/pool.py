"""The connections of one event loop to one server."""

from __future__ import annotations

import asyncio
import ssl

from interplay.plugins.models.remote.address import Address
from interplay.plugins.models.remote.dial import dial, tunnel
from interplay.plugins.models.remote.http1 import Link

_IDLE_SECONDS = 15.0
_DRAIN_SECONDS = 0.05
"""How long the end of an answer may follow its last word, for the connection to be kept."""


class TookTooLong(Exception):
    """No connection within the time that one may take."""


class Pool:
    """Makes connections, keeps those that are free, and closes those that stay so.

    The one that was used last is taken first. There is no limit to how many are open.
    """

    def __init__(
        self,
        to: Address,
        proxy: Address | None,
        *,
        connect: float,
        silence: float,
        idle: float = _IDLE_SECONDS,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._to, self._proxy = to, proxy
        self._connect, self._silence, self._idle_seconds = connect, silence, idle
        self._tls: ssl.SSLContext | None = None
        if to.secure:
            self._tls = ssl.create_default_context()
            self._tls.set_alpn_protocols(["http/1.1"])
        self._links: set[Link] = set()
        self._idle: list[Link] = []
        self._sweeper: asyncio.TimerHandle | None = None
        self._emptied: asyncio.Future[None] | None = None
        self.closed = False

    def kept(self) -> Link | None:
        """A free connection, if there is one."""
        idle = self._idle
        while idle:
            link = idle.pop()
            if link.usable:
                return link
            link.drop()
        return None

    async def open(self) -> Link:
        """A new connection. Raises OSError and TookTooLong."""
        timeout = asyncio.timeout(self._connect)
        try:
            async with timeout:
                link = await self._made()
        except TimeoutError as error:
            if timeout.expired():
                raise TookTooLong from error
            raise  # the system's own: an OSError with its words
        if self.closed:
            link.drop()
        return link

    async def _made(self) -> Link:
        to, proxy = self._to, self._proxy
        if proxy is None:
            made = await dial(to.host, to.port)
        elif to.secure:
            made = await tunnel(proxy, to)
        else:
            made = await dial(proxy.host, proxy.port)
        link = Link(self._loop, self._silence, self)
        try:
            if self._tls is None:
                await self._loop.create_connection(lambda: link, sock=made)
            else:
                await self._loop.create_connection(
                    lambda: link,
                    sock=made,
                    ssl=self._tls,
                    server_hostname=to.host,
                    ssl_handshake_timeout=self._connect,
                )
        except BaseException:
            link.drop()
            made.close()
            raise
        if not link.lost:
            self._links.add(link)
        return link

    def give_back(self, link: Link) -> None:
        """Takes a connection whose answer has been read. One that still has the end of its answer
        to come has a moment for it; nobody waits meanwhile."""
        if link.over or link.broken:
            self._keep(link)
            return
        handle = self._loop.call_later(_DRAIN_SECONDS, link.drop)

        def drained() -> None:
            handle.cancel()
            self._keep(link)

        link.drain(drained)

    def _keep(self, link: Link) -> None:
        if not link.usable or self.closed:
            link.drop()
            return
        link.release()
        link.idle_since = self._loop.time()
        self._idle.append(link)
        if self._sweeper is None:
            self._sweeper = self._loop.call_later(self._idle_seconds, self._sweep)

    def _sweep(self) -> None:
        """Closes what has been free for long: the front of the list."""
        self._sweeper = None
        idle, now = self._idle, self._loop.time()
        fresh = 0
        while fresh < len(idle) and now - idle[fresh].idle_since >= self._idle_seconds:
            idle[fresh].drop()
            fresh += 1
        del idle[:fresh]
        if idle:
            left = idle[0].idle_since + self._idle_seconds - now
            self._sweeper = self._loop.call_later(left, self._sweep)

    def forget(self, link: Link) -> None:
        """Is told of a connection that is closed."""
        self._links.discard(link)
        if link in self._idle:
            self._idle.remove(link)
        if self._emptied is not None and not self._links and not self._emptied.done():
            self._emptied.set_result(None)

    async def close(self) -> None:
        """Closes every connection, also those in use."""
        self.closed = True
        if self._sweeper is not None:
            self._sweeper.cancel()
            self._sweeper = None
        for link in self._links:
            link.drop()
        if self._links:
            self._emptied = self._loop.create_future()
            await self._emptied
