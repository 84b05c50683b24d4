"""The first and the last events of an interaction, from its row."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import msgspec

from interplay.contracts.store import NewInteraction, StoredInteraction
from interplay.wire.errors import Error
from interplay.wire.events import (
    ErrorEvent,
    Event,
    InteractionCompletedEvent,
    InteractionCreatedEvent,
    InteractionHead,
    InteractionStatusUpdate,
)
from interplay.wire.usage import InteractionStatus, Usage

Row = NewInteraction | StoredInteraction


class RequestFacts(msgspec.Struct):
    """The few fields of the stored request that answers repeat."""

    service_tier: str | None = None
    previous_interaction_id: str | None = None
    labels: dict[str, str] | None = None


_facts = msgspec.json.Decoder(RequestFacts)


def request_facts(row: Row) -> RequestFacts:
    """Reads those fields from the row's request."""
    return _facts.decode(row.request)


def now() -> float:
    """Unix seconds in whole milliseconds, as stores keep them: a finer time could be shown as one
    second and stored as the next."""
    return time.time_ns() // 1_000_000 / 1000


@lru_cache(maxsize=512)
def timestamp(seconds: int) -> str:
    """RFC 3339 in UTC, to the second, as the API writes times."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def created(row: Row, status: InteractionStatus) -> InteractionCreatedEvent:
    """`interaction.created`: who answers, and nothing else yet."""
    return InteractionCreatedEvent(
        InteractionHead(
            id=row.id, status=status, object="interaction", model=row.model, agent=row.agent
        )
    )


def ending(row: StoredInteraction, errors: list[Error], usage: Usage | None) -> Iterator[Event]:
    """The events after the last step: `error` for a failure, the status for a cancellation, and
    `interaction.completed`, always last and exactly once."""
    tier = request_facts(row).service_tier
    return terminal(row, row.status, row.updated, errors, usage, tier)


def terminal(
    row: Row,
    status: InteractionStatus,
    updated: float,
    errors: list[Error],
    usage: Usage | None,
    tier: str | None,
) -> Iterator[Event]:
    """The same for a row that has not been stored as ended yet."""
    if status == "failed" and errors:
        yield ErrorEvent(errors[0])
    if status == "cancelled":
        yield InteractionStatusUpdate(row.id, status)
    served: Any = tier or "standard"
    yield InteractionCompletedEvent(
        InteractionHead(
            id=row.id,
            status=status,
            usage=usage,
            created=timestamp(int(row.created)),
            updated=timestamp(int(updated)),
            service_tier=served,
            object="interaction",
            model=row.model,
            agent=row.agent,
        )
    )
