"""The store by itself: what a row, an event and a long chain cost.

    python -m bench.store            # about half a minute
    python -m bench.store --quick    # smaller counts
    python -m bench.store --full     # with durability full

The floor is plain sqlite3: the same rows by one executemany in one transaction. Costs are CPU
of the whole process, all threads; the best of several rounds, floor and store in turn. Exit code
1 when the long chain takes more than 1.3x its payload on disk, or when its last turns cost the
store more than 3x those around turn 10.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import random
import sqlite3
import statistics
import sys
import tempfile
import time
from pathlib import Path

from interplay.contracts.store import Ending, NewInteraction
from interplay.interactions.ids import new_interaction_id, root_of
from interplay.plugins.stores.sqlite import SqliteStore

WRITERS = 32
TURNS = 1_000
DISK_LIMIT = 1.3
LATE_LIMIT = 3.0
_TEXT = base64.b64encode(random.Random(1).randbytes(12_000))


def body(dice: random.Random, mean: int) -> bytes:
    """JSON of one step of about this many bytes."""
    size = int(mean * dice.uniform(0.5, 1.5))
    at = dice.randrange(8_000)
    return b'[{"type":"text","text":"%s"}]' % _TEXT[at : at + size]


def turn(dice: random.Random, parent: str | None = None) -> tuple[NewInteraction, Ending]:
    """An interaction of about 3.6 KB: 200 bytes of request, 1.2 KB asked, 2.2 KB answered."""
    now = time.time()
    id, root = new_interaction_id(now, root_of(parent) if parent else None)
    new = NewInteraction(
        id=id,
        owner="key",
        root=root,
        parent=parent,
        model="qwen2.5-coder-1.5b",
        created=now,
        expires=now + 1e6,
        request=body(dice, 160),
        input=body(dice, 1_170),
    )
    return new, Ending(
        status="completed",
        updated=now,
        steps=body(dice, 2_170),
        last=9,
        usage=b'{"total_input_tokens":900,"total_output_tokens":500,"total_tokens":1400}',
    )


def payload(new: NewInteraction, ending: Ending) -> int:
    """Bytes a caller would say he stored."""
    return len(new.request) + len(new.input) + len(ending.steps)


def floor(folder: Path, rows: list[tuple[NewInteraction, Ending]]) -> float:
    """Microseconds of CPU per row of a single executemany."""
    flat = [
        (n.id, n.parent, n.owner, n.model, n.created, n.request, n.input, e.usage, e.steps)
        for n, e in rows
    ]
    db = sqlite3.connect(folder / "floor.db", isolation_level=None)
    db.execute("PRAGMA page_size=16384")
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA synchronous=NORMAL")
    db.execute(
        "CREATE TABLE rows (id TEXT UNIQUE, parent TEXT, owner TEXT, model TEXT, created REAL,"
        " request BLOB, input BLOB, usage BLOB, steps BLOB)"
    )
    began = time.process_time()
    db.execute("BEGIN")
    db.executemany("INSERT INTO rows VALUES (?,?,?,?,?,?,?,?,?)", flat)
    db.execute("COMMIT")
    spent = time.process_time() - began
    db.close()
    return spent / len(rows) * 1e6


async def group(
    folder: Path, rows: list[tuple[NewInteraction, Ending]], durability: str
) -> tuple[float, float, list[float]]:
    """CPU microseconds per row, rows per second, latencies in milliseconds, at many writers."""
    store = SqliteStore(folder / "group", durability=durability)  # pyright: ignore
    await store.open()
    waiting = iter(rows)
    latencies: list[float] = []

    async def write() -> None:
        for new, ending in waiting:
            asked = time.perf_counter()
            await store.create(new, ending)
            latencies.append((time.perf_counter() - asked) * 1e3)

    cpu, wall = time.process_time(), time.perf_counter()
    await asyncio.gather(*(write() for _ in range(WRITERS)))
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    await store.close()
    return cpu / len(rows) * 1e6, len(rows) / wall, sorted(latencies)


async def events(folder: Path, streams: int, each: int) -> tuple[float, float, list[float]]:
    """The same for events of 150 bytes, one at a time in each of many streams, then the end."""
    store = SqliteStore(folder / "events")
    await store.open()
    dice = random.Random(3)
    rows = [turn(dice) for _ in range(streams)]
    for new, _ in rows:
        await store.create(new)
    event = b'{"event_type":"step.delta","delta":{"text":"%s"}}' % _TEXT[:100]
    latencies: list[float] = []

    async def stream(new: NewInteraction, ending: Ending) -> None:
        for last in range(-1, each - 1):
            asked = time.perf_counter()
            await store.append(new.id, 1, last, [event])
            latencies.append((time.perf_counter() - asked) * 1e3)
        await store.append(new.id, 1, each - 1, [], ending=ending)

    cpu, wall = time.process_time(), time.perf_counter()
    await asyncio.gather(*(stream(new, ending) for new, ending in rows))
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    await store.close()
    return cpu / (streams * each) * 1e6, streams * each / wall, sorted(latencies)


async def add_turn(store: SqliteStore, parent: str | None, dice: random.Random, streamed: bool):
    """One turn more: its id, its payload, and the seconds of CPU it cost the store."""
    new, ending = turn(dice, parent)
    began = time.process_time()
    if streamed:
        await store.create(new)
        await store.append(new.id, 1, -1, [b'{"event":1}'] * 8)
        await store.append(new.id, 1, 7, [], ending=ending)
    else:
        await store.create(new, ending)
    return new.id, payload(new, ending), time.process_time() - began


async def chain(folder: Path, turns: int, streamed: bool) -> tuple[float, float, dict[int, float]]:
    """Bytes on disk over payload, cost of the last turns over that around turn 10, and the
    microseconds of CPU to load chains of some lengths."""
    dice = random.Random(5)
    early: list[float] = []
    late: list[float] = []
    warm = SqliteStore(folder / f"warm{streamed}")
    await warm.open()
    for _ in range(12):
        parent = None
        for number in range(15):
            parent, _, cost = await add_turn(warm, parent, dice, streamed)
            if number >= 5:
                early.append(cost)
    await warm.close()
    store = SqliteStore(folder / f"chain{streamed}")
    await store.open()
    parent, size, ids = None, 0, list[str]()
    for number in range(turns):
        parent, more, cost = await add_turn(store, parent, dice, streamed)
        ids.append(parent)
        size += more
        if number >= turns - 120:
            late.append(cost)
    loads: dict[int, float] = {}
    for length in (50, turns):
        spent: list[float] = []
        for _ in range(10):
            began = time.process_time()
            links = await store.chain(ids[length - 1])
            spent.append(time.process_time() - began)
            assert len(links) == length
        loads[length] = min(spent) * 1e6
    await store.settle()
    held = store.file.stat().st_size
    await store.close()
    return held / size, statistics.median(late) / statistics.median(early), loads


def at(ordered: list[float], share: float) -> float:
    """A percentile of what is in order."""
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def show(name: str, cost: float, rate: float, times: list[float], ratio: str = "") -> None:
    """One line of the table."""
    print(
        f"{name:28} {cost:7.1f} us {rate:9,.0f}/s  {ratio:6}"
        f"  p50 {at(times, 0.5):.2f}  p99 {at(times, 0.99):.2f}  max {times[-1]:.1f} ms"
    )


def main() -> None:
    """Command: `python -m bench.store [--quick] [--full]`."""
    parser = argparse.ArgumentParser(description="What the store costs beside plain sqlite3.")
    parser.add_argument("--quick", action="store_true", help="smaller counts, fewer rounds")
    parser.add_argument("--full", action="store_true", help="durability full")
    options = parser.parse_args()
    count, rounds = (4_000, 2) if options.quick else (20_000, 4)
    dice = random.Random(9)
    rows = [turn(dice) for _ in range(count)]
    floors: list[float] = []
    groups: list[tuple[float, float, list[float]]] = []
    ok = True
    with tempfile.TemporaryDirectory(prefix="interplay-bench-") as place:
        for number in range(rounds):
            folder = Path(place) / str(number)
            folder.mkdir()
            floors.append(floor(folder, rows))
            durability = "full" if options.full else "normal"
            groups.append(asyncio.run(group(folder, rows, durability)))
        low = min(floors)
        print(f"{'row: one executemany':28} {low:7.1f} us {1e6 / low:9,.0f}/s")
        show(f"row: store, {WRITERS} writers", *min(groups), f"{min(groups)[0] / low:.2f}x")
        each = 20 if options.quick else 100
        show("event: 200 streams", *asyncio.run(events(Path(place), 200, each)))
        for streamed in (False, True):
            disk, late, loads = asyncio.run(chain(Path(place), TURNS, streamed))
            ok = ok and disk <= DISK_LIMIT and late <= LATE_LIMIT
            print(
                f"chain of {TURNS} turns, {'streamed' if streamed else 'written at the end'}:"
                f" disk {disk:.3f}x payload (limit {DISK_LIMIT}),"
                f" last turns {late:.2f}x turn 10 (limit {LATE_LIMIT}), load "
                + ", ".join(f"{length}: {spent:.0f} us" for length, spent in loads.items())
            )
    sys.exit(0 if ok else 1)


if __name__ == "__main__":
    main()
