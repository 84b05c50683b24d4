"""A real `interplay serve` in a process of its own, to be killed."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import tomli_w

from tests.api.api import Api


class Process:
    """One server process over a data folder; it may be ended and started again."""

    def __init__(self, folder: Path, session: aiohttp.ClientSession, config: dict[str, Any]):
        self._folder, self._session = folder, session
        self._config = folder / "interplay.toml"
        self._config.write_text(tomli_w.dumps(config))
        self._process: asyncio.subprocess.Process | None = None
        self.limit_file_bytes: int | None = None
        """RLIMIT_FSIZE of the next process."""
        self.failpoint = ""
        """Where the next process dies; see interplay.contracts.failpoint."""
        self.api = Api("", session)

    async def start(self) -> Api:
        """Starts it and waits until it is ready."""
        limit = self.limit_file_bytes

        def limited() -> None:
            if limit is not None:
                import resource

                signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
                resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "interplay", "serve", "--port", "0",
            "--data-dir", str(self._folder / "data"), "--config", str(self._config),
            stdout=asyncio.subprocess.PIPE,
            stderr=(self._folder / "log").open("ab"),
            env={
                **os.environ,
                "PYTHONUNBUFFERED": "1",
                "INTERPLAY_FAILPOINT": self.failpoint,
            },
            preexec_fn=limited if limit is not None else None,
        )  # fmt: skip
        assert self._process.stdout is not None
        async with asyncio.timeout(90):
            while True:
                line = (await self._process.stdout.readline()).decode()
                assert line, (self._folder / "log").read_text()[-3000:]
                if "listening on" in line:
                    break
        self.api = Api(line.split()[-1], self._session)
        return self.api

    async def died(self, seconds: float = 60) -> None:
        """Waits until it has killed itself."""
        assert self._process is not None
        async with asyncio.timeout(seconds):
            assert await self._process.wait() == -signal.SIGKILL, self.log()[-3000:]

    async def end(self, how: signal.Signals = signal.SIGKILL, seconds: float = 90) -> int:
        """Sends a signal and waits for the end."""
        assert self._process is not None
        if self._process.returncode is None:
            self._process.send_signal(how)
        async with asyncio.timeout(seconds):
            return await self._process.wait()

    def log(self) -> str:
        """What it wrote to standard error."""
        return (self._folder / "log").read_text()


@asynccontextmanager
async def process(folder: Path, **config: Any) -> AsyncGenerator[Process]:
    """A process that is certainly gone afterwards."""
    async with aiohttp.ClientSession() as session:
        running = Process(folder, session, config)
        try:
            yield running
        finally:
            if running._process is not None:
                await running.end()
