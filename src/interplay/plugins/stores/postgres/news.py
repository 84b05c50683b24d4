"""What has been committed, told to those who watch, here and in other processes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

import msgspec

from interplay.plugins.stores.postgres.faults import AWAY, pg
from interplay.plugins.stores.postgres.link import Link
from interplay.plugins.stores.postgres.rows import SQL, stored, told

Seen = Callable[[str | None], None]

CHANNEL = "interplay_events"
_PAYLOAD_BYTES = 7_900
"""PostgreSQL takes less than 8,000."""
_UNTOLD = 10_000
"""Of more than this, one says that it may be anyone."""
_ANYONE = "[]"
_SIGN_SECONDS = 5.0
"""A connection that was silent this long is asked whether it is still there."""
_REPLY_SECONDS = 5.0
_FIRST_PAUSE, _LAST_PAUSE = 0.05, 1.0

_ids = msgspec.json.Decoder(list[str])
_log = logging.getLogger("interplay.store")


class News:
    """A connection of its own that listens, and notifies: ids that came while one notification was
    made go together in the next. A notification is no part of the write it tells of; what is lost
    with a connection is made good by None when it is back."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._watching: list[Seen] = []
        self._untold: dict[str, None] = {}
        self._awake = asyncio.Event()
        self._connection: Any = None
        self._keeping: asyncio.Task[None] | None = None

    def watch(self, seen: Seen) -> None:
        """Adds one who wants to know."""
        self._watching.append(seen)

    def tell(self, id: str) -> None:
        """Tells of a commit of this process: those here at once, others soon."""
        self._say([id])
        if self._keeping is not None:
            self._untold[id] = None
            self._awake.set()

    async def open(self) -> None:
        """Begins to listen. Raises StoreUnusable."""
        await self._link.patient(self._connect)
        self._keeping = asyncio.create_task(self._keep())

    async def close(self) -> None:
        """Tells what is untold and stops."""
        task, self._keeping = self._keeping, None
        if task is None:
            return
        task.cancel()
        await asyncio.wait([task])
        if self._connection is not None:
            with suppress(*AWAY, pg.PostgresError):
                async with asyncio.timeout(_REPLY_SECONDS):
                    await self._notify(self._connection)
                    await self._connection.close()
            self._let_go()
        self._watching = []

    async def _connect(self) -> None:
        connection = await pg.connect(
            self._link.url,
            timeout=_REPLY_SECONDS,
            command_timeout=_REPLY_SECONDS,
            server_settings=self._link.settings,
        )
        try:
            await connection.add_listener(CHANNEL, self._heard)
        except BaseException:
            connection.terminate()
            raise
        connection.add_termination_listener(self._ended)
        self._connection = connection

    async def _keep(self) -> None:
        """Until it is cancelled: notifies, and gets the connection back when it breaks."""
        pause = _FIRST_PAUSE
        while True:
            try:
                if self._connection is None:
                    await self._connect()
                    self._say([None])
                    pause = _FIRST_PAUSE
                await self._stay(self._connection)
            except (*AWAY, pg.PostgresError) as error:
                if self._connection is not None:
                    _log.warning("news of other processes are late: %s", error)
                self._let_go()
                await asyncio.sleep(pause)
                pause = min(pause * 2, _LAST_PAUSE)

    async def _stay(self, connection: Any) -> None:
        while True:
            try:
                async with asyncio.timeout(_SIGN_SECONDS):
                    await self._awake.wait()
            except TimeoutError:
                await connection.fetchval("SELECT 1")
            self._awake.clear()
            if connection.is_closed():
                raise ConnectionResetError("the connection that listens was closed")
            await self._notify(connection)

    async def _notify(self, connection: Any) -> None:
        while self._untold:
            ids, self._untold = self._untold, {}
            try:
                await connection.fetch(SQL["tell"], CHANNEL, payloads(ids))
            except BaseException:
                self._untold = {**ids, **self._untold}
                raise

    def _let_go(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.terminate()

    def _ended(self, connection: object) -> None:
        self._awake.set()

    def _heard(self, connection: Any, pid: int, channel: str, payload: object) -> None:
        if pid != connection.get_server_pid():
            self._say([told(id) for id in _ids.decode(str(payload))] or [None])

    def _say(self, ids: Iterable[str | None]) -> None:
        for id in ids:
            for seen in self._watching:
                seen(id)


def payloads(ids: Iterable[str]) -> list[str]:
    """Ids in as few notifications as they fit into; one for anyone where they are too many."""
    made: list[str] = []
    some: list[bytes] = []
    size = 2
    for number, id in enumerate(ids):
        one = msgspec.json.encode(stored(id))
        if number == _UNTOLD or len(one) > _PAYLOAD_BYTES - 2:
            return [_ANYONE]
        if size + len(one) + 1 > _PAYLOAD_BYTES:
            made.append(f"[{b','.join(some).decode()}]")
            some, size = [], 2
        some.append(one)
        size += len(one) + 1
    return [*made, f"[{b','.join(some).decode()}]"] if some else made
