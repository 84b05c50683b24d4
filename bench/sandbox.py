"""What a sandbox costs: to open one, and to run a command in one that is open.

    python -m bench.sandbox [--opens 40] [--commands 200] [--json]

Opens sandboxes one after the other, each timed up to the first byte a command in it wrote. Then the
same commands in turn: in a warm sandbox, and as processes of this machine through asyncio, which is
the floor. Exit code 1 when a figure is past its limit.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any

import msgspec

from bench.run import Row, absolute, against_floor, table
from interplay.contracts.registry import load
from interplay.contracts.sandbox import Command, Exit, Limits, Output, Sandbox, Sandboxes

START_P50_MS, START_P95_MS = 150.0, 500.0
EXEC_RATIO, PYTHON_RATIO = 6.0, 3.0


async def opened(sandboxes: Sandboxes) -> float:
    """Milliseconds from nothing to the first output."""
    began = time.perf_counter()
    sandbox = await sandboxes.open(Limits())
    try:
        took = 0.0
        async for piece in sandbox.exec(Command(argv=["echo", "here"])):
            if isinstance(piece, Output) and not took:
                took = (time.perf_counter() - began) * 1000
        assert took, "the command wrote nothing"
        return took
    finally:
        await sandbox.close()


async def inside(sandbox: Sandbox, argv: list[str]) -> float:
    """Milliseconds of a command in a warm sandbox."""
    began = time.perf_counter()
    end: Any = None
    async for piece in sandbox.exec(Command(argv=argv)):
        end = piece
    assert isinstance(end, Exit), end
    assert (end.reason, end.code) == ("exited", 0), end
    return (time.perf_counter() - began) * 1000


async def outside(argv: list[str]) -> float:
    """Milliseconds of the same command as a process of this machine."""
    began = time.perf_counter()
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*argv, stdin=pipe, stdout=pipe, stderr=pipe)
    await process.communicate(b"")
    assert process.returncode == 0
    return (time.perf_counter() - began) * 1000


async def in_turn(sandbox: Sandbox, argv: list[str], count: int) -> tuple[float, float]:
    """Medians inside and outside, call by call in turn; the first tenth warms."""
    rows = [(await inside(sandbox, argv), await outside(argv)) for _ in range(count)]
    warm = rows[count // 10 :]
    return statistics.median(a for a, _ in warm), statistics.median(b for _, b in warm)


async def collect(folder: Path, opens: int, commands: int) -> list[Row]:
    """Measures; the rows of the table."""
    kind: Any = load("interplay.sandboxes", "bubblewrap")
    sandboxes: Sandboxes = kind(kind.Config(), SimpleNamespace(cache=lambda name: folder / name))
    try:
        await sandboxes.ready()
        starts = sorted([await opened(sandboxes) for _ in range(opens)])
        sandbox = await sandboxes.open(Limits())
        true = await in_turn(sandbox, ["/bin/true"], commands)
        argv = [sandbox.python, "-I", "-S", "-c", "print(1)"]
        python = await in_turn(sandbox, argv, commands)
    finally:
        await sandboxes.close()
    p50, p95 = statistics.median(starts), starts[int(len(starts) * 0.95)]
    note = f"{opens} sandboxes, one after the other; least {starts[0]:.0f} ms"
    return [
        absolute("start to first output", "ms p50", p50, START_P50_MS, note),
        absolute("start to first output", "ms p95", p95, START_P95_MS, f"most {starts[-1]:.0f} ms"),
        against_floor("warm exec of true", "ms p50", *true, EXEC_RATIO, f"{commands} in turn"),
        against_floor("warm exec of python", "ms p50", *python, PYTHON_RATIO, "-I -S, prints 1"),
    ]


def main() -> None:
    """Command: `python -m bench.sandbox`."""
    parser = argparse.ArgumentParser(description="What a sandbox costs.")
    parser.add_argument("--opens", type=int, default=40)
    parser.add_argument("--commands", type=int, default=200)
    parser.add_argument("--json", action="store_true", help="the rows as JSON")
    options = parser.parse_args()
    with TemporaryDirectory(prefix="interplay-bench-") as folder:
        rows = asyncio.run(collect(Path(folder), options.opens, options.commands))
    if options.json:
        print(msgspec.json.format(msgspec.json.encode(rows)).decode())
    else:
        print(table(rows))
    sys.exit(0 if all(row.ok for row in rows) else 1)


if __name__ == "__main__":
    main()
