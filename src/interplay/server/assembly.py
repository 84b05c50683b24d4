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
from interplay.contracts.documents.parsers import Parsers
from interplay.contracts.egress import Guard
from interplay.contracts.model import Model
from interplay.contracts.store import Store, StoreUnavailable
from interplay.contracts.tool import Tool
from interplay.files.parts import Parts
from interplay.files.routes import FileRoutes
from interplay.files.rows import Rows as FileRows
from interplay.files.search.embedding import EMBED, Embedding
from interplay.files.search.indexing import INDEX, Indexing
from interplay.files.search.library import Library
from interplay.files.search.pages import Pages
from interplay.files.search.routes import SearchRoutes
from interplay.files.search.rows import SearchRows
from interplay.files.search.service import SearchService
from interplay.files.service import FileService
from interplay.files.uploads import Uploads
from interplay.interactions.changes import Changes
from interplay.interactions.documents import Documents
from interplay.interactions.history import History
from interplay.interactions.journals import Journals
from interplay.interactions.media import Media
from interplay.interactions.reading import Reading
from interplay.interactions.reaper import Reaper
from interplay.interactions.recovery import Recovery
from interplay.interactions.references import References
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
_FILES_SECONDS = 600.0
_READERS = 2
"""Processes that read documents for models, at a time."""


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
        # Another process may be just putting what nobody refers to here.
        idle = 600.0 if self.store.shared else 0.0
        self.media = Media(blobs, settings.limits.blob_bytes, idle=idle)
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
        self._files()
        self._interactions()
        self._triggers()
        self._webhooks()
        self.metrics = Metrics(self.runner)
        self.runner.on_end = self.metrics.ended
        self.ready = False
        self._tasks: list[asyncio.Task[Any]] = []
        self._leaving: asyncio.Future[Any] | None = None

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
            self.references,
        )
        self.interactions = Interactions(
            settings, self.service, self.reading, self.retries, self.keys.owner_of
        )

    def _triggers(self) -> None:
        """What begins by the clock: routes, ticks, executions."""
        settings, limits = self.settings, self.settings.limits
        rows = Rows(self.store.records, time.time, settings.retention_days)
        checks = Checks(self.roster, self.history, self.reading, settings, self.references)
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
        kept = given.log_days * 86_400 + given.retry_hours * 3_600
        self.deliveries = Deliveries(records, known, self.dispatcher, kept, time.time)
        self.journals.outbox = self.deliveries

    def _files(self) -> None:
        """What callers upload: its bytes lie apart from the media of interactions."""
        settings = self.settings
        rows = FileRows(self.store.records, time.time)
        parts = Parts(_blobs(settings, "files"), rows)
        uploads = Uploads(rows, parts, settings.files)
        self.files = FileService(rows, parts)
        parsers, limits = Parsers(_READERS, settings.files.parse_memory), settings.limits
        documents = Documents(parsers, limits.media_seconds)
        self.references = References(self.files, self.guard, documents, limits)
        self.file_routes = FileRoutes(self.files, uploads, self.keys.owner_of)
        search = SearchRows(self.store.records, time.time)
        parts.others.append(search.living)
        embedder, reranker, given = self.lent.embedder(), self.lent.reranker(), settings.files
        self.embedding = (
            Embedding(search, parts, self.dispatcher, embedder) if embedder is not None else None
        )
        parsers = Parsers(given.indexing, given.parse_memory)
        self.pages = Pages(parts, parsers, given.parse_seconds)
        self.indexing = Indexing(search, parts, self.dispatcher, self.pages, self.embedding)
        self.library = Library(
            search,
            parts,
            settings.data_path / "search",
            embedder,
            reranker,
            reranked=given.reranked,
        )
        self.lent.shelves = self.library
        name = embedder.facts.name if embedder is not None else ""
        service = SearchService(search, self.indexing, given, name)
        self.search_routes = SearchRoutes(service, self.files, uploads, self.keys.owner_of)

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
            self.references,
        )
        handlers: dict[str, Handler] = {
            RUN: recovery.run,
            TRIGGER: self.firing.trigger,
            EXECUTION: self.runs.execution,
            DELIVERY: self.deliverer.deliver,
            INDEX: self.indexing.index,
        }
        places = {
            RUN: self.settings.limits.background_runs,
            TRIGGER: 16,
            EXECUTION: 256,
            DELIVERY: self.settings.webhooks.parallel,
            INDEX: self.settings.files.indexing,
        }
        if self.embedding is not None:
            handlers[EMBED], places[EMBED] = self.embedding.embed, 1
            embedding = sweeping("vectors", self.embedding.sweep, _SWEEP_SECONDS)
            self._tasks.append(asyncio.create_task(embedding))
        self.dispatcher.work(handlers, places)
        for name, sweep, seconds in (
            ("triggers", self.firing.sweep, _SWEEP_SECONDS),
            ("deliveries", self.deliveries.sweep, _SWEEP_SECONDS),
            ("files", self.files.sweep, _FILES_SECONDS),
            ("documents", self.indexing.sweep, _SWEEP_SECONDS),
            ("indexes", self.library.sweep, _FILES_SECONDS),
        ):
            self._tasks.append(asyncio.create_task(sweeping(name, sweep, seconds)))

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

    def leave(self) -> None:
        """The process is going to end: background runs go to others at once, while foreground
        requests are still answered. Their streams end, and are resumed at another server."""
        self.ready = False
        for tail in list(self.interactions.tails):
            tail.drain()
        if self._leaving is None:
            self._leaving = asyncio.gather(self.runner.leave(), self.dispatcher.drain())

    async def close(self) -> None:
        """Finishes or hands back what runs, then lets go of everything."""
        self.leave()
        if self._leaving is not None:
            await self._leaving
        await self.runner.drain()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        try:
            await self.deliveries.close()
            await self.sender.close()
            await self.references.close()
            await self.pages.close()
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


def _blobs(settings: Settings, part: str = "") -> Blobs:
    """The blobs of interactions, or those of another `part` in a place of its own beside them."""
    remote = settings.blobs_url.startswith("s3://")
    kind: Any = registry.load("interplay.blobs", settings.blobs or ("s3" if remote else "files"))
    if remote:
        bucket, _, options = settings.blobs_url.partition("?")
        where = f"{bucket.rstrip('/')}/{part}?{options}" if part else settings.blobs_url
        return kind(where, durability=settings.durability)
    folder = settings.data_path / (part or "blobs")
    if settings.blobs_url:
        folder = Path(settings.blobs_url, part)
    return kind(folder, durability=settings.durability)


def changed(settings: Settings, **values: Any) -> Settings:
    """Settings with some values replaced."""
    return msgspec.structs.replace(settings, **values)
