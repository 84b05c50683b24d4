"""The triggers service: create, get, list, pause and resume, delete, run now, executions."""

from __future__ import annotations

import re
from contextlib import suppress

from interplay.contracts.dispatcher import Dispatcher
from interplay.contracts.records import Record
from interplay.contracts.store import StoreUnavailable
from interplay.interactions.failures import Rejected, invalid
from interplay.interactions.retries import conflict
from interplay.settings import Triggers
from interplay.triggers.checks import Checks
from interplay.triggers.firing import new_execution
from interplay.triggers.rows import (
    EXECUTION,
    TRIGGER,
    ExecutionRow,
    KeptTrigger,
    Rows,
    TriggerRow,
    asked_execution_id,
    new_trigger_id,
)
from interplay.triggers.schedule import schedule
from interplay.wire.trigger import (
    ListTriggerExecutionsResponse,
    ListTriggersResponse,
    Trigger,
    TriggerCreateParams,
    TriggerExecution,
    TriggerUpdate,
)

_TIMEOUT_SECONDS, _MAX_FAILURES = 600, 5
_FILTER = re.compile(r"""\s*(?:status|state)\s*=\s*(["']?)(\w+)\1\s*""")
_STATES = ("active", "paused", "error")


class TriggerService:
    """Triggers of all owners; each sees only its own. Every method may raise StoreUnavailable."""

    def __init__(
        self, rows: Rows, dispatcher: Dispatcher, checks: Checks, settings: Triggers
    ) -> None:
        self._rows, self._dispatcher = rows, dispatcher
        self._checks, self._settings = checks, settings

    async def create(
        self, given: TriggerCreateParams, owner: str, *, key: str | None, fingerprint: str
    ) -> Trigger:
        """Adds a trigger; with an Idempotency-Key that was used before, answers the one it made.
        Raises Rejected."""
        id = new_trigger_id(owner, key)
        earlier = await self._rows.get(TriggerRow, id) if key is not None else None
        if earlier is None:
            await self._checks.check(given, owner)
            await self._room(owner)
            row = self._new(id, given, owner, fingerprint)
            if await self._rows.add(row):
                await self._submit(row)
                return row.resource()
            earlier = await self._rows.get(TriggerRow, id)
        if earlier is None or earlier.kept.fingerprint != fingerprint:
            raise conflict(key or "")
        return earlier.resource()

    async def _room(self, owner: str) -> None:
        if await self._rows.records.count(TRIGGER, owner) >= self._settings.per_key:
            raise Rejected(
                "quota_exceeded",
                f"This key has {self._settings.per_key} triggers (triggers.per_key); delete some.",
            )

    def _new(self, id: str, given: TriggerCreateParams, owner: str, fingerprint: str) -> TriggerRow:
        now = self._rows.clock()
        kept = KeptTrigger(
            schedule=given.schedule,
            time_zone=given.time_zone,
            interaction=given.interaction,
            timeout=given.execution_timeout_seconds or _TIMEOUT_SECONDS,
            max_failures=given.max_consecutive_failures or _MAX_FAILURES,
            name=given.display_name,
            environment_id=given.environment_id,
            fingerprint=fingerprint,
        )
        record = Record(
            kind=TRIGGER,
            id=id,
            owner=owner,
            state="active",
            due=schedule(given.schedule, given.time_zone).after(now),
            created=now,
            updated=now,
            doc=b"",
        )
        return TriggerRow(record, kept)

    async def _submit(self, row: TriggerRow) -> None:
        """Without its job a trigger is found by the sweep, so nothing is lost if this fails."""
        if row.record.due is not None:
            with suppress(StoreUnavailable):
                await self._dispatcher.submit(TRIGGER, row.job, due=row.record.due)

    async def _withdraw(self, row: TriggerRow) -> None:
        """A job that stays ends by itself when its time comes."""
        with suppress(StoreUnavailable):
            await self._dispatcher.cancel(TRIGGER, row.job)

    async def get(self, id: str, owner: str) -> Trigger:
        """One trigger. Raises Rejected."""
        return (await self._row(id, owner)).resource()

    async def _row(self, id: str, owner: str) -> TriggerRow:
        row = await self._rows.get(TriggerRow, id)
        if row is None or row.record.owner != owner:
            raise _not_found(id)
        return row

    async def list(
        self, owner: str, filter: str | None, size: int, before: int | None
    ) -> ListTriggersResponse:
        """A page of the owner's triggers, newest first. Raises Rejected."""
        records, following = await self._rows.records.list(
            TRIGGER, owner, state=_state(filter), size=size, before=before
        )
        return ListTriggersResponse(
            triggers=[self._rows.read(TriggerRow, record).resource() for record in records],
            next_page_token=str(following) if following is not None else None,
        )

    async def update(self, id: str, owner: str, given: TriggerUpdate) -> Trigger:
        """Renames, pauses or resumes. What was due while it was paused is not made up for, and a
        trigger in `error` begins to count anew. Raises Rejected."""
        if given.status == "error":
            raise invalid("The status is set to 'active' or 'paused' only", "status")
        before = await self._row(id, owner)
        now = self._rows.clock()

        def apply(row: TriggerRow) -> bool:
            was = (row.record.state, row.kept.name)
            if given.display_name is not None:
                row.kept.name = given.display_name
            if given.status == "paused" and row.record.state != "paused":
                row.kept.last_pause, row.record.due = now, None
            elif given.status == "active" and row.record.state != "active":
                row.kept.last_resume, row.kept.failures = now, 0
                row.kept.armed += 1
                row.record.due = schedule(row.kept.schedule, row.kept.time_zone).after(now)
            row.record.state = given.status or row.record.state
            return was != (row.record.state, row.kept.name)

        row = await self._rows.change(TriggerRow, id, apply)
        if row is None:
            raise _not_found(id)
        if row.record.state == "active":
            await self._submit(row)
        elif before.record.state == "active":
            await self._withdraw(before)
        return row.resource()

    async def delete(self, id: str, owner: str) -> None:
        """Removes a trigger: nothing begins any more. What runs goes on to its end, and the
        executions stay to be read. Raises Rejected."""
        row = await self._row(id, owner)
        if not await self._rows.records.remove(TRIGGER, id):
            raise _not_found(id)
        await self._withdraw(row)

    async def run(self, id: str, owner: str, *, key: str | None) -> TriggerExecution:
        """Begins an execution now, whatever the trigger's status. Raises Rejected."""
        row, now = await self._row(id, owner), self._rows.clock()
        execution = new_execution(row, asked_execution_id(id, key), now, now, manual=True)
        if not await self._rows.add(execution):
            execution = await self._rows.get(ExecutionRow, execution.id) or execution
        if execution.open:
            with suppress(StoreUnavailable):  # the sweep finds it
                await self._dispatcher.submit(EXECUTION, execution.id)
        return execution.resource()

    async def executions(
        self, id: str, owner: str, size: int, before: int | None
    ) -> ListTriggerExecutionsResponse:
        """A page of a trigger's executions, newest first, also after it was deleted. Raises
        Rejected."""
        records, following = await self._rows.records.list(
            EXECUTION, owner, group=id, size=size, before=before
        )
        if not records:
            await self._there(id, owner, before)
        return ListTriggerExecutionsResponse(
            trigger_executions=[
                self._rows.read(ExecutionRow, record).resource() for record in records
            ],
            next_page_token=str(following) if following is not None else None,
        )

    async def _there(self, id: str, owner: str, before: int | None) -> None:
        """Raises Rejected when there is neither such a trigger nor anything left of it."""
        if before is not None:
            first, _ = await self._rows.records.list(EXECUTION, owner, group=id, size=1)
            if first:
                return
        await self._row(id, owner)


def _state(filter: str | None) -> str | None:
    """`status=active`, also `state` and with quotes or capitals. Raises Rejected."""
    if filter is None or not filter.strip():
        return None
    found = _FILTER.fullmatch(filter)
    state = found[2].lower() if found is not None else ""
    if state not in _STATES:
        raise invalid(
            f"The filter '{filter[:80]}' is not supported. Supported: "
            + ", ".join(f"'status={state}'" for state in _STATES),
            "filter",
        )
    return state


def _not_found(id: str) -> Rejected:
    return Rejected(
        "not_found",
        f"There is no trigger '{id[:80]}': it was never created, was deleted, or belongs to"
        " another key.",
    )
