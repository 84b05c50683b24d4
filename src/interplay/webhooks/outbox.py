"""What the end of an interaction sends: deliveries, committed together with that end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

import msgspec

from interplay.contracts.dispatcher import Dispatcher
from interplay.contracts.records import Record, Records
from interplay.contracts.store import NewInteraction, StoreUnavailable
from interplay.interactions.terminal import timestamp
from interplay.webhooks.rows import (
    DELIVERY,
    WEBHOOK,
    Rows,
    WebhookRow,
    delivery_id,
    new_delivery,
)
from interplay.wire.errors import Error
from interplay.wire.usage import InteractionStatus
from interplay.wire.webhook import WebhookConfig, WebhookEvent, WebhookEventData

log = logging.getLogger("interplay.webhooks")

_EVENTS: dict[str, str] = {
    "requires_action": "interaction.requires_action",
    "failed": "interaction.failed",
    "cancelled": "interaction.cancelled",
}
_OTHERWISE = "interaction.completed"
"""Also for `incomplete` and the like: whoever waits for the end must be told of it."""
_ERROR_CHARACTERS = 500
_PAGE = 500
_OVERDUE_SECONDS = 10.0
_NAMED = b'"webhook_config"'


class _Request(msgspec.Struct):
    """As much of a stored request as matters here."""

    webhook_config: WebhookConfig | None = None


_request = msgspec.json.Decoder(_Request).decode


class Subscriptions:
    """The enabled webhooks of each owner. With `remember` (no other process changes them) they
    are read once."""

    def __init__(self, records: Records, *, remember: bool) -> None:
        self._records, self._remember = records, remember
        self._known: dict[str, list[WebhookRow]] = {}
        self._changes = 0

    async def of(self, owner: str) -> list[WebhookRow]:
        """Those of one owner. May raise StoreUnavailable."""
        known = self._known.get(owner)
        if known is not None:
            return known
        changes, found = self._changes, list[WebhookRow]()
        before: int | None = None
        while True:
            page, before = await self._records.list(
                WEBHOOK, owner, state="enabled", size=_PAGE, before=before
            )
            found += [Rows.read(WebhookRow, record) for record in page]
            if before is None:
                break
        if self._remember and changes == self._changes:
            self._known[owner] = found
        return found

    def forget(self, owner: str) -> None:
        """A webhook of this owner was changed."""
        self._changes += 1
        self._known.pop(owner, None)


class Deliveries:
    """The outbox of interactions: see interplay.interactions.outbox.Outbox."""

    def __init__(
        self,
        records: Records,
        subscriptions: Subscriptions,
        dispatcher: Dispatcher,
        keep_seconds: float,
        clock: Callable[[], float],
    ) -> None:
        self._records, self._subscriptions = records, subscriptions
        self._dispatcher, self._keep_seconds, self._clock = dispatcher, keep_seconds, clock
        self._submitting: set[asyncio.Task[None]] = set()

    async def records(
        self, row: NewInteraction, status: InteractionStatus, updated: float, errors: list[Error]
    ) -> list[Record]:
        """The deliveries this end sets off. May raise StoreUnavailable."""
        config = _request(row.request).webhook_config if _NAMED in row.request else None
        event = _event(row, status, updated, errors, config)
        if config is not None:
            uris = list(dict.fromkeys(config.uris or []))
            return [self._delivery(row, event, updated, uri, row.id, uri=uri) for uri in uris]
        return [
            self._delivery(row, event, updated, hook.record.id, hook.record.id)
            for hook in await self._subscriptions.of(row.owner)
            if event.type in hook.kept.events
        ]

    def _delivery(
        self,
        row: NewInteraction,
        event: WebhookEvent,
        updated: float,
        receiver: str,
        group: str,
        *,
        uri: str | None = None,
    ) -> Record:
        return new_delivery(
            delivery_id(receiver, row.id, event.type),
            event,
            owner=row.owner,
            group=group,
            now=updated,
            expires=updated + self._keep_seconds,
            uri=uri,
        )

    async def forget(self, id: str) -> None:
        """Removes the deliveries of its own `webhook_config`, which hold its metadata."""
        await self._records.remove(DELIVERY, id, group=True)

    def committed(self, records: list[Record]) -> None:
        """Hands the deliveries among these over. What is lost here the sweep finds."""
        ids = [record.id for record in records if record.kind == DELIVERY]
        if ids:
            task = asyncio.get_running_loop().create_task(self._submit(ids))
            self._submitting.add(task)
            task.add_done_callback(self._submitting.discard)

    async def _submit(self, ids: list[str]) -> None:
        try:
            for id in ids:
                await self._dispatcher.submit(DELIVERY, id)
        except StoreUnavailable as error:
            log.warning("deliveries wait for the next sweep: %s", error)

    async def sweep(self) -> int:
        """Hands over deliveries that are long overdue, as after a crash between their commit and
        their job; answers how many. May raise StoreUnavailable."""
        late = await self._records.due(DELIVERY, self._clock() - _OVERDUE_SECONDS, _PAGE)
        for record in late:
            await self._dispatcher.submit(DELIVERY, record.id)
        return len(late)

    async def close(self) -> None:
        """Waits for what is being handed over; the dispatcher and the store are still open."""
        if self._submitting:
            await asyncio.wait(self._submitting, timeout=1.0)


def _event(
    row: NewInteraction,
    status: InteractionStatus,
    updated: float,
    errors: list[Error],
    config: WebhookConfig | None,
) -> WebhookEvent:
    data = WebhookEventData(id=row.id)
    if status != "completed" and status not in _EVENTS:
        data.status = status
    if status == "failed" and errors:
        data.error_code = errors[0].code
        data.error_message = (errors[0].message or "")[:_ERROR_CHARACTERS] or None
    return WebhookEvent(
        type=_EVENTS.get(status, _OTHERWISE),
        version="v1",
        timestamp=timestamp(int(updated)),
        data=data,
        user_metadata=config.user_metadata if config is not None else None,
    )
