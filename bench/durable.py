"""`python -m bench.durable`: what background runs cost, how soon a dead worker's runs go on, and
what a second worker brings. `--database postgresql://...` measures the same on PostgreSQL."""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp

from bench.cluster import Cluster, Member
from bench.load import Ask, drive
from bench.processes import cores, free_port, running, upstream_command
from bench.rounds import UNARY
from bench.run import Row, table

_ROUNDS = 5
_REQUESTS = 600
_TAKE_OVERS = 8
_STREAMS = 4
_WAITING = 96
_PLACES = 16


def _behind() -> Ask:
    body = json.loads(UNARY.body)
    given = json.dumps({**body, "background": True}).encode()
    return Ask(given, '"status":"in_progress"', path="/v1beta/interactions")


async def _idle(member: Member, session: aiohttp.ClientSession) -> None:
    """Returns when nothing runs there any more."""
    async with asyncio.timeout(60):
        while True:
            async with session.get(f"{member.url}/metrics") as answer:
                text = await answer.text()
            if "interplay_live_interactions 0.0" in text:
                return
            await asyncio.sleep(0.02)


async def start_cost(folder: Path, upstream: int, database: str) -> Row:
    """CPU of a background interaction from its request to its stored end, over that of a
    foreground one that is stored; rounds of both in turn on one process."""
    cluster = Cluster(folder, upstream, database, places=10_000)
    try:
        server = await cluster.add("all", shared=False)
        port = int(server.url.rpartition(":")[2])
        kinds = {"foreground": UNARY, "background": _behind()}
        best = dict.fromkeys(kinds, float("inf"))
        async with aiohttp.ClientSession() as session:
            for number in range(_ROUNDS + 1):
                for kind, ask in kinds.items():
                    before = server.cpu()
                    await drive(port, ask, connections=32, total=_REQUESTS)
                    await _idle(server, session)
                    spent = (server.cpu() - before) / _REQUESTS * 1e6
                    if number:
                        best[kind] = min(best[kind], spent)
    finally:
        await cluster.end()
    ratio = best["background"] / best["foreground"]
    note = "background over foreground, request to stored end"
    return Row(
        "background run", "us CPU", best["background"], best["foreground"], ratio, 3.0, note,
        ratio <= 3.0,
    )  # fmt: skip


async def _events(answer: aiohttp.ClientResponse) -> AsyncIterator[dict[str, Any]]:
    async for line in answer.content:
        if line.startswith(b"data: {"):
            yield json.loads(line[6:])


class _Watched:
    """One long background run and when its last event came."""

    def __init__(self) -> None:
        self.last = self.gap = 0.0
        self.killed: float | None = None
        self.begun = asyncio.Event()

    async def follow(self, url: str, session: aiohttp.ClientSession) -> None:
        body = {"model": "bench-paced-400-20", "input": "x", "background": True, "stream": True}
        async with session.post(f"{url}/v1/interactions", json=body) as answer:
            seen = 0
            async for event in _events(answer):
                number = int(event["event_id"].rpartition(".")[2])
                assert number == seen, f"event {number} where {seen} was due"
                seen += 1
                now = time.monotonic()
                if self.killed is not None and not self.gap and self.last < self.killed:
                    self.gap = now - self.killed
                self.last = now
                if seen == 10:
                    self.begun.set()


async def take_over(folder: Path, upstream: int, database: str) -> Row:
    """Seconds from kill -9 of a worker to the next event of each of its runs at a client."""
    cluster = Cluster(folder, upstream, database)
    gaps: list[float] = []
    try:
        api = await cluster.add("api")
        workers = [await cluster.add("worker"), await cluster.add("worker")]
        timeout = aiohttp.ClientTimeout(total=60)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            for number in range(_TAKE_OVERS):
                runs = [_Watched() for _ in range(_STREAMS)]
                tasks = [asyncio.create_task(run.follow(api.url, session)) for run in runs]
                await asyncio.gather(*(run.begun.wait() for run in runs))
                victim = workers[number % 2]
                now = time.monotonic()
                for run in runs:
                    run.killed = now
                await victim.end(signal.SIGKILL)
                await asyncio.gather(*tasks)
                # Runs of the other worker went on as if nothing had happened.
                gaps += [run.gap for run in runs if run.gap > 0.06]
                await victim.start()
    finally:
        await cluster.end()
    ordered = sorted(gaps)
    high = ordered[int(len(ordered) * 0.95)]
    note = f"p50 {statistics.median(ordered):.2f} s, {len(ordered)} runs of {_TAKE_OVERS} workers"
    return Row("take-over after kill -9", "s p95", high, None, high, 2.0, note, high <= 2.0)


async def _work_off(url: str, session: aiohttp.ClientSession) -> float:
    """Seconds until so many waiting-heavy interactions have ended."""
    body = {"model": "bench-paced-10-100", "input": "x", "background": True, "stream": True}

    async def one() -> None:
        async with session.post(f"{url}/v1/interactions", json=body) as answer:
            assert b"interaction.completed" in await answer.read()

    began = time.monotonic()
    await asyncio.gather(*(one() for _ in range(_WAITING)))
    return time.monotonic() - began


async def two_workers(folder: Path, upstream: int, database: str) -> Row:
    """Throughput of two workers over one, on runs that mostly wait for their model."""
    cluster = Cluster(folder, upstream, database, places=_PLACES)
    try:
        api = await cluster.add("api")
        await cluster.add("worker")
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(connector=connector) as session:
            await _work_off(api.url, session)
            alone = await _work_off(api.url, session)
            await cluster.add("worker")
            await _work_off(api.url, session)  # it takes a moment until the second takes its share
            both = await _work_off(api.url, session)
    finally:
        await cluster.end()
    ratio = alone / both
    note = f"{_WAITING} runs of 1 s, {_PLACES} places each: {alone:.1f} s alone, {both:.1f} s both"
    return Row("two workers over one", "x", ratio, None, ratio, 1.7, note, ratio >= 1.7)


async def measure(folder: Path, database: str) -> list[Row]:
    """All three."""
    load_core, _ = cores()
    port = free_port()
    url = f"http://127.0.0.1:{port}/v1/models"
    with running("upstream", upstream_command(port), load_core, folder, url):
        return [
            await start_cost(folder / "start", port, ""),
            await take_over(folder / "take-over", port, database),
            await two_workers(folder / "workers", port, database),
        ]


def main() -> None:
    """Prints the table; exit code 1 past a limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", default="", help="postgresql://...; without, SQLite")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="interplay-bench-") as folder:
        rows = asyncio.run(measure(Path(folder), given.database))
    print(table(rows))
    sys.exit(any(not row.ok for row in rows))


if __name__ == "__main__":
    main()
