"""The one file that wires: settings -> store, roster, runner, service."""

from __future__ import annotations

import asyncio
import logging
import time
from pathlib import Path
from typing import Any

import msgspec

from interplay.contracts import registry
from interplay.contracts.agent import Agent
from interplay.contracts.blobs import Blobs
from interplay.contracts.dispatcher import Dispatcher, Handler
from interplay.contracts.egress import Guard
from interplay.contracts.model import Model
from interplay.contracts.store import Store, StoreUnavailable
from interplay.contracts.tool import Tool
from interplay.interactions.changes import Changes
from interplay.interactions.history import History
from interplay.interactions.journals import Journals
from interplay.interactions.media import Media
from interplay.interactions.reading import Reading
from interplay.interactions.reaper import Reaper
from interplay.interactions.recovery import Recovery
from interplay.interactions.retention import Retention
from interplay.interactions.retries import Retries
from interplay.interactions.roster import Roster
from interplay.interactions.routes import Interactions
from interplay.interactions.runner import RUN, Runner
from interplay.interactions.service import Service
from interplay.server.auth import Keys
from interplay.server.metrics import Metrics
from interplay.server.surroundings import Lent
from interplay.server.sweeps import sweeping
from interplay.settings import Settings
from interplay.triggers.checks import Checks
from interplay.triggers.firing import Firing
from interplay.triggers.routes import TriggerRoutes
from interplay.triggers.rows import EXECUTION, TRIGGER, Rows
from interplay.triggers.runs import Runs
from interplay.triggers.service import TriggerService
from interplay.webhooks.delivery import Deliverer
from interplay.webhooks.keys import SigningKeys
from interplay.webhooks.outbox import Deliveries, Subscriptions
from interplay.webhooks.routes import WebhookRoutes
from interplay.webhooks.rows import DELIVERY
from interplay.webhooks.rows import Rows as WebhookRows
from interplay.webhooks.sending import Sender
from interplay.webhooks.service import WebhookService

log = logging.getLogger("interplay.server")


_SWEEP_SECONDS = 5.0


