"""What there is of interactions: get, follow, wait for, list."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec

from interplay.contracts.store import TERMINAL, Filter, Store, StoredInteraction
from interplay.interactions import resource
from interplay.interactions.changes import Changes
from interplay.interactions.failures import Rejected, invalid, not_found
from interplay.interactions.fold import Fold
from interplay.interactions.followed import Followed
from interplay.interactions.frames import framed, frames_of
from interplay.interactions.ids import event_sequence, first_id, root_of
from interplay.interactions.journal import Journal
from interplay.interactions.media import Media
from interplay.interactions.runner import Runner
from interplay.wire.events import Event
from interplay.wire.usage import Usage

_encode = msgspec.json.Encoder().encode
_decode_event = msgspec.json.Decoder(Event).decode


class Reading:
    """Reads interactions wherever they run: in this process, in another, or no more."""

    def __init__(self, store: Store, media: Media, runner: Runner, changes: Changes) -> None:
        self._store, self._media = store, media
        self._runner, self._changes = runner, changes
        self._followed: dict[str, Followed] = {}

    async def stored(self, id: str, owner: str) -> StoredInteraction:
        """Its row. Raises Rejected when it is not there, or another's."""
        stored = await self._store.get(id)
        if stored is None or stored.owner != owner:
            raise not_found(id)
        return stored

    async def get(self, id: str, owner: str) -> tuple[bytes, bytes]:
        """The interaction with its whole timeline, the input first; and the JSON of the input's
        steps alone. Raises Rejected."""
        running = self._runner.live.get(id)
        if running is not None and self._store.shared and await self._is_elsewhere(running.journal):
            running = None
        if running is not None and running.admitted.owner == owner:
            input = _encode(running.admitted.input)
            return resource.of_journal(running.journal, input=input), input
        stored = await self.stored(id, owner)
        made = stored.steps
        if made is None:
            made = await self._written(id)
            if made is None:  # it may have ended between the two reads
                stored = await self.stored(id, owner)
                made = stored.steps
        made = await self._media.json(made or b"[]")
        input = await self._media.json(stored.input)
        return resource.of_stored(stored, made, input), input

    async def _written(self, id: str) -> bytes | None:
        """The steps of one that runs elsewhere, as far as they are written; None when there is no
        event."""
        events = await self._store.events(id)
        fold = Fold()
        for data in events:
            fold.apply(_decode_event(data))
        return _encode(fold.steps) if events else None

    async def answer(self, stored: StoredInteraction) -> bytes:
        """What create answers for an interaction that is there already."""
        made = None
        if stored.steps is not None:
            made = await self._media.json(stored.steps)
        return resource.of_stored(stored, made, None)

    async def ended(self, id: str, owner: str, seconds: float | None = None) -> StoredInteraction:
        """Waits until an interaction has ended, wherever it runs; answers its row then. Raises
        Rejected when it is not there, TimeoutError when that takes longer."""
        async with asyncio.timeout(seconds):
            while True:
                running = self._runner.live.get(id)
                if running is not None and running.admitted.owner == owner:
                    await running.journal.wait_end()
                stored = await self.stored(id, owner)
                if stored.status in TERMINAL:
                    return stored
                await self._follow(stored, stored.last + 1).wait_end()

    async def follow(
        self, id: str, owner: str, last_event_id: str | None
    ) -> tuple[Journal | Followed | list[bytes], int]:
        """The frames of an interaction, live, followed or made again, and the one to begin with."""
        after = -1
        if last_event_id is not None:
            sequence = event_sequence(id, last_event_id)
            if sequence is None:
                raise self._no_such_event(last_event_id)
            after = sequence
        running = self._runner.live.get(id)
        if running is not None and running.admitted.owner == owner:
            journal = running.journal
            if after >= journal.count and not await self._is_elsewhere(journal):
                raise self._no_such_event(last_event_id or "")
            if journal.observe() and not journal.lost:
                return journal, after + 1
            await journal.wait_end()
        stored = await self.stored(id, owner)
        if stored.status not in TERMINAL:
            # What a foreground run has shown may not be stored yet, so `last` is no bound for it.
            if stored.background and after > stored.last:
                raise self._no_such_event(last_event_id or "")
            return self._follow(stored, after + 1), after + 1
        frames = await self.replayed(stored)
        if after >= len(frames):
            if not _may_have_shown_more(stored):
                raise self._no_such_event(last_event_id or "")
            after = len(frames) - 2  # a crash took what the client saw last; the end still stands
        return frames, after + 1

    async def _is_elsewhere(self, journal: Journal) -> bool:
        """Whether another process has it by now: this one slept, and has not noticed yet."""
        stored = await self._store.get(journal.row.id)
        if stored is None or stored.epoch == journal.epoch:
            return False
        journal.lose()
        return True

    def _follow(self, stored: StoredInteraction, start: int) -> Followed:
        followed = self._followed.get(stored.id)
        if followed is None:
            followed = self._followed[stored.id] = Followed(
                stored,
                # Everything before it must be in the store, for readers who begin earlier.
                min(start, stored.last + 1),
                self._store,
                self._changes,
                self.replayed,
                lambda id: self._followed.pop(id, None) and None,
            )
        return followed

    async def replayed(self, stored: StoredInteraction) -> list[bytes]:
        """Every frame of an interaction that has ended."""
        steps = await self._media.steps(stored.steps or b"[]")
        usage = msgspec.json.decode(stored.usage, type=Usage) if stored.usage else None
        return frames_of(stored, steps, usage)

    async def frames_from(self, id: str, position: int) -> list[bytes]:
        """The frames from an event on, from the store, whether the interaction has ended or not;
        none when it is not there."""
        for _ in range(2):  # it may end between the two reads
            stored = await self._store.get(id)
            if stored is None:
                return []
            if stored.steps is not None:
                frames = await self.replayed(stored)
                more = position > len(frames) and _may_have_shown_more(stored)
                return frames[-1:] if more else frames[position:]
            events = await self._store.events(id, position - 1)
            if events:
                return [framed(data) for data in events]
        return []

    @staticmethod
    def _no_such_event(event_id: str) -> Rejected:
        return invalid(
            f"The interaction has no event '{event_id[:80]}'; give the event_id of one of its own"
            " events, or leave it out to start from the first",
            "last_event_id",
        )

    async def list(
        self, owner: str, filter: Filter, size: int, before: int | None
    ) -> dict[str, Any]:
        """A page of the owner's interactions, newest first; `before` is where the last page said
        that the next begins."""
        if filter.root is not None:  # any interaction of the conversation tells which it is
            root = root_of(filter.root)
            filter.root = first_id(root) if root is not None else filter.root
        rows, following = await self._store.list(owner, filter, size=size, before=before)
        page: dict[str, Any] = {
            "interactions": [resource.listed(row) for row in rows],
            "interaction_metadatas": [{"id": row.id} for row in rows],
        }
        if following is not None:
            page["next_page_token"] = str(following)
        return page


def _may_have_shown_more(stored: StoredInteraction) -> bool:
    """Whether a reader may have seen events that were never stored: those of a foreground stream
    whose process was gone before its next commit."""
    return not stored.background and (stored.status == "cancelled" or b'"aborted"' in stored.errors)
