"""Who is alive: a lock that the database frees when its session ends, and a beat.

Each executor holds an advisory lock on a connection of its own, and its event loop writes a time
now and then. A lock that nobody holds is a process that has ended; one that is held without a
beat, a process that is frozen.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection
from contextlib import suppress
from typing import Any

from interplay.contracts.store import StoreAway
from interplay.plugins.dispatchers.dbos.link import AWAY, SETTINGS, Link, pg
from interplay.plugins.dispatchers.dbos.statements import CHANNEL, SQL, key_of

CONFIRM = 0.4
"""Seconds a lock must have been seen free: a living process takes it again sooner, when only its
connection broke."""
SETTLE = 5.0
"""Seconds in which nobody is taken for dead after the database went away, with everyone's lock."""
REPLY = 5.0
"""Seconds the database may take to answer a beat before its connection is given up."""

_log = logging.getLogger("interplay.dispatch")


class Presence:
    """The sign of life of one executor, and what is seen of the others.

    `news` is called on the event loop with a kind when some process has work of it, and with None
    when such calls may have been missed.
    """

    def __init__(
        self, link: Link, executor: str, silence: float, news: Callable[[str | None], None]
    ) -> None:
        self._link, self._executor, self._silence, self._news = link, executor, silence, news
        self._pause = min(5.0, silence / 6)
        self._connection: Any = None
        self._broken = asyncio.Event()
        self._settled = 0.0
        self._absent: dict[str, float] = {}
        self._untold: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._keeping: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Takes the lock and keeps it from now on. Raises StoreAway."""
        async with asyncio.timeout(self._link.patience):
            try:
                await self._connect()
            except AWAY as error:
                raise StoreAway(f"The database is away: {error}") from error
        age = (await self._link.fetch("age"))[0][0]
        self._settled = asyncio.get_running_loop().time() + max(0.0, SETTLE - age)
        self._keeping = asyncio.create_task(self._keep())

    async def close(self) -> None:
        """This executor counts as dead from now on."""
        tasks = [*self._tasks, *([self._keeping] if self._keeping is not None else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._connection is not None:
            with suppress(StoreAway):
                await self._link.fetch("leave", [self._executor], patience=1.0)
            await self._let_go(1.0)

    @property
    def settled(self) -> bool:
        """Whether a free lock means something just now."""
        return self._connection is not None and (asyncio.get_running_loop().time() >= self._settled)

    @property
    def doubts(self) -> bool:
        """Whether the lock of somebody was seen free, not long enough to take him for dead."""
        return bool(self._absent)

    async def dead(self, executors: Collection[str]) -> set[str]:
        """Those of these that are known to run no more. Raises StoreAway."""
        others = [id for id in executors if id not in ("", self._executor)]
        if not others:
            return set()
        return await self._judged(
            await self._link.fetch("seen_of", others, [key_of(id) for id in others])
        )

    async def gone(self) -> set[str]:
        """Executors that never said good-bye and are dead. Raises StoreAway."""
        rows = await self._link.fetch("seen")
        self._absent = {
            id: since for id, since in self._absent.items() if any(id == row["id"] for row in rows)
        }
        return await self._judged([row for row in rows if row["id"] != self._executor])

    def tell(self, kind: str) -> None:
        """Tells the other processes, soon, that there is work of a kind."""
        self._untold.add(kind)
        if not self._tasks:
            task = asyncio.create_task(self._tell())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _tell(self) -> None:
        while self._untold:
            kinds = list(self._untold)
            self._untold.clear()
            with suppress(StoreAway):  # they look for themselves, a little later
                await self._link.fetch("tell", kinds, patience=1.0)

    async def _judged(self, rows: Collection[Any]) -> set[str]:
        now = asyncio.get_running_loop().time()
        found: set[str] = set()
        frozen: list[int] = []
        for row in rows:
            id, silent = row["id"], row["silent"]
            if row["pid"] is None and not row["listed"]:
                found.add(id)
            elif not self.settled:
                continue
            elif row["pid"] is None:
                if now - self._absent.setdefault(id, now) >= CONFIRM:
                    found.add(id)
            else:
                self._absent.pop(id, None)
                if silent is not None and silent > self._silence:
                    found.add(id)
                    frozen.append(row["pid"])
                    _log.warning("executor %s gave no sign of life for %.1f s", id, silent)
        if frozen:
            await self._link.fetch("terminate", frozen)
        return found

    async def _keep(self) -> None:
        """Beats until it is cancelled; gets the lock back when the connection breaks."""
        while True:
            try:
                if self._connection is None:
                    await self._connect()
                    self._settled = asyncio.get_running_loop().time() + SETTLE
                    self._news(None)
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._pause):
                        await self._broken.wait()
                        raise ConnectionResetError("the session of the lock has ended")
                await self._beat(self._connection)
            except AWAY as error:
                if self._connection is not None:
                    _log.warning("the connection of the lock broke: %s", error)
                await self._let_go(0.0)
                await asyncio.sleep(0.1)
            except pg.PostgresError:
                _log.exception("the lock cannot be kept")
                await self._let_go(0.0)
                await asyncio.sleep(1.0)

    async def _connect(self) -> None:
        connection = await pg.connect(
            self._link.url, timeout=REPLY, command_timeout=REPLY, server_settings=SETTINGS
        )
        try:
            await self._beat(connection)
            key = key_of(self._executor)
            while not await connection.fetchval(SQL["lock"], key):
                # Our own former session: the database has not noticed its end yet.
                await connection.execute(SQL["unseat"], key)
                await asyncio.sleep(0.05)
            await connection.add_listener(CHANNEL, self._heard)
        except BaseException:
            connection.terminate()
            raise
        self._broken.clear()
        connection.add_termination_listener(self._ended)
        self._connection = connection

    async def _beat(self, connection: Any) -> None:
        if connection is not None:
            await connection.execute(SQL["beat"], self._executor, key_of(self._executor))

    async def _let_go(self, patience: float) -> None:
        connection, self._connection = self._connection, None
        if connection is None:
            return
        if patience:
            with suppress(*AWAY):
                await connection.close(timeout=patience)
                return
        connection.terminate()

    def _ended(self, connection: object) -> None:
        if connection is self._connection:
            self._broken.set()

    def _heard(self, connection: object, pid: int, channel: str, payload: object) -> None:
        self._news(str(payload))
