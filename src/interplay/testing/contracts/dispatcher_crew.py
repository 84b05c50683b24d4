"""What the suite over dispatchers is played with: handlers that note their calls, and processes."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack

from interplay.contracts.dispatcher import Dispatcher
from interplay.contracts.registry import load

SECONDS = 60.0
"""How long the suite waits for what has no promised time."""


async def eventually(condition: Callable[[], object], seconds: float | None = None) -> None:
    """Returns as soon as the condition holds; TimeoutError when it does not in that time."""
    async with asyncio.timeout(SECONDS if seconds is None else seconds):
        while not condition():  # noqa: ASYNC110 - what it looks at tells nobody of a change
            await asyncio.sleep(0.005)


class Work:
    """A handler that notes when it is called, and for what.

    With `held`, each call stays until its id is let go. `answer` is asked at the end of a call,
    with the id and how often it was called, and may raise.
    """

    def __init__(
        self, *, held: bool = False, answer: Callable[[str, int], float | None] | None = None
    ) -> None:
        self.began: list[str] = []
        self.times: list[float] = []
        """When each call began, in Unix seconds."""
        self.stopped: list[str] = []
        self.ended: list[str] = []
        self.most = 0
        """How many calls there were at a time, at most."""
        self._now = 0
        self._held, self._answer = held, answer
        self._gates: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)

    def let_go(self, *ids: str) -> None:
        """Calls for these ids go on, those that come later too."""
        for id in ids:
            self._gates[id].set()

    async def __call__(self, id: str) -> float | None:
        self.began.append(id)
        self.times.append(time.time())
        self._now += 1
        self.most = max(self.most, self._now)
        try:
            if self._held:
                await self._gates[id].wait()
        except asyncio.CancelledError:
            self.stopped.append(id)
            raise
        finally:
            self._now -= 1
        self.ended.append(id)
        return self._answer(id, self.began.count(id)) if self._answer is not None else None


class Elsewhere:
    """A dispatcher in a process of its own; see interplay.testing.dispatching."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.said: list[str] = []
        """Every line it said, in order."""
        self._listening = asyncio.create_task(self._listen())

    @property
    def executor(self) -> str:
        """The name of its dispatcher."""
        return self.said[0].split()[1]

    def began(self, kind: str = "run") -> list[str]:
        """The ids of the jobs it began, in order."""
        lines = (line.split() for line in self.said)
        return [words[2] for words in lines if words[:2] == ["began", kind]]

    def tell(self, order: str) -> None:
        """Has it obey an order."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{order}\n".encode())

    def signal(self, which: signal.Signals) -> None:
        """Sends it a signal."""
        self._process.send_signal(which)

    async def end(self) -> None:
        """Kills it, unless it has ended, and waits until it is gone."""
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()
        await self._listening

    async def _listen(self) -> None:
        assert self._process.stdout is not None
        while line := await self._process.stdout.readline():
            self.said.append(line.decode().strip())


class Crew:
    """Dispatchers over one place: some here, as if each were a process, some in real ones."""

    def __init__(self, opens: str, place: str, silence: float, stack: AsyncExitStack) -> None:
        self._opens, self._place, self._silence, self._stack = opens, place, silence, stack

    async def join(self) -> Dispatcher:
        """One more executor in this process."""
        opened = load("interplay.dispatchers", self._opens)(self._place, self._silence)
        return await self._stack.enter_async_context(opened)

    async def worker(
        self, work: Mapping[str, Work] | Work, places: int = 4, kind: str = "run"
    ) -> Dispatcher:
        """One more executor here, which works."""
        dispatcher = await self.join()
        handlers = {kind: work} if isinstance(work, Work) else dict(work)
        dispatcher.work(handlers, dict.fromkeys(handlers, places))
        return dispatcher

    async def elsewhere(self, *orders: str) -> Elsewhere:
        """One more executor in a process of its own, open and told these orders."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "interplay.testing.dispatching"),
            *(self._opens, self._place, str(self._silence)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(path or "." for path in sys.path)},
        )
        there = Elsewhere(process)
        self._stack.push_async_callback(there.end)
        await eventually(lambda: there.said or process.returncode is not None, 30.0)
        assert there.said, "The process ended before it was open."
        for order in orders:
            there.tell(order)
        return there
