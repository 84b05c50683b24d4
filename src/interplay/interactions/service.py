"""The interactions service: create, get, follow, cancel, delete, list."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress

import msgspec

from interplay.contracts.dispatcher import Dispatcher
from interplay.contracts.failpoint import reached
from interplay.contracts.failure import Failure
from interplay.contracts.records import Record
from interplay.contracts.store import (
    TERMINAL,
    Fenced,
    Gone,
    NewInteraction,
    Store,
    StoredInteraction,
    StoreFull,
    StoreUnavailable,
)
from interplay.interactions import resource, terminal
from interplay.interactions.admit import Admitted, admit, behind, check_fields
from interplay.interactions.failures import (
    GenerationFault,
    Rejected,
    invalid,
    not_found,
    unavailable,
)
from interplay.interactions.history import History
from interplay.interactions.ids import first_id, new_interaction_id, root_of
from interplay.interactions.journal import Durability, Journal
from interplay.interactions.journals import Journals
from interplay.interactions.media import Media, media_in
from interplay.interactions.reading import Reading
from interplay.interactions.references import References
from interplay.interactions.retries import Retries, conflict
from interplay.interactions.roster import Roster
from interplay.interactions.runner import CANCEL, PATIENCE, RUN, Runner, Running
from interplay.settings import Settings
from interplay.wire.errors import HTTP_STATUS
from interplay.wire.interaction import CreateInteraction
from interplay.wire.steps import Step

log = logging.getLogger("interplay.service")

_encode = msgspec.json.Encoder().encode
_CANCELS = 5
"""How often a cancel meets somebody who takes the run up at the same moment before it gives up."""


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
        journals: Journals,
        reading: Reading,
        dispatcher: Dispatcher,
        references: References,
    ) -> None:
        self._references = references
        self._settings, self._store, self._media = settings, store, media
        self._roster, self._history = roster, history
        self._runner, self._retries = runner, retries
        self._journals, self._reading = journals, reading
        self._dispatcher = dispatcher

    async def create(self, request: Request) -> Running | StoredInteraction:
        """Starts an interaction, or finds the one this request already made. Raises Rejected."""
        if request.key is None:
            return await self._earlier(request) or await self._create(request)
        # The same key may arrive twice at once: the second waits until the first has a run.
        async with self._retries.turn(request.owner, request.key):
            try:
                return await self._earlier(request) or await self._create(request)
            except KeyError:  # it arrived at another process too
                earlier = await self._earlier(request)
                if earlier is None:
                    raise
                return earlier

    async def _create(self, request: Request) -> Running | StoredInteraction:
        asked, owner = request.asked, request.owner
        check_fields(asked, self._settings)
        background = behind(asked)
        placed = await self._runner.reserve(owner, background=background)
        begun = False
        try:
            running = await self._begin(request, placed)
            begun = True
        finally:
            self._runner.unreserve(owner, background=background, placed=placed, begun=begun)
        self._retries.note(owner, request.key, request.fingerprint, running, request.left)
        return running

    async def _begin(self, request: Request, placed: bool) -> Running:
        asked, owner = request.asked, request.owner
        history: list[Step] = []
        if asked.previous_interaction_id is not None:
            history = await self._history_of(asked.previous_interaction_id, owner)
        limits = self._settings.limits
        admitted = await admit(asked, owner, history, self._roster, limits, self._references)
        running = Running(await self._journal(admitted, request, placed), admitted)
        journal = running.journal
        try:
            await journal.begin(visible=self._store.shared)
        except StoreUnavailable as error:
            raise unavailable(error) from error
        except Gone as error:
            raise not_found(asked.previous_interaction_id or "") from error
        if admitted.model is not None and not self._roster.is_open(admitted.model):
            await self._roster.open(admitted.model)  # from now on it tells what it is doing
        journal.append(terminal.created(journal.row, journal.row.status))
        if admitted.background and not placed:
            await self._hand_over(running)
        else:
            self._runner.start(running, here=request.waits and not admitted.background)
        return running

    async def _hand_over(self, running: Running) -> None:
        try:
            await self._runner.hand_over(running)
        except StoreUnavailable as error:
            # It is stored, and found by whoever looks for what is nobody's.
            log.warning("handed over later: %s", error)

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
        running = self._runner.live.get(stored.id)
        if running is not None:
            running.journal.observe()
        return running or stored

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

    async def _journal(self, admitted: Admitted, request: Request, placed: bool) -> Journal:
        asked, now = admitted.asked, terminal.now()
        parent = asked.previous_interaction_id
        id, root = new_interaction_id(now, root_of(parent) if parent else None)
        root = first_id(root) if parent else id
        if asked.store is False:
            durability = Durability.NEVER
        elif admitted.background:
            durability = Durability.FIRST
        elif asked.stream or (request.key is not None and self._store.shared):
            durability = Durability.BEHIND
        else:
            durability = Durability.AT_END
        if durability is Durability.NEVER or not _has_media(admitted):
            input, blobs = _encode(admitted.input), list[str]()
        else:
            input, blobs = await self._media.keep(admitted.input)
        asked.input = None
        days = self._settings.retention_days
        waits = admitted.background and not placed
        at_end = durability is Durability.AT_END  # nobody sees its row before that
        row = NewInteraction(
            id=id,
            owner=admitted.owner,
            root=root,
            parent=parent,
            status="queued" if waits else "in_progress",
            model=asked.model,
            agent=asked.agent,
            background=admitted.background,
            worker="" if waits or at_end else self._runner.executor,
            created=now,
            expires=now + days * 86_400 if days > 0 else None,
            labels=asked.labels or {},
            request=_encode(asked),
            input=input,
            blobs=blobs,
            idempotency_key=request.key,
            fingerprint=request.fingerprint if request.key is not None else None,
        )
        return self._journals.new(row, durability)

    def waited(self, running: Running) -> bytes:
        """The answer to a caller who waited for the end. Raises Rejected when the run failed for
        a reason that is not the model's output."""
        journal, error = running.journal, running.error
        if journal.failure is not None:
            raise unavailable(journal.failure)
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

    async def cancel(self, id: str, owner: str) -> bytes:
        """Ends a running interaction as `cancelled`; one that has ended stays as it is. Answers
        the interaction without steps, always."""
        for _ in range(_CANCELS):
            running = self._runner.live.get(id)
            if running is not None and running.admitted.owner == owner:
                await self._stop(running)
                if not running.journal.lost:
                    return resource.of_journal(running.journal, steps=False)
            stored = await self._reading.stored(id, owner)
            if stored.status not in TERMINAL:
                stored = await self._ask_to_cancel(stored) or await self._cancel_elsewhere(stored)
            if stored.status in TERMINAL:
                return resource.of_stored(stored, None, None)
        raise Rejected(
            "service_unavailable",
            "The interaction is being taken up by another process; cancel it again.",
            retry_after=1,
        )

    async def _stop(self, running: Running) -> None:
        try:
            await self._runner.cancel(running)
        except StoreUnavailable as error:
            raise unavailable(error) from error

    async def _ask_to_cancel(self, stored: StoredInteraction) -> StoredInteraction | None:
        """A foreground stream may have shown more than is stored: the process that runs it is
        asked to end it. None when it does not, or is not there any more."""
        if stored.background or not self._store.shared:
            return None
        if await self._dispatcher.dead({stored.worker}):
            return None
        now = terminal.now()
        asked = Record(
            kind=CANCEL, id=stored.id, due=now, expires=now + 60, created=now, updated=now, doc=b""
        )
        try:
            with suppress(KeyError):  # asked already
                await self._store.records.add(asked)
            return await self._reading.ended(stored.id, stored.owner, PATIENCE)
        except TimeoutError:
            return None

    async def _cancel_elsewhere(self, stored: StoredInteraction) -> StoredInteraction:
        """One that another process runs, or nobody yet: claimed, and ended here. Whoever runs it
        is fenced from that on."""
        try:
            claimed = await self._store.claim(stored.id)
            reached("cancelling")
            events = await self._store.events(stored.id)
            journal = self._journals.reopened(claimed, events)
            async with asyncio.timeout(PATIENCE):
                await journal.end("cancelled")
            overtaken = self._runner.live.get(stored.id)
            if overtaken is not None and overtaken.journal.epoch < claimed.epoch:
                overtaken.journal.lose()  # taken up here meanwhile; it need not find out itself
        except TimeoutError as error:  # on a full disk the end would wait for space
            full = StoreFull("The end of the interaction waits for space.")
            raise unavailable(full) from error
        except Fenced:
            pass  # it ended, or someone took it up, in between
        except Gone as error:
            raise not_found(stored.id) from error
        with suppress(StoreUnavailable):  # its job would find it ended
            await self._dispatcher.cancel(RUN, stored.id)
        return await self._store.get(stored.id) or stored

    async def delete(self, id: str, owner: str) -> None:
        """Removes every trace of an interaction, stopping it first if it runs. Raises Rejected."""
        running = self._runner.live.get(id)
        if running is not None and running.admitted.owner == owner:
            await self._stop(running)
            if running.journal.durability is Durability.NEVER:
                self._retries.forget(id)
                return
        else:
            stored = await self._reading.stored(id, owner)
            if stored.status not in TERMINAL and not await self._ask_to_cancel(stored):
                await self._cancel_elsewhere(stored)
        try:
            orphans = await self._store.delete(id)
        except Gone as error:
            raise not_found(id) from error
        if self._journals.outbox is not None:
            await self._journals.outbox.forget(id)
        self._history.clear()
        self._retries.forget(id)
        await self._media.forget(orphans)


def _has_media(admitted: Admitted) -> bool:
    return next(media_in(admitted.input), None) is not None
