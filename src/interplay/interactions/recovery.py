"""At the start of a server: interactions an earlier process left unfinished."""

from __future__ import annotations

import logging

import msgspec

from interplay.contracts.store import Fenced, Gone, Store, StoredInteraction
from interplay.interactions.admit import admit
from interplay.interactions.failures import Rejected
from interplay.interactions.history import History
from interplay.interactions.journal import Journal
from interplay.interactions.media import Media
from interplay.interactions.roster import Roster
from interplay.interactions.runner import Runner, Running
from interplay.interactions.service import Service
from interplay.settings import Limits
from interplay.wire.errors import Error
from interplay.wire.interaction import CreateInteraction
from interplay.wire.steps import Step

log = logging.getLogger("interplay.recovery")

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

    async def run(self) -> int:
        """Takes up everything unfinished; answers how many go on."""
        taken = 0
        for stored in await self._store.unfinished():
            try:
                taken += await self._take_up(stored)
            except (Fenced, Gone):
                continue  # it ended or went away meanwhile
        return taken

    async def _take_up(self, stored: StoredInteraction) -> bool:
        claimed = await self._store.claim(stored.id)
        events = await self._store.events(stored.id)
        journal = Journal.reopened(
            Service.row_of(claimed),
            claimed,
            events,
            store=self._store,
            media=self._media,
            output_bytes=self._limits.output_bytes,
        )
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
        await journal.end("failed", errors=[Error(code, message)])
        return False
