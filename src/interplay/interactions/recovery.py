"""Takes up an interaction where its journal stops: the handler of "run" jobs."""

from __future__ import annotations

import asyncio
import logging

import msgspec

from interplay.contracts.dispatcher import Dispatcher
from interplay.contracts.failpoint import reached
from interplay.contracts.failure import Failure
from interplay.contracts.store import (
    TERMINAL,
    Ending,
    Fenced,
    Gone,
    Store,
    StoredInteraction,
    StoreFull,
)
from interplay.interactions import terminal
from interplay.interactions.admit import Admitted, admit
from interplay.interactions.failures import Rejected
from interplay.interactions.history import History
from interplay.interactions.journal import Journal
from interplay.interactions.journals import Journals
from interplay.interactions.media import Media
from interplay.interactions.references import References
from interplay.interactions.roster import Roster
from interplay.interactions.runner import Runner, Running
from interplay.settings import Limits, SettingsError
from interplay.wire.errors import Error
from interplay.wire.interaction import CreateInteraction
from interplay.wire.steps import Step

log = logging.getLogger("interplay.recovery")

_SECONDS = 2.0
_UNREADABLE = (msgspec.MsgspecError, LookupError, Failure, SettingsError)


class Recovery:
    """Goes on with what nobody runs: handed over when it was created, handed back by a process
    that stopped, or left by one that died."""

    def __init__(
        self,
        store: Store,
        media: Media,
        roster: Roster,
        history: History,
        runner: Runner,
        journals: Journals,
        dispatcher: Dispatcher,
        limits: Limits,
        references: References,
    ) -> None:
        self._references = references
        self._store, self._media, self._roster = store, media, roster
        self._history, self._runner, self._limits = history, runner, limits
        self._journals, self._dispatcher = journals, dispatcher

    async def run(self, id: str) -> float | None:
        """Runs an interaction to its end, unless somebody who is alive does. Raises
        StoreUnavailable when it has to wait for the store; cancelled, it hands the run back."""
        if id in self._runner.live:
            return None
        stored = await self._store.get(id)
        if stored is None or stored.status in TERMINAL:
            return None
        others = {stored.worker} - {"", self._dispatcher.executor}
        if others and not await self._dispatcher.dead(others):
            return None
        try:
            running = await self._take_up(stored)
        except (Fenced, Gone):
            return None  # it ended, went away or was taken by another meanwhile
        except TimeoutError as error:
            raise StoreFull("The end of an interaction waits for space.") from error
        if running is None:
            return None
        if await self._store.lost({id: running.journal.epoch}):
            return None  # it was cancelled or taken while it was being read
        self._runner.start(running)
        try:
            await running.journal.wait_end()
        except asyncio.CancelledError:
            await self._runner.hand_back(running)
            raise
        return None

    async def _take_up(self, stored: StoredInteraction) -> Running | None:
        claimed = await self._store.claim(stored.id, self._dispatcher.executor)
        reached("claimed")
        events = await self._store.events(stored.id)
        try:
            journal = self._journals.reopened(claimed, events)
        except msgspec.MsgspecError as error:
            return await self._end_unread(claimed, f"The events cannot be read: {error}")
        if not claimed.background:
            return await self._end(
                journal, "aborted", "The server stopped before this interaction ended."
            )
        if claimed.attempts > self._limits.run_attempts:
            return await self._end(
                journal, "aborted", f"The run broke off {claimed.attempts - 1} times; given up."
            )
        try:
            running = Running(journal, await self._admit(claimed), job=True)
        except Rejected as rejected:
            return await self._end(journal, rejected.code, rejected.message)
        except _UNREADABLE as error:
            return await self._end(journal, "aborted", f"It cannot be taken up: {error}")
        log.info("taken up", extra={"interaction": stored.id, "events": len(events)})
        return running

    async def _admit(self, claimed: StoredInteraction) -> Admitted:
        asked = msgspec.json.decode(claimed.request, type=CreateInteraction)
        asked.input = await self._media.steps(claimed.input)  # pyright: ignore
        history: list[Step] = []
        if claimed.parent is not None:
            history = await self._history.until(claimed.parent, claimed.owner)
        roster, limits = self._roster, self._limits
        return await admit(asked, claimed.owner, history, roster, limits, self._references)

    async def _end(self, journal: Journal, code: str, message: str) -> None:
        async with asyncio.timeout(_SECONDS):  # on a full disk it would wait for space
            await journal.end("failed", errors=[Error(code, message)])

    async def _end_unread(self, claimed: StoredInteraction, message: str) -> None:
        """Ends one whose events are of no use: without steps."""
        ending = Ending(
            status="failed",
            updated=terminal.now(),
            steps=b"[]",
            last=3,  # created, in_progress, error, completed
            errors=msgspec.json.encode([Error("aborted", message)]),
        )
        await self._store.append(claimed.id, claimed.epoch, claimed.last, [], ending=ending)
