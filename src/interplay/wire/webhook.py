"""Webhooks: where events are sent, and what is sent."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from interplay.wire.record import Record
from interplay.wire.usage import InteractionStatus

WebhookState = Literal["enabled", "disabled", "disabled_due_to_failed_deliveries"]

WebhookSubscribedEvent = Literal[
    "batch.succeeded",
    "batch.expired",
    "batch.failed",
    "batch.cancelled",
    "interaction.requires_action",
    "interaction.completed",
    "interaction.failed",
    "interaction.cancelled",
    "video.generated",
]
"""What can be subscribed to. This server sends those of interactions."""

RevocationBehavior = Literal[
    "revoke_previous_secrets_after_h24", "revoke_previous_secrets_immediately"
]

DeliveryState = Literal["pending", "delivered", "failed", "dropped"]
"""failed: given up after the last attempt. dropped: the webhook was disabled meanwhile."""

_Name = Annotated[str, msgspec.Meta(max_length=256)]
_Events = Annotated[list[WebhookSubscribedEvent], msgspec.Meta(min_length=1, max_length=100)]


class WebhookConfig(Record):
    """Where the events of one interaction go, in place of the registered webhooks;
    `user_metadata` comes back in each of them."""

    uris: list[str] | None = None
    user_metadata: dict[str, Any] | None = None


class SigningSecret(Record):
    """A secret that signs deliveries; it is shown whole only where it was made."""

    expire_time: str | None = None
    """When it stops to sign; absent for the newest."""
    truncated_secret: str | None = None


class WebhookInput(Record):
    """The body of `POST /webhooks`."""

    subscribed_events: _Events
    uri: str
    """https, or http in networks that the operator allows."""
    name: _Name | None = None


class WebhookUpdate(Record):
    """The body of `PATCH /webhooks/{id}`: what is left out stays, unless `update_mask` names it."""

    name: _Name | None = None
    state: WebhookState | None = None
    """enabled or disabled; nobody sets the third."""
    subscribed_events: _Events | None = None
    uri: str | None = None


class Webhook(Record):
    """The resource. Times are RFC 3339 in UTC."""

    subscribed_events: list[WebhookSubscribedEvent]
    uri: str
    create_time: str | None = None
    id: str | None = None
    name: str | None = None
    new_signing_secret: str | None = None
    """Only in the answer to its creation."""
    signing_secrets: list[SigningSecret] | None = None
    state: WebhookState | None = None
    update_time: str | None = None


class WebhookListResponse(Record):
    """A page of webhooks, newest first."""

    next_page_token: str | None = None
    """Absent on the last page."""
    webhooks: list[Webhook] | None = None


class PingWebhookRequest(Record):
    """The body of `POST /webhooks/{id}:ping`: nothing."""


class WebhookPingResponse(Record):
    """The answer to a ping: nothing; the delivery log tells what became of it."""


class RotateSigningSecretRequest(Record):
    """The body of `POST /webhooks/{id}:rotateSigningSecret`."""

    revocation_behavior: RevocationBehavior | None = None
    """Earlier secrets sign on for 24 hours beside the new one when left out."""


class WebhookRotateSigningSecretResponse(Record):
    """The new secret, shown here only."""

    secret: str | None = None


class WebhookEventData(Record):
    """What an event is about, as a pointer: the interaction itself is read by its id."""

    id: str
    status: InteractionStatus | None = None
    """Only where the event's type does not tell it: `incomplete` and the like."""
    error_code: str | None = None
    error_message: str | None = None


class WebhookEvent(Record):
    """The body of a delivery."""

    type: str
    """One of the events that can be subscribed to, or `ping`."""
    version: str
    timestamp: str
    data: WebhookEventData
    user_metadata: dict[str, Any] | None = None
    """That of the request's `webhook_config`."""


class DeliveryAttempt(Record):
    """One request that was made to deliver an event."""

    time: str
    status_code: int | None = None
    """Absent when there was no answer."""
    latency_ms: int | None = None
    error: str | None = None
    """What went wrong; absent after a success, and while it is under way."""


class Delivery(Record):
    """An event on its way to a webhook."""

    id: str
    """The `webhook-id` header: the same in every attempt."""
    state: DeliveryState
    event: WebhookEvent
    create_time: str | None = None
    update_time: str | None = None
    next_attempt_time: str | None = None
    attempts: list[DeliveryAttempt] | None = None
    """Oldest first."""
    error: str | None = None
    """Why it was dropped."""


class DeliveryListResponse(Record):
    """A page of a webhook's deliveries, newest first."""

    next_page_token: str | None = None
    """Absent on the last page."""
    deliveries: list[Delivery] | None = None
