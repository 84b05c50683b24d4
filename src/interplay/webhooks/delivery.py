"""One attempt to deliver an event, and when to make the next: the handler of "delivery" jobs."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable

from interplay.contracts.failpoint import reached
from interplay.contracts.records import Stale
from interplay.settings import Webhooks
from interplay.webhooks.keys import SigningKeys
from interplay.webhooks.outbox import Subscriptions
from interplay.webhooks.rows import DeliveryRow, Rows, WebhookRow
from interplay.webhooks.sending import Outcome, Sender
from interplay.webhooks.signing import signature

log = logging.getLogger("interplay.webhooks")

_FIRST_PAUSE, _LONGEST_PAUSE = 2.0, 3_600.0
_JITTER = 0.25
_LEASE_SECONDS = 5.0
"""What an attempt may take beyond its timeout before someone else makes the next one."""


class Deliverer:
    """Delivers what is pending.

    An attempt is written down before it is made, with the time until which it is nobody else's;
    after a crash the next one is made then, under the same id. What a process does that was held
    up for longer meets a newer version of the record and is dropped.
    """

    def __init__(
        self,
        rows: Rows,
        subscriptions: Subscriptions,
        sender: Sender,
        keys: SigningKeys,
        settings: Webhooks,
        *,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._rows, self._subscriptions = rows, subscriptions
        self._sender, self._keys = sender, keys
        self._settings, self._jitter = settings, jitter

    async def deliver(self, id: str) -> float | None:
        """Makes the attempt that is due; answers when the next one is, None when there will be
        none. Raises StoreUnavailable."""
        row = await self._rows.get(DeliveryRow, id)
        if row is None or not row.pending:
            return None
        now = self._rows.clock()
        if row.record.due is not None and row.record.due > now:
            return row.record.due
        hook: WebhookRow | None = None
        if row.kept.uri is None:
            hook = await self._rows.get(WebhookRow, row.record.group)
            if hook is None:
                await self._rows.records.remove(row.record.kind, id)
                return None
            if hook.record.state != "enabled" and not row.kept.once:
                return await self._put(row, "dropped", "The webhook is not enabled.")
        until = now + self._settings.attempt_seconds + _LEASE_SECONDS
        row.begin(now, until)
        try:
            row = await self._rows.put(row)
        except Stale:
            return until  # another process makes this attempt
        reached("attempt")
        outcome = await self._attempt(row, hook)
        reached("attempted")
        return await self._after(row, hook, outcome)

    async def _attempt(self, row: DeliveryRow, hook: WebhookRow | None) -> Outcome:
        body, now = row.kept.body.encode(), self._rows.clock()
        if hook is not None:
            uri = hook.kept.uri
            living = [secret for secret in hook.kept.secrets if secret.lives(now)]
            signed = signature(living, row.id, int(now), body)
        else:
            uri = row.kept.uri or ""
            signed = await self._keys.token(uri, row.id, body)
        headers = {
            "webhook-id": row.id,
            "webhook-timestamp": str(int(now)),
            "webhook-signature": signed,
        }
        return await self._sender.send(uri, headers, body)

    async def _after(
        self, row: DeliveryRow, hook: WebhookRow | None, outcome: Outcome
    ) -> float | None:
        """Writes down what came of an attempt."""
        last = row.kept.attempts[-1]
        last.status, last.error = outcome.status, outcome.error
        last.seconds = outcome.seconds
        if outcome.error is None:
            await self._put(row, "delivered")
            if hook is not None and hook.kept.failures:
                await self._counted(hook, arrived=True)
            return None
        now = self._rows.clock()
        end = row.record.created + self._settings.retry_hours * 3_600
        if row.kept.once or now >= end:
            await self._put(row, "failed")
            if hook is not None and not row.kept.once:
                await self._counted(hook, arrived=False)
            return None
        row.record.due = min(now + max(self._pause(row.kept.tried), outcome.retry_after), end)
        return await self._put(row)

    def _pause(self, tried: int) -> float:
        pause = min(_FIRST_PAUSE * 2 ** min(tried - 1, 32), _LONGEST_PAUSE)
        return pause * (1 - _JITTER + 2 * _JITTER * self._jitter())

    async def _put(
        self, row: DeliveryRow, state: str | None = None, error: str | None = None
    ) -> float | None:
        """Writes a delivery; answers when it is due."""
        if state is not None:
            row.end(state, error)
        try:
            return (await self._rows.put(row)).record.due
        except Stale:
            # Removed, or taken over because this one took too long: its own attempt counts then.
            return None if state is not None else self._rows.clock()

    async def _counted(self, hook: WebhookRow, *, arrived: bool) -> None:
        """Counts deliveries given up in a row, and disables the webhook after too many."""
        most = self._settings.failed_deliveries

        def apply(row: WebhookRow) -> bool:
            row.kept.failures = 0 if arrived else row.kept.failures + 1
            if row.kept.failures >= most and row.record.state == "enabled":
                row.record.state = "disabled_due_to_failed_deliveries"
            return True

        row = await self._rows.change(hook.record.id, apply)
        if row is not None and row.record.state != hook.record.state:
            self._subscriptions.forget(row.record.owner)
            log.warning(
                "webhook %s is disabled: %d deliveries in a row were given up", row.record.id, most
            )
