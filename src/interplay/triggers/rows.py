"""What is kept of triggers and their executions: records of the store, read and changed."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from interplay.contracts.records import Record, Records, Stale
from interplay.interactions.terminal import timestamp
from interplay.wire.interaction import CreateInteraction
from interplay.wire.trigger import Trigger, TriggerExecution

TRIGGER, EXECUTION = "trigger", "execution"
"""Kinds of records, and of the jobs about them."""

_TRIES = 100


class KeptTrigger(msgspec.Struct, kw_only=True, omit_defaults=True):
    """The document of a trigger. Its status is the record's state, its next tick the record's
    due. Times are Unix seconds."""

    schedule: str
    time_zone: str
    interaction: CreateInteraction
    timeout: int
    """Seconds one run may take."""
    max_failures: int
    name: str | None = None
    environment_id: str | None = None
    armed: int = 1
    """Counts how often it was scheduled anew; a job of an earlier time ends at once."""
    running: str | None = None
    """The execution that has begun and not ended."""
    failures: int = 0
    """Failures since the last success."""
    last_run: float | None = None
    last_pause: float | None = None
    last_resume: float | None = None
    interaction_id: str | None = None
    """The interaction of the last run."""
    fingerprint: str | None = None
    """Hash of the body it was created with, where that came with a key."""


class KeptExecution(msgspec.Struct, kw_only=True, omit_defaults=True):
    """The document of an execution. Its status is the record's state."""

    scheduled: float
    manual: bool = False
    """Asked for, not by the clock."""
    started: float | None = None
    deadline: float | None = None
    ended: float | None = None
    interaction_id: str | None = None
    environment_id: str | None = None
    late: bool = False
    """It took longer than it may, and is being cancelled for that."""
    error: str | None = None


class TriggerRow(msgspec.Struct):
    """A trigger as it was read."""

    record: Record
    kept: KeptTrigger

    @property
    def id(self) -> str:
        """The trigger's id."""
        return self.record.id

    @property
    def job(self) -> str:
        """The id of the job that fires it."""
        return f"{self.record.id}.{self.kept.armed}"

    def resource(self) -> Trigger:
        """The trigger on the wire."""
        record, kept = self.record, self.kept
        state: Any = record.state
        return Trigger(
            id=record.id,
            schedule=kept.schedule,
            time_zone=kept.time_zone,
            interaction=kept.interaction,
            status=state,
            display_name=kept.name,
            environment_id=kept.environment_id,
            execution_timeout_seconds=kept.timeout,
            max_consecutive_failures=kept.max_failures,
            consecutive_failure_count=kept.failures,
            create_time=_time(record.created),
            update_time=_time(record.updated),
            next_run_time=_time(record.due),
            last_run_time=_time(kept.last_run),
            last_pause_time=_time(kept.last_pause),
            last_resume_time=_time(kept.last_resume),
            previous_interaction_id=kept.interaction_id,
        )


class ExecutionRow(msgspec.Struct):
    """An execution as it was read."""

    record: Record
    kept: KeptExecution

    @property
    def id(self) -> str:
        """The execution's id."""
        return self.record.id

    @property
    def open(self) -> bool:
        """Whether it has not ended yet."""
        return self.record.state == "in_progress"

    def resource(self) -> TriggerExecution:
        """The execution on the wire."""
        record, kept = self.record, self.kept
        state: Any = record.state
        return TriggerExecution(
            id=record.id,
            trigger_id=record.group,
            status=state,
            scheduled_time=_time(kept.scheduled),
            start_time=_time(kept.started),
            end_time=_time(kept.ended),
            interaction_id=kept.interaction_id,
            environment_id=kept.environment_id,
            error=kept.error,
        )


Row = TypeVar("Row", TriggerRow, ExecutionRow)
_DOCUMENTS: dict[type[Any], tuple[str, type[Any]]] = {
    TriggerRow: (TRIGGER, KeptTrigger),
    ExecutionRow: (EXECUTION, KeptExecution),
}


class Rows:
    """Triggers and executions by id. Whatever the store raises goes through."""

    def __init__(
        self, records: Records, clock: Callable[[], float], retention_days: float = 0.0
    ) -> None:
        self.records, self.clock = records, clock
        self._kept_seconds = retention_days * 86_400

    def end(self, row: ExecutionRow, state: str, error: str | None = None) -> None:
        """Makes an execution one that has ended just now; it is yet to be written."""
        now = self.clock()
        row.kept.ended, row.kept.error = now, error
        row.record.state, row.record.due = state, None
        if self._kept_seconds > 0:
            row.record.expires = now + self._kept_seconds

    async def get(self, kind: type[Row], id: str) -> Row | None:
        """A trigger or an execution."""
        record = await self.records.get(_DOCUMENTS[kind][0], id)
        return self.read(kind, record) if record is not None else None

    @staticmethod
    def read(kind: type[Row], record: Record) -> Row:
        """A record as what it is."""
        return kind(record, msgspec.json.decode(record.doc, type=_DOCUMENTS[kind][1]))

    async def add(self, row: TriggerRow | ExecutionRow) -> bool:
        """Adds it; False, and nothing changes, when its id is there."""
        row.record.doc = msgspec.json.encode(row.kept)
        try:
            await self.records.add(row.record)
        except KeyError:
            return False
        return True

    async def put(self, row: Row) -> Row:
        """Writes what was changed in it. Raises Stale."""
        row.record.doc = msgspec.json.encode(row.kept)
        row.record.updated = self.clock()
        row.record = await self.records.replace(row.record)
        return row

    async def change(self, kind: type[Row], id: str, apply: Callable[[Row], bool]) -> Row | None:
        """Reads, applies and writes until no other change came between; `apply` answers whether
        there is anything to write, and must be safe to be applied again. None when it is gone."""
        for _ in range(_TRIES):
            row = await self.get(kind, id)
            if row is None or not apply(row):
                return row
            try:
                return await self.put(row)
            except Stale:
                continue
        raise Stale(f"The {_DOCUMENTS[kind][0]} {id} changes all the time.")


def new_trigger_id(owner: str, key: str | None) -> str:
    """An id; with the Idempotency-Key of its creation always the same."""
    return "trg_" + (_digest("trigger", owner, key) if key is not None else secrets.token_hex(12))


def execution_id(trigger_id: str, tick: float) -> str:
    """The id of the execution of one tick: the same whoever makes it."""
    return "exe_" + _digest("tick", trigger_id, str(round(tick)))


def asked_execution_id(trigger_id: str, key: str | None) -> str:
    """The id of an execution that was asked for."""
    return "exe_" + (
        _digest("asked", trigger_id, key) if key is not None else secrets.token_hex(12)
    )


def _digest(*parts: str) -> str:
    return hashlib.blake2b("\0".join(parts).encode(), digest_size=12).hexdigest()


def _time(seconds: float | None) -> str | None:
    return timestamp(int(seconds)) if seconds is not None else None