class Assembly:
    """Every part of one server, built and not yet opened."""

    def __init__(
        self,
        settings: Settings,
        *,
        models: dict[str, Model] | None = None,
        agents: dict[str, Agent] | None = None,
        tools: dict[str, Tool] | None = None,
    ) -> None:
        self.settings = settings
        self.keys = Keys.of(settings)
        self.store, blobs = _store(settings), _blobs(settings)
        self.guard = Guard(settings.allowed_networks)
        self.lent = Lent(settings, self.store, blobs, self.guard)
        self.roster = Roster(
            settings, models=models, agents=agents, tools=tools, surroundings=self.lent
        )
        self.media = Media(blobs, settings.limits.blob_bytes)
        self.dispatcher = _dispatcher(settings, self.store)
        self.works = settings.role != "api"
        limits = settings.limits
        # What another process deletes must not be remembered here.
        warm = 0 if self.store.shared else limits.history_cache_steps
        self.history = History(self.store, self.media, warm, limits.history_cache_bytes)
        self.runner = Runner(
            self.roster, self.store, self.history, self.dispatcher, limits, works=self.works
        )
        self.changes = Changes()
        self.journals = Journals(self.store, self.media, limits, self.changes.tell)
        self.reading = Reading(self.store, self.media, self.runner, self.changes)
        self.retries = Retries(limits.retry_seconds)
        self._interactions()
        self._triggers()
        self._webhooks()
        self.metrics = Metrics(self.runner)
        self.runner.on_end = self.metrics.ended
        self.ready = False
        self._tasks: list[asyncio.Task[Any]] = []

    def _interactions(self) -> None:
        """The heart's door and its routes."""
        settings = self.settings
        self.service = Service(
            settings,
            self.store,
            self.media,
            self.roster,
            self.history,
            self.runner,
            self.retries,
            self.journals,
            self.reading,
            self.dispatcher,
        )
        self.interactions = Interactions(
            settings, self.service, self.reading, self.retries, self.keys.owner_of
        )

    def _triggers(self) -> None:
        """What begins by the clock: routes, ticks, executions."""
        settings, limits = self.settings, self.settings.limits
        rows = Rows(self.store.records, time.time, settings.retention_days)
        checks = Checks(self.roster, self.history, self.reading, limits, settings.triggers)
        triggers = TriggerService(rows, self.dispatcher, checks, settings.triggers)
        self.triggers = TriggerRoutes(triggers, limits.body_bytes, self.keys.owner_of)
        self.firing = Firing(rows, self.dispatcher, settings.triggers.missed)
        self.runs = Runs(rows, self.store, self.service, self.reading)

    def _webhooks(self) -> None:
        """What an end sets off: routes for the webhooks, an outbox, a deliverer."""
        settings, records = self.settings, self.store.records
        given = settings.webhooks
        guard, rows = self.guard, WebhookRows(records, time.time)
        known = Subscriptions(records, remember=not self.store.shared)
        signing = SigningKeys(records, given.issuer, time.time)
        service = WebhookService(rows, known, self.dispatcher, guard, given)
        self.webhooks = WebhookRoutes(
            service, signing, settings.limits.body_bytes, self.keys.owner_of
        )
        self.sender = Sender(guard, given.attempt_seconds, given.parallel)
        self.deliverer = Deliverer(rows, known, self.sender, signing, given)
        kept = given.log_days * 86_400
        self.deliveries = Deliveries(records, known, self.dispatcher, kept, time.time)
        self.journals.outbox = self.deliveries

    async def open(self) -> None:
        """Opens the store, takes up what was left unfinished, begins to load the default model."""
        await self.store.open()
        await self.dispatcher.open()
        if self.store.shared:
            self.store.watch(self.changes.tell)
        if self.works:
            self._work()
        reaper = Reaper(self.store, self.dispatcher, self.runner, works=self.works)
        try:
            taken = await reaper.look(at_start=True)
        except StoreUnavailable as error:
            log.warning("unfinished interactions wait: %s", error)
        else:
            if taken:
                log.info("%d unfinished interactions are taken up", taken)
        retention = Retention(self.store, self.media, self.history, self.retries)
        self._tasks.append(asyncio.create_task(reaper.run()))
        self._tasks.append(asyncio.create_task(retention.run()))
        await self._preload()
        self.ready = True

    def _work(self) -> None:
        """Begins to take jobs."""
        recovery = Recovery(
            self.store,
            self.media,
            self.roster,
            self.history,
            self.runner,
            self.journals,
            self.dispatcher,
            self.settings.limits,
        )
        handlers: dict[str, Handler] = {
            RUN: recovery.run,
            TRIGGER: self.firing.trigger,
            EXECUTION: self.runs.execution,
            DELIVERY: self.deliverer.deliver,
        }
        places = {
            RUN: self.settings.limits.background_runs,
            TRIGGER: 16,
            EXECUTION: 256,
            DELIVERY: self.settings.webhooks.parallel,
        }
        self.dispatcher.work(handlers, places)
        for name, sweep in (
            ("triggers", self.firing.sweep),
            ("deliveries", self.deliveries.sweep),
        ):
            self._tasks.append(asyncio.create_task(sweeping(name, sweep, _SWEEP_SECONDS)))

    async def _preload(self) -> None:
        fallback = self.roster.fallback_entry()
        if fallback is not None:
            log.warning(
                "gemini-* names are answered by '%s' (gemini_fallback = false switches this off)",
                fallback,
            )
        default = self.settings.default_model
        if self.settings.preload and default in self.roster.model_names():
            await self.roster.open(self.roster.model(default))

    def drain_streams(self) -> None:
        """Ends the live streams of background runs; their clients resume at the next server."""
        for tail in list(self.interactions.tails):
            tail.drain()

    async def close(self) -> None:
        """Finishes or hands back what runs, then lets go of everything."""
        self.ready = False
        await asyncio.gather(self.runner.drain(), self.dispatcher.drain())
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        try:
            await self.deliveries.close()
            await self.sender.close()
            await self.lent.close()
            await self.roster.close()
        finally:
            await self.dispatcher.close()
            await self.store.close()


def _store(settings: Settings) -> Store:
    name = settings.store or ("postgres" if settings.on_postgres else "sqlite")
    kind: Any = registry.load("interplay.stores", name)
    return kind(
        folder=settings.data_path,
        durability=settings.durability,
        database=settings.database,
        shared=settings.shared,
        connections=settings.limits.database_connections,
        patience=settings.limits.database_seconds,
    )


def _dispatcher(settings: Settings, store: Store) -> Dispatcher:
    name = settings.dispatcher or ("dbos" if settings.on_postgres else "local")
    kind: Any = registry.load("interplay.dispatchers", name)
    return kind(
        jobs=store.jobs,
        folder=settings.data_path,
        database=settings.database,
        shared=store.shared,
        silence=settings.limits.worker_silence_seconds,
    )


def _blobs(settings: Settings) -> Blobs:
    remote = settings.blobs_url.startswith("s3://")
    kind: Any = registry.load("interplay.blobs", settings.blobs or ("s3" if remote else "files"))
    where = settings.blobs_url or str(settings.data_path / "blobs")
    return kind(where if remote else Path(where), durability=settings.durability)


def changed(settings: Settings, **values: Any) -> Settings:
    """Settings with some values replaced."""
    return msgspec.structs.replace(settings, **values)
