"""The webhooks service: create, get, list, change, delete, ping, rotate, deliveries."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

from interplay.contracts.dispatcher import Dispatcher
from interplay.contracts.egress import EgressRefused, Guard, Unresolvable
from interplay.contracts.records import Record
from interplay.contracts.store import StoreUnavailable
from interplay.interactions.admit_webhooks import check_uri, refused
from interplay.interactions.failures import Rejected, invalid
from interplay.interactions.terminal import timestamp
from interplay.settings import Webhooks
from interplay.webhooks.outbox import Subscriptions
from interplay.webhooks.rows import (
    DELIVERY,
    WEBHOOK,
    DeliveryRow,
    KeptWebhook,
    Rows,
    WebhookRow,
    new_delivery,
    new_webhook_id,
    ping_id,
)
from interplay.webhooks.signing import Secret, new_secret
from interplay.wire.webhook import (
    DeliveryListResponse,
    RotateSigningSecretRequest,
    Webhook,
    WebhookEvent,
    WebhookEventData,
    WebhookInput,
    WebhookListResponse,
    WebhookRotateSigningSecretResponse,
    WebhookSubscribedEvent,
    WebhookUpdate,
)

_OVERLAP_SECONDS = 86_400.0
_MOST_SECRETS = 5
_RESOLVE_SECONDS = 5.0
_FIELDS = ("name", "uri", "subscribed_events", "state")


class WebhookService:
    """Webhooks of all owners; each sees only its own. Every method may raise StoreUnavailable."""

    def __init__(
        self,
        rows: Rows,
        subscriptions: Subscriptions,
        dispatcher: Dispatcher,
        guard: Guard,
        settings: Webhooks,
    ) -> None:
        self._rows, self._subscriptions, self._dispatcher = rows, subscriptions, dispatcher
        self._guard, self._settings = guard, settings

    async def create(self, given: WebhookInput, owner: str) -> Webhook:
        """Adds a webhook; its secret is in this answer and in no other. Raises Rejected."""
        await self._reachable(given.uri)
        if await self._rows.records.count(WEBHOOK, owner) >= self._settings.per_key:
            raise Rejected(
                "quota_exceeded",
                f"This key has {self._settings.per_key} webhooks (webhooks.per_key); delete some.",
            )
        secret, now = new_secret(), self._rows.clock()
        kept = KeptWebhook(
            uri=given.uri,
            events=_distinct(given.subscribed_events),
            name=given.name,
            secrets=[secret],
        )
        record = Record(
            kind=WEBHOOK,
            id=new_webhook_id(),
            owner=owner,
            state="enabled",
            created=now,
            updated=now,
            doc=b"",
        )
        row = WebhookRow(record, kept)
        await self._rows.add(row)
        self._subscriptions.forget(owner)
        return row.resource(now=now, secret=secret.text)

    async def _reachable(self, uri: str) -> None:
        """Refuses what may not be reached. A host that has no address yet may get one."""
        check_uri(uri, "uri", self._guard)
        try:
            async with asyncio.timeout(_RESOLVE_SECONDS):
                await self._guard.pin(uri, plain=False)
        except EgressRefused as error:
            raise refused(error, "uri") from error
        except (Unresolvable, TimeoutError):
            pass

    async def get(self, id: str, owner: str) -> Webhook:
        """One webhook. Raises Rejected."""
        return (await self._row(id, owner)).resource(now=self._rows.clock())

    async def _row(self, id: str, owner: str) -> WebhookRow:
        row = await self._rows.get(WebhookRow, id)
        if row is None or row.record.owner != owner:
            raise _not_found(id)
        return row

    async def list(self, owner: str, size: int, before: int | None) -> WebhookListResponse:
        """A page of the owner's webhooks, newest first."""
        records, following = await self._rows.records.list(WEBHOOK, owner, size=size, before=before)
        now = self._rows.clock()
        return WebhookListResponse(
            webhooks=[self._rows.read(WebhookRow, record).resource(now=now) for record in records],
            next_page_token=str(following) if following is not None else None,
        )

    async def update(self, id: str, owner: str, given: WebhookUpdate, mask: str | None) -> Webhook:
        """Changes the fields that `mask` names (comma-separated; without one, those that are
        given). One that is enabled again begins to count failures anew. Raises Rejected."""
        await self._row(id, owner)
        fields = _masked(given, mask)
        if "uri" in fields:
            await self._reachable(given.uri or "")

        def apply(row: WebhookRow) -> bool:
            if "name" in fields:
                row.kept.name = given.name or None
            if "uri" in fields:
                row.kept.uri = given.uri or ""
            if "subscribed_events" in fields:
                row.kept.events = _distinct(given.subscribed_events or [])
            if "state" in fields:
                if given.state == "enabled" and row.record.state != "enabled":
                    row.kept.failures = 0
                row.record.state = given.state or row.record.state
            return bool(fields)

        return (await self._change(id, owner, apply)).resource(now=self._rows.clock())

    async def _change(self, id: str, owner: str, apply: Callable[[WebhookRow], bool]) -> WebhookRow:
        row = await self._rows.change(id, apply)
        if row is None:
            raise _not_found(id)
        self._subscriptions.forget(owner)
        return row

    async def delete(self, id: str, owner: str) -> None:
        """Removes a webhook with its deliveries: nothing is sent any more. Raises Rejected."""
        await self._row(id, owner)
        if not await self._rows.records.remove(WEBHOOK, id):
            raise _not_found(id)
        self._subscriptions.forget(owner)
        await self._rows.records.remove(DELIVERY, id, group=True)

    async def ping(self, id: str, owner: str) -> None:
        """Sends an event of the type `ping`, once, whatever the webhook's state; the deliveries
        tell what became of it. Raises Rejected."""
        await self._row(id, owner)
        now = self._rows.clock()
        event = WebhookEvent(
            type="ping", version="v1", timestamp=timestamp(int(now)), data=WebhookEventData(id=id)
        )
        record = new_delivery(
            ping_id(),
            event,
            owner=owner,
            group=id,
            now=now,
            expires=now + self._settings.log_days * 86_400,
            once=True,
        )
        await self._rows.records.add(record)
        with suppress(StoreUnavailable):  # the sweep finds it
            await self._dispatcher.submit(DELIVERY, record.id)

    async def rotate(
        self, id: str, owner: str, given: RotateSigningSecretRequest
    ) -> WebhookRotateSigningSecretResponse:
        """Makes a new secret, shown in this answer only. The earlier ones sign beside it for 24
        hours, or no more when that is asked for. Raises Rejected."""
        await self._row(id, owner)
        secret = new_secret()
        at_once = given.revocation_behavior == "revoke_previous_secrets_immediately"

        def apply(row: WebhookRow) -> bool:
            now = self._rows.clock()
            kept = [] if at_once else [s for s in row.kept.secrets if s.lives(now)]
            until = now + _OVERLAP_SECONDS
            overlapping = [
                Secret(text=old.text, expires=min(old.expires or until, until)) for old in kept
            ]
            row.kept.secrets = [*overlapping, secret][-_MOST_SECRETS:]
            return True

        await self._change(id, owner, apply)
        return WebhookRotateSigningSecretResponse(secret=secret.text)

    async def deliveries(
        self, id: str, owner: str, size: int, before: int | None
    ) -> DeliveryListResponse:
        """A page of a webhook's deliveries, newest first. Raises Rejected."""
        await self._row(id, owner)
        records, following = await self._rows.records.list(
            DELIVERY, owner, group=id, size=size, before=before
        )
        return DeliveryListResponse(
            deliveries=[self._rows.read(DeliveryRow, record).resource() for record in records],
            next_page_token=str(following) if following is not None else None,
        )


