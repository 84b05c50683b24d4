"""At the start of a server: interactions an earlier process left unfinished."""

from __future__ import annotations

import asyncio
import logging
import time

import msgspec

from interplay.contracts.failure import Failure
from interplay.contracts.store import Ending, Fenced, Gone, Store, StoredInteraction, StoreFull
from interplay.interactions.admit import admit
from interplay.interactions.failures import Rejected
from interplay.interactions.history import History
from interplay.interactions.journal import Journal
from interplay.interactions.media import Media
from interplay.interactions.roster import Roster
from interplay.interactions.runner import Runner, Running
from interplay.interactions.service import Service
from interplay.settings import Limits, SettingsError
from interplay.wire.errors import Error
from interplay.wire.interaction import CreateInteraction
from interplay.wire.steps import Step

log = logging.getLogger("interplay.recovery")

_SECONDS = 2.0
_UNREADABLE = (msgspec.MsgspecError, LookupError, Failure, SettingsError)
ATTEMPTS = 5
"""A background run that was taken up this often and never ended is ended as failed."""


class Recovery:
    """Takes up background runs where their journal stops, and ends what cannot go on."""

    def __init__(
        self,
        store: Store,
        media: Media,
        roster: Roster,
        history: History,
        runner: Runner,
        limits: Limits,
    ) -> None:
        self._store, self._media, self._roster = store, media, roster
        self._history, self._runner, self._limits = history, runner, limits
        self.left: list[StoredInteraction] = []
        """What a full disk kept from being taken up."""

    async def run(self) -> int:
        """Takes up everything unfinished; answers how many go on."""
        return await self._all(await self._store.unfinished())

    async def later(self) -> None:
        """Tries what is left again, until nothing is."""
        while self.left:
            await asyncio.sleep(_SECONDS)
            left, self.left = self.left, []
            await self._all(left)

    async def _all(self, unfinished: list[StoredInteraction]) -> int:
        taken = 0
        for stored in unfinished:
            try:
                taken += await self._take_up(stored)
            except (Fenced, Gone):
                continue  # it ended or went away meanwhile
            except (StoreFull, TimeoutError):
                self.left.append(stored)
        if self.left:
            log.warning("disk full: %d unfinished interactions wait", len(self.left))
        return taken

    async def _take_up(self, stored: StoredInteraction) -> bool:
        claimed = await self._store.claim(stored.id)
        events = await self._store.events(stored.id)
        try:
            journal = Journal.reopened(
                Service.row_of(claimed),
                claimed,
                events,
                store=self._store,
                media=self._media,
                output_bytes=self._limits.output_bytes,
            )
        except msgspec.MsgspecError as error:
            return await self._end_unread(claimed, f"The events cannot be read: {error}")
        if not claimed.background:
            return await self._end(
                journal, "aborted", "The server stopped before this interaction ended."
            )
        if claimed.attempts > ATTEMPTS:
            return await self._end(
                journal, "aborted", f"The run broke off {claimed.attempts - 1} times; given up."
            )
        try:
            running = Running(journal, await self._admit(claimed))
        except Rejected as rejected:
            return await self._end(journal, rejected.code, rejected.message)
        except _UNREADABLE as error:
            return await self._end(journal, "aborted", f"It cannot be taken up: {error}")
        log.info("taken up", extra={"interaction": stored.id, "events": len(events)})
        self._runner.start(running)
        return True

    async def _admit(self, claimed: StoredInteraction):
        asked = msgspec.json.decode(claimed.request, type=CreateInteraction)
        asked.input = await self._media.steps(claimed.input)  # pyright: ignore
        history: list[Step] = []
        if claimed.parent is not None:
            history = await self._history.until(claimed.parent, claimed.owner)
        return await admit(asked, claimed.owner, history, self._roster, self._limits)

    async def _end(self, journal: Journal, code: str, message: str) -> bool:
        async with asyncio.timeout(_SECONDS):  # on a full disk it would wait for space
            await journal.end("failed", errors=[Error(code, message)])
        return False

    async def _end_unread(self, claimed: StoredInteraction, message: str) -> bool:
        """Ends one whose events are of no use: without steps."""
        ending = Ending(
            status="failed",
            updated=time.time(),
            steps=b"[]",
            last=3,  # created, in_progress, error, completed
            errors=msgspec.json.encode([Error("aborted", message)]),
        )
        await self._store.append(claimed.id, claimed.epoch, claimed.last, [], ending=ending)
        return False
