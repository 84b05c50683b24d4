"""What is kept of webhooks and deliveries: records of the store, read and changed."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from interplay.contracts.records import Record, Records, Stale
from interplay.interactions.terminal import timestamp
from interplay.webhooks.signing import Secret, truncated
from interplay.wire.webhook import (
    Delivery,
    DeliveryAttempt,
    SigningSecret,
    Webhook,
    WebhookEvent,
    WebhookSubscribedEvent,
)

WEBHOOK, DELIVERY = "webhook", "delivery"
"""Kinds of records; the second is that of the jobs too."""

_ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"
_ID_LENGTH = 43
_TRIES = 100
_ATTEMPTS_KEPT = 100


class KeptWebhook(msgspec.Struct, kw_only=True, omit_defaults=True):
    """The document of a webhook. Its state is the record's."""

    uri: str
    events: list[WebhookSubscribedEvent]
    name: str | None = None
    secrets: list[Secret]
    """Newest last."""
    failures: int = 0
    """Deliveries given up since the last one that arrived."""


class Attempt(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One request. Without status and error it is under way, or was cut off by a crash."""

    at: float
    """Unix seconds."""
    status: int | None = None
    seconds: float | None = None
    error: str | None = None


class KeptDelivery(msgspec.Struct, kw_only=True, omit_defaults=True):
    """The document of a delivery. Its state is the record's, the next attempt its due, and its
    group the webhook; for a `webhook_config` the interaction."""

    body: str
    """JSON, sent as it stands here by every attempt."""
    uri: str | None = None
    """Where a `webhook_config` sends it; None for a webhook's."""
    once: bool = False
    """It is not tried again."""
    attempts: list[Attempt] = []
    tried: int = 0
    """Attempts made; the list keeps the last ones."""
    error: str | None = None


class WebhookRow(msgspec.Struct):
    """A webhook as it was read."""

    record: Record
    kept: KeptWebhook

    def resource(self, *, now: float, secret: str | None = None) -> Webhook:
        """The webhook on the wire, with the secret whole only when it is given."""
        state: Any = self.record.state
        return Webhook(
            id=self.record.id,
            name=self.kept.name,
            uri=self.kept.uri,
            subscribed_events=self.kept.events,
            state=state,
            create_time=_time(self.record.created),
            update_time=_time(self.record.updated),
            new_signing_secret=secret,
            signing_secrets=[
                SigningSecret(
                    truncated_secret=truncated(secret.text), expire_time=_time(secret.expires)
                )
                for secret in self.kept.secrets
                if secret.lives(now)
            ],
        )


class DeliveryRow(msgspec.Struct):
    """A delivery as it was read."""

    record: Record
    kept: KeptDelivery

    @property
    def id(self) -> str:
        """Its id."""
        return self.record.id

    @property
    def pending(self) -> bool:
        """Whether something is still to be done with it."""
        return self.record.state == "pending"

    def begin(self, now: float, until: float) -> None:
        """Notes an attempt that is not over before `until` (both Unix seconds)."""
        if self.kept.attempts:
            last = self.kept.attempts[-1]
            if last.status is None and last.error is None:
                last.error = "The server went down before there was an answer."
        self.kept.attempts = [*self.kept.attempts, Attempt(at=now)][-_ATTEMPTS_KEPT:]
        self.kept.tried += 1
        self.record.due = until

    def end(self, state: str, error: str | None = None) -> None:
        """Makes it one that nothing more is done with; it is yet to be written."""
        self.record.state, self.record.due, self.kept.error = state, None, error

    def resource(self) -> Delivery:
        """The delivery on the wire."""
        state: Any = self.record.state
        return Delivery(
            id=self.record.id,
            state=state,
            event=msgspec.json.decode(self.kept.body, type=WebhookEvent),
            create_time=_time(self.record.created),
            update_time=_time(self.record.updated),
            next_attempt_time=_time(self.record.due),
            attempts=[_attempt(attempt) for attempt in self.kept.attempts],
            error=self.kept.error,
        )


def _attempt(attempt: Attempt) -> DeliveryAttempt:
    seconds = attempt.seconds
    return DeliveryAttempt(
        time=timestamp(int(attempt.at)),
        status_code=attempt.status,
        latency_ms=round(seconds * 1000) if seconds is not None else None,
        error=attempt.error,
    )


Row = TypeVar("Row", WebhookRow, DeliveryRow)
_DOCUMENTS: dict[type[Any], tuple[str, type[Any]]] = {
    WebhookRow: (WEBHOOK, KeptWebhook),
    DeliveryRow: (DELIVERY, KeptDelivery),
}


class Rows:
    """Webhooks and deliveries by id. Whatever the store raises goes through."""

    def __init__(self, records: Records, clock: Callable[[], float]) -> None:
        self.records, self.clock = records, clock

    async def get(self, kind: type[Row], id: str) -> Row | None:
        """A webhook or a delivery."""
        record = await self.records.get(_DOCUMENTS[kind][0], id)
        return self.read(kind, record) if record is not None else None

    @staticmethod
    def read(kind: type[Row], record: Record) -> Row:
        """A record as what it is."""
        return kind(record, msgspec.json.decode(record.doc, type=_DOCUMENTS[kind][1]))

    async def add(self, row: WebhookRow) -> None:
        """Adds a webhook. Raises KeyError when its id is there."""
        row.record.doc = msgspec.json.encode(row.kept)
        await self.records.add(row.record)

    async def put(self, row: Row) -> Row:
        """Writes what was changed in it. Raises Stale."""
        row.record.doc = msgspec.json.encode(row.kept)
        row.record.updated = self.clock()
        row.record = await self.records.replace(row.record)
        return row

    async def change(self, id: str, apply: Callable[[WebhookRow], bool]) -> WebhookRow | None:
        """Reads a webhook, applies and writes until no other change came between; `apply` answers
        whether there is anything to write, and must be safe to be applied again. None when it is
        gone."""
        for _ in range(_TRIES):
            row = await self.get(WebhookRow, id)
            if row is None or not apply(row):
                return row
            try:
                return await self.put(row)
            except Stale:
                continue
        raise Stale(f"The webhook {id} changes all the time.")


def new_delivery(
    id: str,
    event: WebhookEvent,
    *,
    owner: str,
    group: str,
    now: float,
    expires: float,
    uri: str | None = None,
    once: bool = False,
) -> Record:
    """The record of a delivery that is to be attempted at once."""
    body = msgspec.json.encode(event).decode()
    return Record(
        kind=DELIVERY,
        id=id,
        owner=owner,
        group=group,
        state="pending",
        due=now,
        expires=expires,
        created=now,
        updated=now,
        doc=msgspec.json.encode(KeptDelivery(body=body, uri=uri, once=once)),
    )


def new_webhook_id() -> str:
    """43 lower-case letters and digits."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(_ID_LENGTH))


def delivery_id(receiver: str, interaction_id: str, event: str) -> str:
    """The id of one event for one webhook or address: the same whoever makes it."""
    parts = "\0".join((receiver, interaction_id, event)).encode()
    return "msg_" + hashlib.blake2b(parts, digest_size=16).hexdigest()


def ping_id() -> str:
    """The id of a ping."""
    return "msg_" + secrets.token_hex(16)


def _time(seconds: float | None) -> str | None:
    return timestamp(int(seconds)) if seconds is not None else None
