"""One run of the chaos: a fleet, its clients, and what became of their interactions."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import aiohttp
import msgspec

from tests.crash.chaos.clients import Clients
from tests.crash.chaos.fleet import Database, Fleet
from tests.crash.chaos.plan import Plan
from tests.crash.chaos.story import Story, Violation


class Outcome(msgspec.Struct, kw_only=True):
    """What came of it."""

    violations: list[str]
    acts: dict[str, int]
    statuses: dict[str, int]
    events: int
    resumes: int
    longest_gap: float
    """The longest time any client waited for its next event, in seconds."""
    seconds: float
    tracebacks: int
    """In the logs of the processes."""
    exits: list[int]
    """Exit statuses after SIGTERM at the end."""

    def __str__(self) -> str:
        lines = [f"violations     {len(self.violations)}"]
        lines += [f"  {violation}" for violation in self.violations[:20]]
        lines += [f"{name:14} {count}" for name, count in self.acts.items()]
        lines += [f"{name:14} {count}" for name, count in self.statuses.items()]
        lines += [
            f"events         {self.events}",
            f"resumes        {self.resumes}",
            f"longest gap    {self.longest_gap:.1f} s",
            f"took           {self.seconds:.0f} s",
            f"tracebacks     {self.tracebacks}",
        ]
        return "\n".join(lines)


class Show:
    """Everything of one run."""

    def __init__(self, plan: Plan, folder: Path, database: Database | None) -> None:
        self._plan, self._folder = plan, folder
        self._fleet = Fleet(plan, folder, database)
        self._violations: list[str] = []
        self._caught = asyncio.Event()
        dice = random.Random(plan.seed + 2)
        self._stories = [
            Story(number, dice.choice(plan.models), self._noted)
            for number in range(plan.interactions)
        ]

    def _noted(self, broken: Violation) -> None:
        self._violations.append(str(broken))
        self._caught.set()

    async def run(self) -> Outcome:
        """Raises NotReady when a process does not come up."""
        began = time.monotonic()
        limit = aiohttp.TCPConnector(limit=0)
        exits: list[int] = []
        async with aiohttp.ClientSession(connector=limit) as session:
            clients = Clients(self._plan, self._fleet, session)
            try:
                await self._fleet.start()
                whole = asyncio.create_task(self._play(clients))
                if await self._until_over(whole):
                    exits = await self._fleet.stop()
                    if any(exits):
                        self._noted(Violation(f"exit statuses after SIGTERM: {exits}"))
            finally:
                await self._fleet.end()
        return self._outcome(time.monotonic() - began, exits)

    async def _until_over(self, whole: asyncio.Task[None]) -> bool:
        """Whether it came to its end; with `until_caught` the first violation breaks it off."""
        caught = asyncio.create_task(self._caught.wait())
        waited = {whole, caught} if self._plan.until_caught else {whole}
        await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
        caught.cancel()
        if whole.done():
            await whole
            return True
        whole.cancel()
        with suppress(asyncio.CancelledError):
            await whole
        return False

    async def _play(self, clients: Clients) -> None:
        trouble = asyncio.create_task(self._fleet.trouble())
        lives = [asyncio.create_task(self._begin(clients, story)) for story in self._stories]
        try:
            await asyncio.wait({trouble}, timeout=self._plan.seconds)
            await self._until_enough(trouble)
            trouble.cancel()
            with suppress(asyncio.CancelledError):
                await trouble
            await asyncio.gather(*lives)
        finally:
            for task in (trouble, *lives):
                task.cancel()
            await asyncio.gather(trouble, *lives, return_exceptions=True)
        for story in self._stories:
            if story.id and not story.broken:
                await clients.judge(story)
        await self._count(clients)

    async def _until_enough(self, trouble: asyncio.Task[None]) -> None:
        """A machine that is slow or busy takes longer to start again what was killed."""
        until = time.monotonic() + 4 * self._plan.seconds
        while sum(self._fleet.acts.values()) < self._plan.acts and time.monotonic() < until:
            if (await asyncio.wait({trouble}, timeout=0.2))[0]:
                return

    async def _begin(self, clients: Clients, story: Story) -> None:
        """They come one after the other over most of the time."""
        await asyncio.sleep(self._plan.seconds * 0.85 * story.number / self._plan.interactions)
        for witness in story.witnesses:
            witness.heard = time.monotonic()
        await clients.live(story)

    async def _count(self, clients: Clients) -> None:
        made = {story.id for story in self._stories if story.id}
        found = await clients.listed()
        if set(found) != made:
            lost, extra = made - set(found), set(found) - made
            self._noted(Violation(f"lost: {sorted(lost)}, made twice: {sorted(extra)}"))
        for id, status in found.items():
            if status in ("in_progress", "queued"):
                self._noted(Violation(f"{id} is {status} in the end"))
        self._statuses = Counter(found.values())

    def _outcome(self, seconds: float, exits: list[int]) -> Outcome:
        witnesses = [witness for story in self._stories for witness in story.witnesses]
        logs = [path.read_text(errors="replace") for path in self._folder.glob("*.log")]
        return Outcome(
            violations=self._violations,
            acts=dict(self._fleet.acts),
            statuses=dict(getattr(self, "_statuses", {})),
            events=sum(witness.count for witness in witnesses),
            resumes=sum(witness.resumes for witness in witnesses),
            longest_gap=max(witness.longest for witness in witnesses),
            seconds=seconds,
            tracebacks=sum(log.count("Traceback") for log in logs),
            exits=exits,
        )
