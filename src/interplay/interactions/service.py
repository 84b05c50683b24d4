"""The interactions service: create, get, follow, cancel, delete, list."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import msgspec

from interplay.contracts.failure import Failure
from interplay.contracts.store import (
    TERMINAL,
    Fenced,
    Filter,
    Gone,
    NewInteraction,
    Store,
    StoredInteraction,
    StoreFull,
)
from interplay.interactions import resource, terminal
from interplay.interactions.admit import Admitted, admit, behind, check_fields
from interplay.interactions.failures import GenerationFault, Rejected, invalid, not_found
from interplay.interactions.frames import framed, frames_of
from interplay.interactions.history import History
from interplay.interactions.ids import event_sequence, first_id, new_interaction_id, root_of
from interplay.interactions.journal import Durability, Journal
from interplay.interactions.media import Media, media_in
from interplay.interactions.retries import Retries, conflict
from interplay.interactions.roster import Roster
from interplay.interactions.runner import PATIENCE, Runner, Running
from interplay.settings import Settings
from interplay.wire.errors import HTTP_STATUS
from interplay.wire.interaction import CreateInteraction
from interplay.wire.steps import Step
from interplay.wire.usage import Usage

_encode = msgspec.json.Encoder().encode


class Request(msgspec.Struct, kw_only=True):
    """A create request with what came around its body."""

    asked: CreateInteraction
    owner: str
    fingerprint: str
    key: str | None = None
    """Its Idempotency-Key."""
    waits: bool = False
    """The caller awaits `Service.wait` at once, so that its own task may do the work."""
    left: Callable[[], bool] = lambda: False
    """Whether the client has gone away."""


class Service:
    """One door for HTTP, triggers and tests."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        media: Media,
        roster: Roster,
        history: History,
        runner: Runner,
        retries: Retries,
    ) -> None:
        self._settings, self._store, self._media = settings, store, media
        self._roster, self._history = roster, history
        self._runner, self._retries = runner, retries
        self._full = Rejected(
            "service_unavailable",
            "The disk is full: nothing can be stored. Free space under data_dir, or send"
            " store=false.",
            retry_after=30,
        )

    async def create(self, request: Request) -> Running | StoredInteraction:
        """Starts an interaction, or finds the one this request already made. Raises Rejected."""
        if request.key is None:
            return await self._earlier(request) or await self._create(request)
        # The same key may arrive twice at once: the second waits until the first has a run.
        async with self._retries.turn(request.owner, request.key):
            return await self._earlier(request) or await self._create(request)

    async def _create(self, request: Request) -> Running | StoredInteraction:
        asked, owner = request.asked, request.owner
        check_fields(asked)
        background = behind(asked)
        self._runner.reserve(owner, background=background)
        try:
            running = await self._begin(request)
        finally:
            self._runner.unreserve(owner, background=background)
        self._retries.note(owner, request.key, request.fingerprint, running, request.left)
        return running

    async def _begin(self, request: Request) -> Running:
        asked, owner = request.asked, request.owner
        history: list[Step] = []
        if asked.previous_interaction_id is not None:
            history = await self._history_of(asked.previous_interaction_id, owner)
        limits = self._settings.limits
        admitted = await admit(asked, owner, history, self._roster, limits)
        try:
            running = Running(await self._journal(admitted, request), admitted)
            await running.journal.begin()
        except StoreFull as error:
            raise self._full from error
        except Gone as error:
            raise not_found(asked.previous_interaction_id or "") from error
        if admitted.model is not None and not self._roster.is_open(admitted.model):
            await self._roster.open(admitted.model)  # from now on it tells what it is doing
        journal = running.journal
        journal.append(terminal.created(journal.row, journal.row.status))
        self._runner.start(running, here=request.waits and not admitted.background)
        return running

    async def wait(self, running: Running) -> None:
        """Returns when an interaction has ended; runs it, when nobody else does."""
        if running.task is None and not running.admitted.background:
            await self._runner.carry(running)
        await running.journal.wait_end()

    async def _earlier(self, request: Request) -> Running | StoredInteraction | None:
        owner, key, print_ = request.owner, request.key, request.fingerprint
        running = self._retries.find(owner, key, print_)
        if running is not None:
            running.journal.observe()
            return running
        if key is None:
            return None
        stored = await self._store.find_key(owner, key)
        if stored is None:
            return None
        if stored.fingerprint != print_:
            raise conflict(key)
        return stored if stored.status in TERMINAL else self._taken_up(stored)

    def _taken_up(self, stored: StoredInteraction) -> Running:
        """The run of an unfinished interaction of an earlier process."""
        running = self._runner.live.get(stored.id)
        if running is None:
            raise Rejected(
                "service_unavailable",
                f"The interaction '{stored.id}' is between two runs; try again.",
                retry_after=1,
            )
        running.journal.observe()
        return running

    async def _history_of(self, parent: str, owner: str) -> list[Step]:
        if self._history.owner(parent) != owner:
            if parent in self._runner.live and self._runner.live[parent].admitted.owner == owner:
                raise self._unfinished(parent)
            stored = await self._store.get(parent)
            if stored is None or stored.owner != owner:
                raise not_found(parent)
            if stored.status not in TERMINAL:
                raise self._unfinished(parent)
        return await self._history.until(parent, owner)

    @staticmethod
    def _unfinished(parent: str) -> Rejected:
        return invalid(
            f"The interaction '{parent}' has not ended yet; wait until its status is final, then"
            " chain onto it",
            "previous_interaction_id",
        )

    async def _journal(self, admitted: Admitted, request: Request) -> Journal:
        asked, now = admitted.asked, time.time()
        parent = asked.previous_interaction_id
        id, root = new_interaction_id(now, root_of(parent) if parent else None)
        root = first_id(root) if parent else id
        if asked.store is False:
            durability = Durability.NEVER
        elif admitted.background:
            durability = Durability.FIRST
        else:
            durability = Durability.BEHIND if asked.stream else Durability.AT_END
        input, blobs = await self._kept_input(admitted, durability)
        asked.input = None
        days = self._settings.retention_days
        waits = admitted.background and self._runner.must_queue()
        row = NewInteraction(
            id=id,
            owner=admitted.owner,
            root=root,
            parent=parent,
            status="queued" if waits else "in_progress",
            model=asked.model,
            agent=asked.agent,
            background=admitted.background,
            created=now,
            expires=now + days * 86_400 if days > 0 else None,
            labels=asked.labels or {},
            request=_encode(asked),
            input=input,
            blobs=blobs,
            idempotency_key=request.key,
            fingerprint=request.fingerprint if request.key is not None else None,
        )
        limit = self._settings.limits.output_bytes
        return Journal(row, self._store, self._media, durability, output_bytes=limit)

    async def _kept_input(
        self, admitted: Admitted, durability: Durability
    ) -> tuple[bytes, list[str]]:
        if durability is Durability.NEVER or (
            len(admitted.input) == 1 and not _has_media(admitted)
        ):
            return _encode(admitted.input), []
        return await self._media.keep(admitted.input)

    def waited(self, running: Running) -> bytes:
        """The answer to a caller who waited for the end. Raises Rejected when the run failed for
        a reason that is not the model's output."""
        journal, error = running.journal, running.error
        if journal.failure is not None:
            raise self._full
        if journal.lost:
            raise Rejected(
                "aborted",
                "This interaction was ended, deleted or broken off by something else than its own"
                f" run; GET it to see what there is of it ('{journal.row.id}').",
            )
        if error is not None and (error.code in HTTP_STATUS or isinstance(error, Failure)):
            retry = None if isinstance(error, GenerationFault) else error.retry_after
            raise Rejected(error.code, error.message, retry_after=retry)
        return resource.of_journal(journal)

    async def get(self, id: str, owner: str) -> tuple[bytes, bytes]:
        """The interaction with its whole timeline, the input first; and the JSON of the input's
        steps alone. Raises Rejected."""
        running = self._runner.live.get(id)
        if running is not None and running.admitted.owner == owner:
            input = _encode(running.admitted.input)
            return resource.of_journal(running.journal, input=input), input
        stored = await self._stored(id, owner)
        made = await self._media.json(stored.steps if stored.steps is not None else b"[]")
        input = await self._media.json(stored.input)
        return resource.of_stored(stored, made, input), input

    async def answer(self, stored: StoredInteraction) -> bytes:
        """What create answered for an interaction that has ended since."""
        return resource.of_stored(stored, await self._media.json(stored.steps or b"[]"), None)

    async def _stored(self, id: str, owner: str) -> StoredInteraction:
        stored = await self._store.get(id)
        if stored is None or stored.owner != owner:
            raise not_found(id)
        return stored

    async def follow(
        self, id: str, owner: str, last_event_id: str | None
    ) -> tuple[Journal | list[bytes], int]:
        """The frames of an interaction, live or made again, and the one to begin with."""
        after = -1
        if last_event_id is not None:
            sequence = event_sequence(id, last_event_id)
            if sequence is None:
                raise self._no_such_event(last_event_id)
            after = sequence
        running = self._runner.live.get(id)
        if running is not None and running.admitted.owner == owner:
            if running.journal.observe():
                if after >= running.journal.count:
                    raise self._no_such_event(last_event_id or "")
                return running.journal, after + 1
            await running.journal.wait_end()
        stored = await self._stored(id, owner)
        if stored.status not in TERMINAL:
            return self._taken_up(stored).journal, after + 1
        frames = await self.replayed(stored)
        if after >= len(frames):
            if b'"aborted"' not in stored.errors:
                raise self._no_such_event(last_event_id or "")
            after = len(frames) - 2  # a crash took what the client saw last; the end still stands
        return frames, after + 1

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
                return (await self.replayed(stored))[position:]
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

    async def cancel(self, id: str, owner: str) -> bytes:
        """Ends a running interaction as `cancelled`; one that has ended stays as it is. Answers
        the interaction without steps, always."""
        running = self._runner.live.get(id)
        if running is not None and running.admitted.owner == owner:
            await self._stop(running)
            return resource.of_journal(running.journal, steps=False)
        stored = await self._stored(id, owner)
        if stored.status not in TERMINAL:
            stored = await self._cancel_abandoned(stored)
        return resource.of_stored(stored, None, None)

    async def _stop(self, running: Running) -> None:
        try:
            await self._runner.cancel(running)
        except StoreFull as error:
            raise self._full from error

    async def _cancel_abandoned(self, stored: StoredInteraction) -> StoredInteraction:
        """One that nobody runs: claimed, and ended here."""
        try:
            claimed = await self._store.claim(stored.id)
            events = await self._store.events(stored.id)
            journal = Journal.reopened(
                self.row_of(claimed), claimed, events, store=self._store, media=self._media
            )
            async with asyncio.timeout(PATIENCE):
                await journal.end("cancelled")
        except TimeoutError as error:  # on a full disk the end would wait for space
            raise self._full from error
        except Fenced:
            pass  # it ended, or someone took it up, in between
        except Gone as error:
            raise not_found(stored.id) from error
        return await self._store.get(stored.id) or stored

    @staticmethod
    def row_of(stored: StoredInteraction) -> NewInteraction:
        """The row as it was created, for a journal that is taken up again."""
        shared = set(NewInteraction.__struct_fields__) & set(StoredInteraction.__struct_fields__)
        return NewInteraction(**{name: getattr(stored, name) for name in shared})

    async def delete(self, id: str, owner: str) -> None:
        """Removes every trace of an interaction, stopping it first if it runs. Raises Rejected."""
        running = self._runner.live.get(id)
        if running is not None and running.admitted.owner == owner:
            await self._stop(running)
            if running.journal.durability is Durability.NEVER:
                self._retries.forget(id)
                return
        else:
            await self._stored(id, owner)
        try:
            orphans = await self._store.delete(id)
        except Gone as error:
            raise not_found(id) from error
        self._history.clear()
        self._retries.forget(id)
        await self._media.forget(orphans)

    async def list(
        self, owner: str, filter: Filter, size: int, token: str | None
    ) -> dict[str, Any]:
        """A page of the owner's interactions, newest first."""
        if token is not None and not (token.isascii() and token.isdigit() and len(token) < 18):
            raise invalid("The page token is not one of this list's", "page_token")
        before = int(token) if token is not None else None
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


def _has_media(admitted: Admitted) -> bool:
    return next(media_in(admitted.input), None) is not None
