"""Live streams through the store: commit, then publish, behind the fence.

    python -m bench.journal                              # SQLite shared by two processes
    python -m bench.journal --alone                      # SQLite of one process
    python -m bench.journal --database postgresql://...  # PostgreSQL, two processes

Two hundred interactions write 50 events of 150 bytes a second each. Every event has a moment at
which it is made, on a clock that does not wait for the store; its tail is from there until a
reader has it: one in the writing process, who gets it when its commit is answered, and one in a
second process, who follows through `watch` and `events`. Each reader checks that it gets every
event once and in order. Exit code 1 when fewer than 9,000 events/s are reached, or when a p50 is
above 10 ms (25 ms on PostgreSQL).
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from interplay.contracts import registry
from interplay.contracts.store import Ending, NewInteraction, Store

FLOOR = 9_000
SQLITE_LIMIT, POSTGRES_LIMIT = 10.0, 25.0
_TICK_SECONDS = 0.001
_BACKSTOP_SECONDS = 0.5
_PATIENCE_SECONDS = 60.0
_TEXT = "x" * 60


def event(number: int, made: float) -> bytes:
    """About 150 bytes; `made` is on the clock of the machine."""
    return (
        b'{"event_type":"step.delta","event_id":"%d","index":0,"made":%.6f,'
        b'"delta":{"type":"text","text":"%s"}}' % (number, made, _TEXT.encode())
    )


def made_at(data: bytes) -> tuple[int, float]:
    """The number of an event, and when it was made."""
    number = data[data.index(b'_id":"') + 6 : data.index(b'","index"')]
    made = data[data.index(b'"made":') + 7 : data.index(b',"delta"')]
    return int(number), float(made)


def build(options: argparse.Namespace) -> Store:
    """The store that the options name."""
    name = "postgres" if options.database else "sqlite"
    kind: Any = registry.load("interplay.stores", options.store or name)
    return kind(
        folder=Path(options.folder),
        durability=options.durability,
        database=options.database,
        shared=not options.alone,
        connections=options.connections,
        patience=30.0,
    )


class Stream:
    """One interaction: what is made waits for the commit before it, and is published after it."""

    def __init__(self, store: Store, id: str, tails: list[float]) -> None:
        self._store, self.id, self._tails = store, id, tails
        self._pending: list[tuple[int, float]] = []
        self._made = self.committed = 0
        self.pump: asyncio.Task[None] | None = None

    def make(self, due: float) -> None:
        """One event more."""
        self._pending.append((self._made, due))
        self._made += 1
        if self.pump is None:
            self.pump = asyncio.create_task(self._run())

    async def _run(self) -> None:
        while self._pending:
            batch, self._pending = self._pending, []
            events = [event(number, made) for number, made in batch]
            await self._store.append(self.id, 1, self.committed - 1, events)
            now = time.monotonic()
            self.committed += len(batch)
            self._tails += [now - made for _, made in batch]
        self.pump = None


async def produce(streams: list[Stream], rate: float, seconds: float) -> float:
    """Makes events at their times; how many seconds it took until all were published."""
    began = time.monotonic()
    apart = 1 / (rate * len(streams))
    count, total = 0, int(seconds / apart)
    while count < total:
        now = time.monotonic()
        while count < total and began + count * apart <= now:
            streams[count % len(streams)].make(began + count * apart)
            count += 1
        await asyncio.sleep(_TICK_SECONDS)
    async with asyncio.timeout(_PATIENCE_SECONDS):
        await asyncio.gather(*(one.pump for one in streams if one.pump is not None))
    return time.monotonic() - began


class Follower:
    """A reader of interactions that run in another process."""

    def __init__(self, store: Store, ids: list[str]) -> None:
        self._store = store
        self.read = dict.fromkeys(ids, 0)
        self.tails: list[float] = []
        self._news: set[str] = set()
        self._looking: dict[str, asyncio.Task[None]] = {}

    def seen(self, id: str | None) -> None:
        """What is given to `watch`."""
        for one in self.read if id is None else (id,):
            self._news.add(one)
            if one not in self._looking and one in self.read:
                self._looking[one] = asyncio.create_task(self._look(one))

    async def _look(self, id: str) -> None:
        while id in self._news:
            self._news.discard(id)
            found = await self._store.events(id, self.read[id] - 1)
            now = time.monotonic()
            for data in found:
                number, made = made_at(data)
                if number != self.read[id]:
                    raise AssertionError(f"{id}: event {number} after {self.read[id] - 1}")
                self.read[id] += 1
                self.tails.append(now - made)
        del self._looking[id]

    async def follow(self, stop: asyncio.Event) -> None:
        """Looks anyway once in a while, until all is there that is to come."""
        while not stop.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), _BACKSTOP_SECONDS)
            self.seen(None)
        while self._looking:
            await asyncio.gather(*self._looking.values())


async def second(options: argparse.Namespace) -> None:
    """The other process: follows, and says at the end what it has read."""
    store = build(options)
    await store.open()
    follower = Follower(store, names(options))
    store.watch(follower.seen)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(sys.stdin.fileno(), stop.set)
    print("ready", flush=True)
    began = time.process_time()
    async with asyncio.timeout(options.seconds + 2 * _PATIENCE_SECONDS):
        await follower.follow(stop)
    cpu = time.process_time() - began
    told = {"read": follower.read, "tails": follower.tails, "cpu": cpu}
    print(json.dumps(told), flush=True)
    await store.close()


def names(options: argparse.Namespace) -> list[str]:
    """The interactions of this run."""
    return [f"v1_{options.run}_{number}" for number in range(options.streams)]


async def first(options: argparse.Namespace) -> bool:
    """The process that writes; whether all was as it must be."""
    store = build(options)
    await store.open()
    tails: list[float] = []
    streams = [Stream(store, id, tails) for id in names(options)]
    for one in streams:
        await store.create(
            NewInteraction(
                id=one.id, owner="", root=one.id, created=time.time(), worker="first",
                background=True, request=b"{}", input=b"[]",
            )
        )  # fmt: skip
    child = None if options.alone else await start(options)
    cpu = time.process_time()
    took = await produce(streams, options.rate, options.seconds)
    cpu = time.process_time() - cpu
    told = {} if child is None else await end(child)
    for one in streams:
        now = time.time()
        ending = Ending(status="completed", updated=now, steps=b"[]", last=one.committed)
        await store.append(one.id, 1, one.committed - 1, [], ending=ending)
    await store.close()
    reached = len(tails) / took
    print(f"{len(tails):,} events, {reached:,.0f}/s")
    limit = POSTGRES_LIMIT if options.database else SQLITE_LIMIT
    good = reached >= FLOOR and show("in process", tails, cpu) <= limit
    if told:
        if told["read"] != {one.id: one.committed for one in streams}:
            raise AssertionError("the second process has not read what the first has written")
        good = show("second process", told["tails"], told["cpu"]) <= limit and good
    return good


async def start(options: argparse.Namespace) -> asyncio.subprocess.Process:
    """The second process, ready to follow."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.journal", *sys.argv[1:], "--folder", options.folder,
        "--run", options.run, "--second",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=2**27,
    )  # fmt: skip
    assert child.stdout is not None
    async with asyncio.timeout(_PATIENCE_SECONDS):
        if await child.stdout.readline() != b"ready\n":
            raise RuntimeError("the second process did not come up")
    return child


