"""Triggers: interactions that begin by a schedule, and what became of each."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from interplay.wire.interaction import CreateInteraction
from interplay.wire.record import Record

TriggerStatus = Literal["active", "paused", "error"]
"""error: too many executions failed one after the other; nothing runs until it is resumed."""

TriggerExecutionStatus = Literal["in_progress", "completed", "failed", "skipped", "timed_out"]
"""skipped: nothing was run, because the run before went on or the time had been missed."""

_Seconds = Annotated[int, msgspec.Meta(ge=1, le=604_800)]
_Failures = Annotated[int, msgspec.Meta(ge=1, le=1_000)]
_Name = Annotated[str, msgspec.Meta(max_length=256)]


class TriggerCreateParams(Record):
    """The body of `POST /triggers`."""

    interaction: CreateInteraction
    """What is created at each tick, in the background."""
    schedule: str
    """Five cron fields: minute, hour, day of the month, month, day of the week; or `@daily` and
    the like."""
    time_zone: str
    """Whose clocks the schedule is read on: a name of the IANA database."""
    display_name: _Name | None = None
    environment_id: str | None = None
    """The environment that every run works in."""
    execution_timeout_seconds: _Seconds | None = None
    """A run that takes longer is cancelled; 600 when left out."""
    max_consecutive_failures: _Failures | None = None
    """So many failures one after the other put the trigger into `error`; 5 when left out."""


class TriggerUpdate(Record):
    """The body of `PATCH /triggers/{id}`: what is left out stays."""

    display_name: _Name | None = None
    status: TriggerStatus | None = None
    """paused, or active to go on; nobody sets `error`."""


class Trigger(Record):
    """The resource. Times are RFC 3339 in UTC."""

    id: str
    interaction: CreateInteraction
    schedule: str
    time_zone: str
    consecutive_failure_count: int | None = None
    """Failures since the last success."""
    create_time: str | None = None
    display_name: str | None = None
    environment_id: str | None = None
    execution_timeout_seconds: int | None = None
    last_pause_time: str | None = None
    last_resume_time: str | None = None
    last_run_time: str | None = None
    max_consecutive_failures: int | None = None
    next_run_time: str | None = None
    """Absent while nothing is scheduled."""
    previous_interaction_id: str | None = None
    """The interaction of the last run."""
    status: TriggerStatus | None = None
    update_time: str | None = None


class TriggerExecution(Record):
    """One tick of a trigger, or one run asked for, and what became of it."""

    id: str
    trigger_id: str
    end_time: str | None = None
    environment_id: str | None = None
    error: str | None = None
    """Why it failed or was skipped."""
    interaction_id: str | None = None
    scheduled_time: str | None = None
    start_time: str | None = None
    status: TriggerExecutionStatus | None = None


class ListTriggersResponse(Record):
    """A page of triggers, newest first."""

    next_page_token: str | None = None
    """Absent on the last page."""
    triggers: list[Trigger] | None = None


class ListTriggerExecutionsResponse(Record):
    """A page of a trigger's executions, newest first."""

    next_page_token: str | None = None
    """Absent on the last page."""
    trigger_executions: list[TriggerExecution] | None = None
