"""Processes of one server for the benches: apis and workers over one store."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

from bench.processes import ROOT, NotReady, cpu_seconds

_START_SECONDS = 90.0


class Member:
    """One process: `interplay serve` or `interplay worker`."""

    def __init__(self, name: str, words: list[str], log: Path) -> None:
        self.name, self._words, self._log = name, words, log
        self.url = ""
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Starts it and waits until it is ready."""
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "interplay", *self._words),
            stdout=asyncio.subprocess.PIPE,
            stderr=self._log.open("ab"),
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            cwd=ROOT,
        )
        assert self._process.stdout is not None
        async with asyncio.timeout(_START_SECONDS):
            while "http://" not in self.url:
                line = (await self._process.stdout.readline()).decode()
                if not line:
                    raise NotReady(f"{self.name}: {self._log.read_text()[-2000:]}")
                self.url = line.split()[-1]

    @property
    def pid(self) -> int:
        """The process id."""
        assert self._process is not None
        return self._process.pid

    def cpu(self) -> float:
        """CPU seconds it has taken."""
        return cpu_seconds(self.pid)

    async def end(self, how: signal.Signals = signal.SIGTERM) -> None:
        """Sends a signal and waits until it is gone."""
        if self._process is None or self._process.returncode is not None:
            return
        self._process.send_signal(how)
        try:
            await asyncio.wait_for(self._process.wait(), 20)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
        self.url = ""


class Cluster:
    """Members over one store; with `database` on PostgreSQL, else on one shared SQLite file."""

    def __init__(
        self, folder: Path, upstream: int, database: str = "", *, places: int = 64
    ) -> None:
        self._folder, self._database = folder, database
        folder.mkdir(parents=True, exist_ok=True)
        self._config = folder / "interplay.toml"
        self._config.write_text(
            "\n".join(
                [
                    'log_level = "warning"',
                    'default_model = "bench-fixed"',
                    f'cache_dir = "{folder / "cache"}"',
                    "[limits]",
                    f"background_runs = {places}",
                    '[models."bench-*"]',
                    'backend = "openai_compatible"',
                    f'base_url = "http://127.0.0.1:{upstream}/v1"',
                ]
            )
            + "\n"
        )
        self.members: list[Member] = []

    async def add(self, role: str, *, shared: bool = True) -> Member:
        """Starts one more process with this role: all, api or worker."""
        words = ["worker"] if role == "worker" else ["serve", "--role", role]
        words += ["--port", "0", "--data-dir", str(self._folder / "data")]
        words += ["--config", str(self._config)]
        if self._database:
            words += ["--database", self._database]
        elif shared:
            words += ["--shared"]
        name = f"{role}-{len(self.members)}"
        member = Member(name, words, self._folder / f"{name}.log")
        self.members.append(member)
        await member.start()
        return member

    async def end(self) -> None:
        """Ends every member, workers first."""
        for member in self.members[::-1]:
            await member.end()
