"""What happens at a tick: the handler of "trigger" jobs, and the sweep that loses none."""

from __future__ import annotations

import logging
from typing import Literal

from interplay.contracts.dispatcher import Dispatcher
from interplay.contracts.failpoint import reached
from interplay.contracts.records import Record, Stale
from interplay.interactions.failures import Rejected
from interplay.triggers.rows import (
    EXECUTION,
    TRIGGER,
    ExecutionRow,
    KeptExecution,
    Rows,
    TriggerRow,
    execution_id,
)
from interplay.triggers.schedule import Schedule, schedule

log = logging.getLogger("interplay.triggers")

Missed = Literal["once", "skip"]
GRACE_SECONDS = 60.0
"""A tick that is later than this was missed."""
MOST_MISSED = 100
"""So many missed ticks are recorded, the newest ones."""
_OVERDUE_SECONDS = 5.0
_BATCH = 200
_MISSED = "No worker was there at that time."


class Firing:
    """Turns ticks into executions, each once, however many processes look.

    An execution's id comes from its trigger and its tick: whoever comes second finds it there.
    The trigger's record says which tick is next and is changed only as the version it was read
    as, so a process that was held up changes nothing any more.
    """

    def __init__(self, rows: Rows, dispatcher: Dispatcher, missed: Missed = "once") -> None:
        self.rows, self._dispatcher, self._missed = rows, dispatcher, missed

    async def trigger(self, job: str) -> float | None:
        """Fires a trigger whose tick has come; answers when the next one comes. `job` is
        "<trigger id>.<armed>"; None when the trigger was paused, resumed or removed since."""
        id = job.rpartition(".")[0]
        while True:
            row = await self.rows.get(TriggerRow, id)
            if row is None or row.job != job or row.record.state != "active":
                return None
            due, now = row.record.due, self.rows.clock()
            if due is None or now < due:
                return due
            try:
                return await self._fire(row, due, now)
            except Stale:
                continue  # paused, run by hand or fired by another process meanwhile

    async def _fire(self, row: TriggerRow, due: float, now: float) -> float | None:
        try:
            times = schedule(row.kept.schedule, row.kept.time_zone)
        except Rejected as rejected:
            # The time zone is not in this machine's database, and was where it was created.
            await self._give_up(row, due, rejected.message)
            return None
        begun = await self._executions(row, times, due, now)
        reached("ticked")
        row.record.due = times.after(now)
        await self.rows.put(row)
        for id in begun:
            await self._dispatcher.submit(EXECUTION, id)
        return row.record.due

    async def _executions(
        self, row: TriggerRow, times: Schedule, due: float, now: float
    ) -> list[str]:
        """Records what is due; answers the executions to begin."""
        ticks = times.between(due, now, MOST_MISSED + 1)
        run = ticks[-1:]
        if self._missed == "skip" and run and now - run[0] > GRACE_SECONDS:
            run = []
        left = ticks[: len(ticks) - len(run)]
        if left:
            log.warning("%d ticks of trigger %s were missed", len(left), row.id)
        for tick in left:
            execution = new_execution(row, execution_id(row.id, tick), tick, now)
            self.rows.end(execution, "skipped", _MISSED)
            await self.rows.add(execution)
        for tick in run:
            await self.rows.add(new_execution(row, execution_id(row.id, tick), tick, now))
        return [execution_id(row.id, tick) for tick in run]

    async def _give_up(self, row: TriggerRow, due: float, message: str) -> None:
        execution = new_execution(row, execution_id(row.id, due), due, self.rows.clock())
        self.rows.end(execution, "failed", message)
        await self.rows.add(execution)
        row.record.state, row.record.due = "error", None
        await self.rows.put(row)

    async def sweep(self) -> int:
        """Hands over what is overdue: its job may have been lost in a crash between the record
        and the job. Answers how much. Raises StoreUnavailable."""
        before, records = self.rows.clock() - _OVERDUE_SECONDS, self.rows.records
        triggers = await records.due(TRIGGER, before, _BATCH)
        for record in triggers:
            row = self.rows.read(TriggerRow, record)
            await self._dispatcher.submit(TRIGGER, row.job)
        executions = await records.due(EXECUTION, before, _BATCH)
        for record in executions:
            await self._dispatcher.submit(EXECUTION, record.id)
        return len(triggers) + len(executions)


def new_execution(
    row: TriggerRow, id: str, tick: float, now: float, *, manual: bool = False
) -> ExecutionRow:
    """An execution of a trigger that is to begin, not yet added."""
    return ExecutionRow(
        Record(
            kind=EXECUTION,
            id=id,
            owner=row.record.owner,
            group=row.id,
            state="in_progress",
            due=now,
            created=now,
            updated=now,
            doc=b"",
        ),
        KeptExecution(scheduled=tick, manual=manual, environment_id=row.kept.environment_id),
    )
