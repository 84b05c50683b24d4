"""The live journal of one interaction: append, publish, commit, end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Protocol

import msgspec

from interplay.contracts.failpoint import reached
from interplay.contracts.store import (
    Ending,
    Fenced,
    Gone,
    NewInteraction,
    Store,
    StoredInteraction,
    StoreUnavailable,
)
from interplay.interactions import replay, terminal
from interplay.interactions.durability import Durability, Ended, OutputLimit
from interplay.interactions.fold import Fold
from interplay.interactions.frames import frame_of, framed, weight
from interplay.interactions.ids import event_prefix
from interplay.interactions.kept import LONGEST_PAUSE, PAUSE, Kept
from interplay.interactions.media import Media
from interplay.interactions.outbox import Outbox
from interplay.wire.errors import Error
from interplay.wire.events import Event, StepDelta, StepStop
from interplay.wire.usage import InteractionStatus, Usage

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Event).decode


_TRIM = 1_024
"""Frames that are committed and that every reader has passed go once there are so many."""


class Reader(Protocol):
    """Someone who follows a journal."""

    position: int
    """The event it needs next."""

    def ready(self) -> None:
        """There are more frames, or this is the end."""
        ...


class Journal:
    """Events of one interaction as server-sent frames, `frames[n]` being event `base + n`.

    Readers keep a position and wait for more. What is committed and was read by every one of
    `readers` is let go; whoever needs it later finds it in the store. Only the run appends;
    `end` may come from anyone and wins once. `lost` means that someone else claimed the
    interaction: what comes next stands in the store alone.
    """

    def __init__(
        self,
        row: NewInteraction,
        store: Store,
        media: Media,
        durability: Durability,
        *,
        flush_seconds: float = 0.25,
        output_bytes: int = 64 * 1024 * 1024,
        outbox: Outbox | None = None,
        news: Callable[[str], None] | None = None,
    ) -> None:
        self.row = row
        self.facts = terminal.request_facts(row)
        self.durability = durability
        self.frames: list[bytes] = []
        self.base = 0
        self.readers: set[Reader] = set()
        self.fold = Fold()
        self.usage: Usage | None = None
        self.ending: Ending | None = None
        self.observed = durability in (Durability.FIRST, Durability.BEHIND)
        self._unframed: list[Event] = []  # what nobody reads is not made into frames
        self.touched = row.created
        self.ended = False
        self.lost = False
        self.failure: StoreUnavailable | None = None
        self.on_lost: Callable[[], None] | None = None
        self.last_words: Callable[[], StepDelta | None] | None = None
        """What the end still adds to the open step, in its own commit."""
        self.kept = Kept(row, store, media, outbox)
        self._news = news
        self._prefix = event_prefix(row.id)
        self._next, self._size, self._limit = 0, 0, output_bytes
        self._waiting: list[asyncio.Future[None]] = []
        self._queue: list[bytes] = []  # framed, not committed yet
        self._closing = False
        self._commits: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._flush_seconds = flush_seconds

    @classmethod
    def reopened(
        cls, row: NewInteraction, claimed: StoredInteraction, events: list[bytes], **made: Any
    ) -> Journal:
        """The journal of an earlier attempt, claimed under a new epoch, with what it committed."""
        journal = cls(row, durability=Durability.FIRST, **made)
        journal.kept.there, journal.kept.epoch = True, claimed.epoch
        for data in events:
            event = _decode(data)
            journal.fold.apply(event)
            journal.frames.append(framed(data, event))
            journal._size += len(data)
        journal._next = journal.kept.committed = len(events)
        if not events:  # it broke off between its row and its first event
            journal.append(terminal.created(row, row.status))
        return journal

    @property
    def store(self) -> Store:
        """Where it is kept."""
        return self.kept.store

    @property
    def epoch(self) -> int:
        """The epoch it is held under."""
        return self.kept.epoch

    @property
    def count(self) -> int:
        """How many events were appended, committed or not."""
        return self._next

    @property
    def conversation(self) -> str:
        """A name of the conversation, the same for all its interactions."""
        return self.row.root

    @property
    def closing(self) -> bool:
        """Its end has begun: it takes no more events."""
        return self._closing

    def observe(self) -> bool:
        """Someone reads the events: a replay will give these very ones. False when the end is
        being stored without them; then only the replay counts."""
        if self.observed:
            return True
        if self._closing and self.durability is not Durability.NEVER:
            return False
        self.observed = True
        for number, event in enumerate(self._unframed):
            event.event_id = f"{self._prefix}{number}"
            self.frames.append(frame_of(event))
        self._unframed = []
        return True

    def append(self, event: Event) -> None:
        """Adds one event and gives it its id. Raises Ended, OutputLimit."""
        if self._closing:
            raise Ended
        if self._size > self._limit:
            raise OutputLimit
        self.fold.apply(event)
        if event.__class__ is not StepDelta:
            self.touched = terminal.now()
        number = self._next
        self._next = number + 1
        if not self.observed:
            self._unframed.append(event)
            self._size += weight(event)
            return
        event.event_id = f"{self._prefix}{number}"
        frame = frame_of(event)
        self._size += len(frame)
        if self.durability is Durability.FIRST:
            self._queue.append(frame)
            if self._commits is None:
                self._commits = asyncio.create_task(self._commit())
            return
        self.frames.append(frame)
        for reader in self.readers:
            reader.ready()
        if self.durability is Durability.BEHIND:
            self._queue.append(frame)
            if self._timer is None and self._commits is None:
                self._timer = asyncio.get_running_loop().call_later(
                    self._flush_seconds, self._flush
                )

    async def wait_end(self) -> None:
        """Returns when the journal has ended and its end is stored."""
        if not self.ended:
            future = asyncio.get_running_loop().create_future()
            self._waiting.append(future)
            await future

    def _tell_end(self) -> None:
        for reader in self.readers:
            reader.ready()
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            if not future.done():
                future.set_result(None)

    async def begin(self, *, visible: bool = False) -> None:
        """Stores the row before anything else, where events are committed first or other
        processes must know of it (`visible`). Raises Gone, KeyError, StoreUnavailable."""
        first = self.durability is Durability.FIRST or (
            visible and self.durability is Durability.BEHIND
        )
        if first and not self.kept.there:
            await self.kept.first()

    def _flush(self) -> None:
        self._timer = None
        if not self._closing and self._commits is None:
            self._commits = asyncio.create_task(self._commit())

    async def _commit(self) -> None:
        """Commits what is queued until nothing is; publishes it where commits come first."""
        delay = PAUSE
        try:
            while self._queue:
                batch: list[bytes] = []
                begins = self.row.status == "queued" and self.count > 1
                try:
                    landed = await self.kept.landed() if self.kept.in_doubt else 0
                    cut = landed or len(self._queue)
                    batch, self._queue = self._queue[:cut], self._queue[cut:]
                    if not landed:
                        await self.kept.append(batch, "in_progress" if begins else None)
                except StoreUnavailable:
                    self._queue = batch + self._queue
                    if self._closing:
                        return
                    # It may take it later; the run's own deadline bounds the wait.
                    await asyncio.sleep(delay)
                    delay = min(delay * 2, LONGEST_PAUSE)
                    continue
                self._committed(batch)
                later = self.durability is not Durability.FIRST
                if later and self._queue and not self._closing:
                    loop = asyncio.get_running_loop()
                    self._timer = loop.call_later(self._flush_seconds, self._flush)
                    return
        except (Fenced, Gone):
            self.lose()
        except BaseException:
            self.lose()  # what this batch held is not stored: nothing may come behind it
            raise
        finally:
            self._commits = None

    def _committed(self, batch: list[bytes]) -> None:
        self._trim()
        if self.durability is Durability.FIRST:
            reached("appended")
            self.frames += batch
            for reader in self.readers:
                reader.ready()
            if self._news is not None:
                self._news(self.row.id)

    def _trim(self) -> None:
        passed = min((reader.position for reader in self.readers), default=self.kept.committed)
        passed = min(passed, self.kept.committed, self.base + len(self.frames))
        if passed - self.base >= _TRIM:
            del self.frames[: passed - self.base]
            self.base = passed

    def lose(self) -> None:
        """Someone else has it now, or nothing more can be kept of it: the run stops."""
        self._closing = self.lost = self.ended = True
        self.kept.arrived()
        self._tell_end()
        if self.on_lost is not None:
            self.on_lost()

    async def settle(self) -> None:
        """Waits until everything appended is committed (or the journal is lost)."""
        while self._commits is not None:
            await asyncio.wait([self._commits])

    async def let_go(self) -> None:
        """Commits what was appended, as far as there is space for it, and takes no more: the
        next server goes on from there."""
        self._closing = True
        if self._timer is not None:
            self._timer.cancel()
        await self.settle()
        if not self.ended:
            self.lose()

    async def hand_over(self) -> None:
        """Commits what was appended and takes no more, for whoever claims it next."""
        await self.settle()
        self._closing = self.ended = True

    async def end(self, status: InteractionStatus, *, errors: list[Error] | None = None) -> bool:
        """Closes the open step, writes the terminal events and the row's end in one commit, then
        publishes them. Whoever comes first decides; the others wait and get False.

        A full disk ends the journal in memory all the same, with `failure` set; where events are
        committed first, it waits for space. When this is cancelled, or the store breaks, the
        journal is lost and nobody waits for it any more.
        """
        if self._closing:
            await self.wait_end()
            return False
        self._closing = True
        try:
            return await self._end(status, errors or [])
        except BaseException:
            self.lose()
            raise

    async def _end(self, status: InteractionStatus, errors: list[Error]) -> bool:
        if self._timer is not None:
            self._timer.cancel()
        await self.settle()
        if self.ended:
            return False
        held: list[bytes] = []
        if self.fold.open is not None:
            if self.last_words is not None and (last := self.last_words()) is not None:
                held.append(self._held(last))
            held.append(self._held(StepStop(len(self.fold.steps))))
        self.touched = now = terminal.now()
        closed, tier = len(held), self.facts.service_tier
        for event in terminal.terminal(self.row, status, now, errors, self.usage, tier):
            held.append(self._held(event))
        await self._store_end(status, now, errors, held, len(held) - closed)
        if not self.lost:
            if self.observed and not self._unframed:
                first = self.durability is Durability.FIRST  # what was not committed was not shown
                self.frames += self._queue + held if first else held
            self.ended = True
            self._tell_end()
            if self._news is not None:
                self._news(self.row.id)
        return not self.lost

    def _held(self, event: Event) -> bytes:
        """The frame of an event that is shown only once it is stored."""
        self.fold.apply(event)
        if not self.observed:
            self._next += 1
            self._unframed.append(event)
            return b""
        event.event_id = f"{self._prefix}{self._next}"
        self._next += 1
        return frame_of(event)

    async def _store_end(
        self,
        status: InteractionStatus,
        now: float,
        errors: list[Error],
        held: list[bytes],
        terminals: int,
    ) -> None:
        plan, last = b"", self._next - 1
        if self.observed:
            plan = msgspec.msgpack.encode(self.fold.plan)
        else:
            last = replay.count(replay.plain_plan(self.fold.steps)) + terminals
        self.ending = Ending(
            status=status,
            updated=now,
            steps=_encode(self.fold.steps),
            replay=plan,
            last=last,
            usage=_encode(self.usage) if self.usage is not None else b"",
            errors=_encode(errors) if errors else b"",
        )
        if self.durability is Durability.NEVER:
            return
        patient = self.durability is Durability.FIRST
        unstored = self._queue + held
        try:
            self.failure = await self.kept.finish(
                self.ending, self.fold, unstored, errors, patient=patient
            )
        except (Fenced, Gone):
            self.lose()
