"""One execution from its beginning to its end: the handler of "execution" jobs."""

from __future__ import annotations

import logging

import msgspec

from interplay.contracts.failpoint import reached
from interplay.contracts.records import Stale
from interplay.contracts.store import TERMINAL, Store, StoredInteraction
from interplay.interactions.failures import Rejected
from interplay.interactions.reading import Reading
from interplay.interactions.retries import fingerprint
from interplay.interactions.service import Request, Service
from interplay.triggers.rows import ExecutionRow, KeptTrigger, Rows, TriggerRow
from interplay.wire.environment import Environment
from interplay.wire.errors import Error
from interplay.wire.interaction import CreateInteraction

log = logging.getLogger("interplay.triggers")

HOLD_SECONDS = 10.0
"""A run is watched this long without a break, then looked at from time to time."""
_SHORTEST_PAUSE, _LONGEST_PAUSE = 1.0, 30.0
_TRY_AGAIN = frozenset({"too_many_requests", "service_unavailable"})
"""Refusals that pass by themselves."""


class Runs:
    """Begins executions, follows them, and writes down how they ended.

    Every step is written before the next one and may be done again: the interaction is created
    under a key that is the execution's own, so there is one however often this is called.
    """

    def __init__(
        self,
        rows: Rows,
        store: Store,
        service: Service,
        reading: Reading,
        *,
        hold: float = HOLD_SECONDS,
    ) -> None:
        self._rows, self._store = rows, store
        self._service, self._reading = service, reading
        self._hold = hold

    async def execution(self, id: str) -> float | None:
        """Begins an execution or goes on with it; answers when to look again, None when it has
        ended. Raises StoreUnavailable."""
        row = await self._rows.get(ExecutionRow, id)
        if row is None or not row.open:
            return None
        if row.kept.started is None:
            row = await self._begin(row)
            if row is None or not row.open:
                return None
        if row.kept.interaction_id is None:
            again = await self._create(row)
            if again is not None:
                return again
            row = await self._rows.get(ExecutionRow, id)
            if row is None or not row.open or row.kept.interaction_id is None:
                return None
        return await self._watch(row, row.kept.interaction_id)

    async def _begin(self, row: ExecutionRow) -> ExecutionRow | None:
        """Takes the trigger for this execution, if nothing else of it runs; answers the execution
        as it stands then."""
        while True:
            trigger = await self._rows.get(TriggerRow, row.record.group)
            if trigger is None:
                return await self._skip(row, "The trigger was deleted.")
            if trigger.record.state != "active" and not row.kept.manual:
                return await self._skip(row, f"The trigger's status was {trigger.record.state}.")
            other = await self._other(trigger, row.id)
            if other is not None:
                if not await self._goes_on(other):
                    continue  # its end is counted now
                return await self._skip(row, f"The execution {other.id} was still in progress.")
            now = self._rows.clock()
            trigger.kept.running, trigger.kept.last_run = row.id, now
            try:
                await self._rows.put(trigger)
                break
            except Stale:
                continue
        reached("taken")
        timeout = trigger.kept.timeout

        def begin(row: ExecutionRow) -> bool:
            if not row.open or row.kept.started is not None:
                return False
            row.kept.started, row.kept.deadline = now, now + timeout
            row.kept.environment_id = trigger.kept.environment_id
            row.record.due = now + timeout
            return True

        begun = await self._rows.change(ExecutionRow, row.id, begin)
        if begun is None or not begun.open:
            # It ended while this was held up: what was taken just now is given back.
            await self._let_go(row.record.group, row.id)
        return begun

    async def _other(self, trigger: TriggerRow, id: str) -> ExecutionRow | None:
        """Another execution that has the trigger."""
        running = trigger.kept.running
        if running is None or running == id:
            return None
        other = await self._rows.get(ExecutionRow, running)
        return other if other is not None and other.open else None

    async def _goes_on(self, other: ExecutionRow) -> bool:
        """Whether it really does; the end of one that does not is written down."""
        if other.kept.interaction_id is None:
            return True
        stored = await self._store.get(other.kept.interaction_id)
        if stored is not None and stored.status not in TERMINAL:
            return True
        await self._settle(other, stored)
        return False

    async def _skip(self, row: ExecutionRow, why: str) -> ExecutionRow | None:
        def skip(row: ExecutionRow) -> bool:
            if not row.open or row.kept.started is not None:
                return False
            self._rows.end(row, "skipped", why)
            return True

        return await self._rows.change(ExecutionRow, row.id, skip)

    async def _create(self, row: ExecutionRow) -> float | None:
        """Creates the interaction; answers a time when that is to be tried again then."""
        key, owner = f"trigger/{row.id}", row.record.owner
        trigger = await self._rows.get(TriggerRow, row.record.group)
        if trigger is None:
            found = await self._store.find_key(owner, key)
            if found is None:
                await self._end(row, "failed", "The trigger was deleted.")
            else:
                await self._name(row, found.id)
            return None
        asked = body(trigger.kept, row.kept.environment_id)
        request = Request(asked=asked, owner=owner, fingerprint=fingerprint(key.encode()), key=key)
        try:
            made = await self._service.create(request)
        except Rejected as rejected:
            now = self._rows.clock()
            again = now + (rejected.retry_after or 1.0)
            if rejected.code in _TRY_AGAIN and again < (row.kept.deadline or now):
                return again
            await self._end(row, "failed", f"{rejected.code}: {rejected.message}")
            return None
        reached("begun")
        await self._name(
            row, made.id if isinstance(made, StoredInteraction) else made.journal.row.id
        )
        return None

    async def _name(self, row: ExecutionRow, interaction_id: str) -> None:
        def name(row: ExecutionRow) -> bool:
            if row.kept.interaction_id is not None:
                return False
            row.kept.interaction_id = interaction_id
            return True

        def remember(trigger: TriggerRow) -> bool:
            if trigger.kept.running != row.id or trigger.kept.interaction_id == interaction_id:
                return False
            trigger.kept.interaction_id = interaction_id
            return True

        await self._rows.change(TriggerRow, row.record.group, remember)
        await self._rows.change(ExecutionRow, row.id, name)

    async def _watch(self, row: ExecutionRow, interaction_id: str) -> float | None:
        owner, deadline = row.record.owner, row.kept.deadline or 0.0
        stored = await self._store.get(interaction_id)
        left = deadline - self._rows.clock()
        if stored is not None and stored.status not in TERMINAL and left > 0 and self._hold > 0:
            try:
                stored = await self._reading.ended(interaction_id, owner, min(self._hold, left))
            except TimeoutError:
                pass
            except Rejected:
                stored = None  # deleted meanwhile
        if stored is None or stored.status in TERMINAL:
            await self._settle(row, stored)
            return None
        now = self._rows.clock()
        if now >= deadline:
            await self._stop(row, interaction_id)
            return None
        age = now - (row.kept.started or now)
        return min(deadline, now + max(_SHORTEST_PAUSE, min(age / 10, _LONGEST_PAUSE)))

    async def _stop(self, row: ExecutionRow, interaction_id: str) -> None:
        """Cancels a run that took too long; one that ends first ends as it does."""

        def late(row: ExecutionRow) -> bool:
            changed, row.kept.late = not row.kept.late, True
            return changed

        marked = await self._rows.change(ExecutionRow, row.id, late)
        reached("late")
        try:
            await self._service.cancel(interaction_id, row.record.owner)
        except Rejected as rejected:
            if rejected.code != "not_found":
                raise
        if marked is not None:
            await self._settle(marked, await self._store.get(interaction_id))

    async def _settle(self, row: ExecutionRow, stored: StoredInteraction | None) -> None:
        """Writes down how an interaction ended, None for one that is gone."""
        if stored is None:
            await self._end(row, "failed", "The interaction was deleted before it ended.")
        elif stored.status == "completed":
            await self._end(row, "completed", None, _environment_of(stored))
        elif stored.status == "cancelled" and row.kept.late:
            seconds = (row.kept.deadline or 0.0) - (row.kept.started or 0.0)
            message = f"The run took longer than {seconds:g} s (execution_timeout_seconds)."
            await self._end(row, "timed_out", message, _environment_of(stored))
        else:
            await self._end(row, "failed", _why(stored), _environment_of(stored))

    async def _end(
        self, row: ExecutionRow, state: str, error: str | None, environment_id: str | None = None
    ) -> None:
        # The trigger first: while it names this execution, the end is not counted yet.
        failed = state != "completed"
        await self._let_go(row.record.group, row.id, failed, environment_id)
        reached("counted")

        def end(row: ExecutionRow) -> bool:
            if not row.open:
                return False
            row.kept.environment_id = environment_id or row.kept.environment_id
            self._rows.end(row, state, error)
            return True

        await self._rows.change(ExecutionRow, row.id, end)

    async def _let_go(
        self, id: str, execution: str, failed: bool | None = None, environment_id: str | None = None
    ) -> None:
        """Frees the trigger from an execution that ended, and counts how; None counts nothing."""

        def let_go(trigger: TriggerRow) -> bool:
            kept, record = trigger.kept, trigger.record
            if kept.running != execution:
                return False
            kept.running = None
            kept.environment_id = kept.environment_id or environment_id
            if failed is not None:
                kept.failures = kept.failures + 1 if failed else 0
            if kept.failures >= kept.max_failures and record.state == "active":
                log.warning("trigger %s failed %d times in a row", id, kept.failures)
                record.state, record.due = "error", None
            return True

        await self._rows.change(TriggerRow, id, let_go)


def body(trigger: KeptTrigger, environment_id: str | None) -> CreateInteraction:
    """What one run asks for: the trigger's interaction, in the background, in the environment of
    the runs before."""
    asked = msgspec.convert(msgspec.to_builtins(trigger.interaction), CreateInteraction)
    asked.background = True
    if environment_id is not None:
        asked.environment = environment_id
    return asked


class _Stored(msgspec.Struct):
    environment: str | Environment | None = None


def _environment_of(stored: StoredInteraction) -> str | None:
    """The environment an interaction ran in, where it is known by its id."""
    there = msgspec.json.decode(stored.request, type=_Stored).environment
    return there.environment_id if isinstance(there, Environment) else there


def _why(stored: StoredInteraction) -> str:
    """Why an interaction that ended did not complete."""
    errors = msgspec.json.decode(stored.errors, type=list[Error]) if stored.errors else []
    if errors:
        return f"{errors[0].code}: {errors[0].message}"
    return f"The interaction ended as {stored.status}."
