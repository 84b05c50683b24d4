"""Webhooks over a real store and a receiver on loopback, with a clock that the test moves."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from interplay.contracts.egress import Guard
from interplay.contracts.store import NewInteraction, StoreAway
from interplay.plugins.stores.sqlite import SqliteStore
from interplay.settings import Webhooks
from interplay.testing.local_web import LocalWeb, Page
from interplay.testing.manual_clock import ManualClock
from interplay.webhooks.delivery import Deliverer
from interplay.webhooks.keys import SigningKeys
from interplay.webhooks.outbox import Deliveries, Subscriptions
from interplay.webhooks.rows import Rows
from interplay.webhooks.sending import Sender
from interplay.webhooks.service import WebhookService
from interplay.wire.webhook import Webhook, WebhookInput

OWNER = "ann"


class Submitted:
    """A dispatcher that only notes what it is given; `away` makes it fail."""

    def __init__(self) -> None:
        self.jobs: list[tuple[str, str]] = []
        self.away = False

    async def submit(self, kind: str, id: str, *, due: float = 0.0, tier: int = 1) -> None:
        if self.away:
            raise StoreAway("The database is away.")
        self.jobs.append((kind, id))


class Post:
    """The parts of one process that have to do with webhooks."""

    def __init__(self, store: SqliteStore, clock: ManualClock, **settings: Any) -> None:
        self.settings = Webhooks(**{"attempt_seconds": 5.0, **settings})
        self.clock = clock
        self.guard = Guard(["127.0.0.0/8"])
        self.rows = Rows(store.records, clock)
        self.jobs: Any = Submitted()
        self.subscriptions = Subscriptions(store.records, remember=True)
        self.sender = Sender(self.guard, self.settings.attempt_seconds, 10)
        self.keys = SigningKeys(store.records, "https://here.example", clock)
        self.service = WebhookService(
            self.rows, self.subscriptions, self.jobs, self.guard, self.settings
        )
        self.outbox = Deliveries(store.records, self.subscriptions, self.jobs, 86_400 * 31, clock)
        self.deliverer = Deliverer(
            self.rows, self.subscriptions, self.sender, self.keys, self.settings, jitter=lambda: 0.5
        )

    async def hook(self, uri: str, *events: Any, owner: str = OWNER) -> Webhook:
        """A new webhook."""
        wanted: list[Any] = list(events) or ["interaction.completed"]
        return await self.service.create(WebhookInput(wanted, uri), owner)

    async def ended(self, status: Any = "completed", errors: Any = (), **row: Any) -> list[str]:
        """An interaction's end, committed as far as deliveries go; answers their ids."""
        at = self.clock()
        made = await self.outbox.records(interaction(at, **row), status, at, list(errors))
        for record in made:
            await self.rows.records.add(record)
        self.outbox.committed(made)
        await self.outbox.close()
        return [record.id for record in made]

    async def deliveries(self, id: str) -> list[Any]:
        """What the log of a webhook says, newest first."""
        page = await self.service.deliveries(id, OWNER, 100, None)
        return page.deliveries or []


def interaction(
    created: float, id: str = "v1_one", owner: str = OWNER, request: bytes = b"{}"
) -> NewInteraction:
    """A background interaction's row."""
    return NewInteraction(
        id=id,
        owner=owner,
        root="r",
        background=True,
        created=created,
        request=request,
        input=b"[]",
    )


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(float(int(time.time())))


@pytest.fixture
async def store(tmp_path: Path, clock: ManualClock) -> AsyncGenerator[SqliteStore]:
    made = SqliteStore(tmp_path, clock=clock)
    await made.open()
    yield made
    await made.close()


@pytest.fixture
async def post(store: SqliteStore, clock: ManualClock) -> AsyncGenerator[Post]:
    made = Post(store, clock)
    yield made
    await made.sender.close()


@pytest.fixture
async def web() -> AsyncGenerator[LocalWeb]:
    async with LocalWeb() as served:
        yield served


def pages(*statuses: int, **headers: str) -> list[Page]:
    """One answer after the other, the last one staying."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return [Page(status=status, headers=named) for status in statuses]