async def end(child: asyncio.subprocess.Process) -> dict[str, Any]:
    """Lets the second process read the rest; what it has read."""
    async with asyncio.timeout(_PATIENCE_SECONDS):
        printed, _ = await child.communicate(b"end\n")
    return json.loads(printed)


def show(name: str, tails: list[float], cpu: float) -> float:
    """One line; the p50 in milliseconds."""
    ordered = sorted(tails)

    def at(share: float) -> float:
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1e3

    print(
        f"{name:15} tail p50 {at(0.5):6.2f}  p90 {at(0.9):6.2f}  p99 {at(0.99):7.2f}"
        f"  max {ordered[-1] * 1e3:7.1f} ms  {cpu / len(ordered) * 1e6:6.1f} us of CPU an event"
    )
    return at(0.5)


def main() -> None:
    """Command: see above."""
    parser = argparse.ArgumentParser(description="Live streams through the store.")
    parser.add_argument("--database", default="", help="URL of a PostgreSQL database")
    parser.add_argument("--store", default="", help="a store plugin by name")
    parser.add_argument("--alone", action="store_true", help="one process, not shared")
    parser.add_argument("--durability", default="normal", help="normal or full (SQLite)")
    parser.add_argument("--streams", type=int, default=200)
    parser.add_argument("--rate", type=float, default=50.0, help="events a second of a stream")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--folder", default="", help=argparse.SUPPRESS)
    parser.add_argument("--run", default=str(time.time_ns()), help=argparse.SUPPRESS)
    parser.add_argument("--second", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    # As the server does; see server/serve.py.
    sys.setswitchinterval(0.001)
    if options.second:
        asyncio.run(second(options))
        return
    with tempfile.TemporaryDirectory(prefix="interplay-bench-") as place:
        options.folder = options.folder or place
        sys.exit(0 if asyncio.run(first(options)) else 1)


if __name__ == "__main__":
    main()
