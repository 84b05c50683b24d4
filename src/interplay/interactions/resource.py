"""The Interaction as create, get, cancel and list answer it."""

from __future__ import annotations

from typing import Any

import msgspec

from interplay.contracts.store import StoredInteraction
from interplay.interactions.journal import Journal
from interplay.interactions.terminal import RequestFacts, Row, request_facts, timestamp
from interplay.wire.errors import Error
from interplay.wire.usage import InteractionStatus, Usage


class Answer(msgspec.Struct, omit_defaults=True, kw_only=True):
    """The wire's Interaction with its large parts as the JSON they are stored in."""

    id: str
    status: InteractionStatus
    object: str | None = None
    usage: Usage | msgspec.Raw | None = None
    created: str | None = None
    updated: str | None = None
    service_tier: str | None = None
    steps: msgspec.Raw | None = None
    model: str | None = None
    agent: str | None = None
    previous_interaction_id: str | None = None
    labels: dict[str, str] | None = None
    errors: list[Error] | msgspec.Raw | None = None


_encode = msgspec.json.Encoder().encode


def _answer(row: Row, facts: RequestFacts, status: InteractionStatus, updated: float) -> Answer:
    return Answer(
        id=row.id,
        object="interaction",
        status=status,
        model=row.model,
        agent=row.agent,
        created=timestamp(int(row.created)),
        updated=timestamp(int(updated)),
        service_tier=facts.service_tier or "standard",
        previous_interaction_id=facts.previous_interaction_id,
        labels=facts.labels or None,
    )


def of_journal(journal: Journal, *, steps: bool = True, input: bytes | None = None) -> bytes:
    """An interaction this process runs, or has just run: the fold of its journal."""
    ending = journal.ending if journal.ended else None
    answer = _answer(
        journal.row,
        journal.facts,
        ending.status if ending is not None else current_status(journal),
        ending.updated if ending is not None else journal.touched,
    )
    if steps:
        made = ending.steps if ending is not None else _encode(journal.fold.steps)
        answer.steps = msgspec.Raw(together(input, made))
    if ending is not None:
        answer.usage = journal.usage
        answer.errors = msgspec.Raw(ending.errors) if ending.errors else None
    return _encode(answer)


def current_status(journal: Journal) -> InteractionStatus:
    """queued until its run has begun, then in_progress."""
    return "queued" if journal.row.status == "queued" and journal.count < 2 else "in_progress"


def of_stored(stored: StoredInteraction, made: bytes | None, input: bytes | None) -> bytes:
    """An interaction from its row; `made` None leaves the steps out."""
    answer = _answer(stored, request_facts(stored), stored.status, stored.updated)
    if made is not None:
        answer.steps = msgspec.Raw(together(input, made))
    if stored.usage:
        answer.usage = msgspec.Raw(stored.usage)
    if stored.errors:
        answer.errors = msgspec.Raw(stored.errors)
    return _encode(answer)


def together(input: bytes | None, made: bytes) -> bytes:
    """Two JSON arrays as one."""
    if not input or input == b"[]":
        return made
    return input if made == b"[]" else input[:-1] + b"," + made[1:]


def listed(stored: StoredInteraction) -> dict[str, Any]:
    """One line of a list: no steps, but what a person picks by."""
    line: dict[str, Any] = {
        "id": stored.id,
        "object": "interaction",
        "status": stored.status,
        "model": stored.model,
        "agent": stored.agent,
        "created": timestamp(int(stored.created)),
        "updated": timestamp(int(stored.updated)),
        "previous_interaction_id": stored.parent,
        "root": stored.root,
        "background": stored.background,
        "labels": stored.labels or None,
        "expires": timestamp(int(stored.expires)) if stored.expires else None,
    }
    return {key: value for key, value in line.items() if value is not None}
