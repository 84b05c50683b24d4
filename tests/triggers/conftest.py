"""Triggers over a real store and real runs, with a clock and jobs that the test moves by hand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from interplay.contracts.dispatcher import Handler
from interplay.server.assembly import Assembly
from interplay.settings import Settings, Triggers
from interplay.testing.scripted_agent import ScriptedAgent
from interplay.testing.scripted_model import ScriptedModel
from interplay.triggers.checks import Checks
from interplay.triggers.firing import Firing
from interplay.triggers.rows import EXECUTION, TRIGGER, Rows
from interplay.triggers.runs import Runs
from interplay.triggers.service import TriggerService
from interplay.wire.interaction import CreateInteraction
from interplay.wire.trigger import Trigger, TriggerCreateParams, TriggerExecution

OWNER = "ann"
HELD = {"hold": "h"}
"""What an agent does that waits for the test."""


class Clock:
    """Unix seconds that the test sets, also back."""

    def __init__(self, now: str) -> None:
        self.now = datetime.fromisoformat(now).replace(tzinfo=UTC).timestamp()

    def __call__(self) -> float:
        return self.now

    def at(self, now: str) -> None:
        """Sets it."""
        self.now = datetime.fromisoformat(now).replace(tzinfo=UTC).timestamp()


class HandDispatcher:
    """Jobs that wait until the test does what is due."""

    executor = "by-hand"

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.jobs: dict[tuple[str, str], float] = {}
        self.handlers: dict[str, Handler] = {}

    async def submit(self, kind: str, id: str, *, due: float = 0.0, tier: int = 1) -> None:
        self.jobs.setdefault((kind, id), due)

    async def cancel(self, kind: str, id: str) -> None:
        self.jobs.pop((kind, id), None)

    async def work(self) -> None:
        """Does every job that is due, and what they submit."""
        async with asyncio.timeout(60):
            while due := [job for job, at in self.jobs.items() if at <= self._clock()]:
                for kind, id in due:
                    again = await self.handlers[kind](id)
                    if again is None:
                        self.jobs.pop((kind, id), None)
                    elif (kind, id) in self.jobs:
                        self.jobs[kind, id] = again

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"Triggers need no '{name}' of a dispatcher.")


class Replica:
    """The parts of one process."""

    def __init__(self, assembly: Assembly, clock: Clock, settings: Triggers) -> None:
        jobs: Any = HandDispatcher(clock)
        rows = Rows(assembly.store.records, clock, assembly.settings.retention_days)
        whole = msgspec.structs.replace(assembly.settings, triggers=settings)
        checks = Checks(
            assembly.roster, assembly.history, assembly.reading, whole, assembly.references
        )
        self.jobs, self.rows, self.checks = jobs, rows, checks
        self.triggers = TriggerService(rows, jobs, checks, settings)
        self.firing = Firing(rows, jobs, settings.missed)
        self.runs = Runs(rows, assembly.store, assembly.service, assembly.reading, hold=0)
        jobs.handlers = {TRIGGER: self.firing.trigger, EXECUTION: self.runs.execution}


class Shop:
    """A server's parts without its HTTP, and triggers over them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.clock = Clock("2036-06-01 08:00")
        self.agent = ScriptedAgent.of("done")
        self.model = ScriptedModel.of(echo=True)
        self._assembly: Assembly | None = None

    async def open(
        self, *acts: Any, limits: Any = None, agents: Any = None, **triggers: Any
    ) -> Replica:
        """Opens everything; the agent `a` does these acts, the model `m` echoes."""
        self.agent = ScriptedAgent.of(*(acts or ("done",)))
        self.settings = Triggers(**triggers)
        settings = Settings(
            data_dir=str(self._folder / "data"),
            cache_dir=str(self._folder / "cache"),
            triggers=self.settings,
            **({"limits": limits} if limits is not None else {}),
        )
        agents = {"a": self.agent, **(agents or {})}
        self._assembly = Assembly(settings, models={"m": self.model}, agents=agents)
        await self._assembly.open()
        return self.replica()

    @property
    def assembly(self) -> Assembly:
        """The server's parts."""
        assert self._assembly is not None
        return self._assembly

    def replica(self) -> Replica:
        """Another process over the same store, as far as triggers see it."""
        return Replica(self.assembly, self.clock, self.settings)

    async def ended(self, id: str) -> None:
        """Waits for the end of an interaction."""
        await self.assembly.reading.ended(id, OWNER, 60)

    async def close(self) -> None:
        if self._assembly is not None:
            await self._assembly.close()


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncGenerator[Shop]:
    made = Shop(tmp_path)
    try:
        yield made
    finally:
        await made.close()


def asked(**fields: Any) -> TriggerCreateParams:
    """A create body; by default the agent `a` at every full hour."""
    given = {"schedule": "0 * * * *", "time_zone": "UTC", **fields}
    given.setdefault("interaction", CreateInteraction(agent="a", input="go"))
    return TriggerCreateParams(**given)


async def created(replica: Replica, **fields: Any) -> Trigger:
    """A new trigger."""
    return await replica.triggers.create(asked(**fields), OWNER, key=None, fingerprint="f")


async def history(replica: Replica, id: str) -> list[TriggerExecution]:
    """Every execution of a trigger, the oldest first."""
    page = await replica.triggers.executions(id, OWNER, 500, None)
    return (page.trigger_executions or [])[::-1]


async def told(replica: Replica, id: str) -> list[tuple[str, str]]:
    """Scheduled time and status of every execution, the oldest first."""
    return [
        ((execution.scheduled_time or "")[5:16], execution.status or "")
        for execution in await history(replica, id)
    ]
