"""The processes of one deployment, and what befalls them."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import tomli_w

from tests.crash.chaos.plan import Plan, config
from tests.ports import free_port
from tests.postgres import Server

READY = ("is listening on", "worker is ready")


class Database:
    """A database on a server that can be broken off."""

    def __init__(self, server: Server, url: str) -> None:
        self._server, self.url = server, url
        self._restarting = asyncio.Lock()

    async def restart(self, away: float) -> None:
        """Ends the server as a crash would, and starts it again after so many seconds."""
        async with self._restarting:
            await asyncio.to_thread(self._server.stop, "immediate")
            await asyncio.sleep(away)
            await asyncio.to_thread(self._server.start)


class NotReady(Exception):
    """A process did not come up; the message is the end of its log."""


class Member:
    """One process of the fleet, started again after each death under the same address."""

    def __init__(self, name: str, arguments: list[str], folder: Path, plan: Plan) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = folder / f"{name}.log"
        self.answers = "worker" not in arguments
        self.frozen = False
        self.is_well = True
        """Nothing is being done to it."""
        self._command = [
            *(sys.executable, "-m", "tests.crash.chaos.child", *arguments),
            *("--port", str(self.port), "--config", str(folder / "interplay.toml")),
            *("--data-dir", str(folder / "data"), "--cache-dir", str(folder / "cache")),
        ]
        self._environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(path or "." for path in sys.path),
            "PYTHONUNBUFFERED": "1",
            "CHAOS_MUTANT": plan.mutant,
            "CHAOS_UNANSWERED": str(plan.unanswered),
        }
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Starts it and waits until it is ready; one that gives up, as the database is away, is
        started again, as a supervisor would. Raises NotReady."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if await self._started(deadline - time.monotonic()):
                return
            await self.kill()
        raise NotReady(self.log.read_text()[-3000:])

    async def _started(self, seconds: float) -> bool:
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self._command, stdout=asyncio.subprocess.PIPE, stderr=log, env=self._environment
            )
        assert self._process.stdout is not None
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while line := (await self._process.stdout.readline()).decode():
                    if any(ready in line for ready in READY):
                        return True
        return False

    async def kill(self) -> None:
        """kill -9."""
        if self._process is not None:
            if self._process.returncode is None:
                self._process.kill()
            await self._process.wait()

    async def stop(self) -> int:
        """Asks it to end, as an operator does; its exit status."""
        assert self._process is not None
        self._process.terminate()
        async with asyncio.timeout(30):
            return await self._process.wait()

    def freeze(self, frozen: bool) -> None:
        """Stops it in the middle of whatever it does, or lets it go on."""
        assert self._process is not None
        if self._process.returncode is None:
            self.frozen = frozen
            self._process.send_signal(signal.SIGSTOP if frozen else signal.SIGCONT)


class Fleet:
    """All processes of a shape. `acts` counts what befell them."""

    def __init__(self, plan: Plan, folder: Path, database: Database | None = None) -> None:
        self._plan, self._database = plan, database
        self._dice = random.Random(plan.seed)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "interplay.toml").write_text(tomli_w.dumps(config(plan)))
        self.members = [
            Member(f"{number}-{arguments[0]}", arguments, folder, plan)
            for number, arguments in enumerate(self._shape())
        ]
        self.acts: Counter[str] = Counter()

    def _shape(self) -> list[list[str]]:
        if self._plan.shape == "alone":
            return [["serve"]]
        if self._plan.shape == "shared":
            return [["serve", "--shared"]] * 2
        if self._plan.shape != "postgres" or self._database is None:
            raise ValueError(f"There is no shape '{self._plan.shape}', or no database for it.")
        url = ["--database", self._database.url]
        return [["serve", "--role", "api", *url]] * 2 + [["worker", *url]] * 2

    async def start(self) -> None:
        """Starts everything; the first alone, as it makes the database."""
        await self.members[0].start()
        await asyncio.gather(*(member.start() for member in self.members[1:]))

    async def end(self) -> None:
        """Kills everything."""
        for member in self.members:
            if member.frozen:
                member.freeze(False)
        await asyncio.gather(*(member.kill() for member in self.members))

    async def stop(self) -> list[int]:
        """Stops everything as an operator does; the exit statuses."""
        return list(await asyncio.gather(*(member.stop() for member in self.members)))

    def any_url(self, dice: random.Random) -> str:
        """The address of one that answers, whatever its state."""
        return dice.choice([member for member in self.members if member.answers]).url

    async def trouble(self) -> None:
        """One thing after the other goes wrong, until cancelled; everything runs afterwards."""
        acts: set[asyncio.Task[None]] = set()
        try:
            while not any(act.done() and act.exception() for act in acts):
                await asyncio.sleep(self._dice.uniform(*self._plan.kill_every))
                if not any(member.is_well for member in self.members):
                    # On a slow machine nothing would ever live long enough to get anything done.
                    await asyncio.wait(acts)
                    continue
                acts.add(asyncio.create_task(self._act()))
        finally:
            await asyncio.gather(*acts)

    async def _act(self) -> None:
        chance = self._dice.random()
        if self._database is not None and chance < self._plan.database_restarts:
            self.acts["database restarts"] += 1
            await self._database.restart(self._dice.uniform(0.0, 2.0))
            return
        freezes = len(self.members) > 1 and chance > 1 - self._plan.freezes
        well = [member for member in self.members if member.is_well]
        if len(well) <= freezes:
            return
        member = self._dice.choice(well)
        member.is_well = False
        if freezes:
            self.acts["freezes"] += 1
            member.freeze(True)
            # About as long as others need to take over: it wakes up while they begin.
            await asyncio.sleep(self._plan.silence + self._dice.uniform(0.2, 1.0))
            member.freeze(False)
        else:
            self.acts["kills"] += 1
            await member.kill()
            await member.start()
        member.is_well = True