def _masked(given: WebhookUpdate, mask: str | None) -> set[str]:
    """The fields to change. Raises Rejected."""
    if mask is None or not mask.strip():
        fields: set[str] = {field for field in _FIELDS if getattr(given, field) is not None}
    elif mask.strip() == "*":
        fields = set(_FIELDS)
    else:
        fields = {_snake(part.strip()) for part in mask.split(",") if part.strip()}
    for field in sorted(fields - set(_FIELDS)):
        known = ", ".join(f"'{name}'" for name in _FIELDS)
        raise invalid(
            f"The value '{field[:80]}' is not supported for 'update_mask'. Supported values:"
            f" {known}, '*'."
        )
    for field in sorted(fields - {"name"}):
        if getattr(given, field) is None:
            raise invalid(f"'update_mask' names '{field}', which the body lacks", field)
    if "state" in fields and given.state == "disabled_due_to_failed_deliveries":
        raise invalid("The state is set to 'enabled' or 'disabled' only", "state")
    return fields


def _snake(name: str) -> str:
    return "subscribed_events" if name == "subscribedEvents" else name


def _distinct(events: list[WebhookSubscribedEvent]) -> list[WebhookSubscribedEvent]:
    return list(dict.fromkeys(events))


def _not_found(id: str) -> Rejected:
    return Rejected(
        "not_found",
        f"There is no webhook '{id[:80]}': it was never created, was deleted, or belongs to"
        " another key.",
    )
