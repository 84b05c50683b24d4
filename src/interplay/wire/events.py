"""Server-sent events: the journal as it stands on the wire."""

from __future__ import annotations

from interplay.wire.deltas import DeltaData
from interplay.wire.errors import Error
from interplay.wire.generation import ServiceTier
from interplay.wire.record import Record
from interplay.wire.steps import Step
from interplay.wire.usage import InteractionStatus, Usage


class InteractionHead(Record):
    """The interaction as the first and last event of a stream carry it: without steps."""

    id: str
    status: InteractionStatus
    agent: str | None = None
    continuation_token: str | None = None
    created: str | None = None
    model: str | None = None
    object: str | None = None
    service_tier: ServiceTier | None = None
    steps: list[Step] | None = None
    updated: str | None = None
    usage: Usage | None = None


class InteractionCreatedEvent(Record, tag="interaction.created", tag_field="event_type"):
    """The first event of a stream."""

    interaction: InteractionHead
    event_id: str | None = None


class InteractionStatusUpdate(Record, tag="interaction.status_update", tag_field="event_type"):
    """The interaction has a new status."""

    interaction_id: str
    status: InteractionStatus
    continuation_token: str | None = None
    event_id: str | None = None
    usage: Usage | None = None


class InteractionCompletedEvent(Record, tag="interaction.completed", tag_field="event_type"):
    """The last event of a stream, whichever way the interaction ended."""

    interaction: InteractionHead
    event_id: str | None = None


class StepStart(Record, tag="step.start", tag_field="event_type"):
    """A step begins, without what its deltas bring; `index` counts from 0."""

    index: int
    step: Step
    event_id: str | None = None


class StepDeltaMetadata(Record):
    """What is known beside a delta: tokens used so far."""

    total_usage: Usage | None = None


class StepDelta(Record, tag="step.delta", tag_field="event_type"):
    """More of the step at `index`."""

    delta: DeltaData
    index: int
    event_id: str | None = None
    metadata: StepDeltaMetadata | None = None


class StepStop(Record, tag="step.stop", tag_field="event_type"):
    """The step at `index` is whole."""

    index: int
    event_id: str | None = None
    step_usage: Usage | None = None
    usage: Usage | None = None


class ErrorEvent(Record, tag="error", tag_field="event_type"):
    """Something went wrong; a stream that cannot begin holds only this."""

    error: Error | None = None
    event_id: str | None = None


Event = (
    InteractionCreatedEvent
    | InteractionStatusUpdate
    | InteractionCompletedEvent
    | StepStart
    | StepDelta
    | StepStop
    | ErrorEvent
)
