"""`python -m bench`: the server beside the floor, one table, exit code 1 past a limit."""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import msgspec

from bench import chain, rounds
from bench.processes import (
    ROOT,
    cores,
    floor_command,
    free_port,
    interplay_command,
    pss_megabytes,
    running,
    upstream_command,
)

_IMPORT = (
    "import time; a = time.process_time(); import interplay.cli; print(time.process_time() - a)"
)


class Row(msgspec.Struct, omit_defaults=True):
    """One line of the table; `limit` belongs to `judged`, the figure that passes or fails."""

    name: str
    unit: str
    ours: float
    floor: float | None = None
    judged: float | None = None
    limit: float | None = None
    note: str = ""
    ok: bool = True


def against_floor(name: str, unit: str, ours: float, floor: float, limit: float, note: str) -> Row:
    """A row judged by its ratio to the floor."""
    ratio = ours / floor
    return Row(name, unit, ours, floor, ratio, limit, note, ratio <= limit)


def absolute(name: str, unit: str, ours: float, limit: float, note: str) -> Row:
    """A row judged by its own figure."""
    return Row(name, unit, ours, None, ours, limit, note, ours <= limit)


def import_seconds(times: int) -> float:
    """CPU seconds of importing the command line, best of some fresh interpreters."""
    return min(
        float(
            subprocess.run(
                [sys.executable, "-c", _IMPORT],
                check=True,
                capture_output=True,
                text=True,
                cwd=ROOT,
            ).stdout
        )
        for _ in range(times)
    )


def idle_megabytes(folder: Path, core: int | None) -> float:
    """PSS of a server without a model, two seconds after it answers."""
    port = free_port()
    command = interplay_command(port, folder / "idle", None)
    with running("idle", command, core, folder, f"http://127.0.0.1:{port}/v1/models") as server:
        time.sleep(2)
        return pss_megabytes(server.pid)


async def race(
    targets: list[rounds.Target], upstream: int, sizes: rounds.Sizes
) -> tuple[dict[str, rounds.Cost], float]:
    """Interleaved rounds; costs by name, and the upstream's own latency in milliseconds."""
    costs = {target.name: rounds.Cost() for target in targets}
    direct = await rounds.direct_latency(upstream, sizes)
    for target in targets:
        await rounds.warm(target, sizes)
    for number in range(sizes.rounds):
        print(f"round {number + 1} of {sizes.rounds}", file=sys.stderr, flush=True)
        for target in targets:
            await rounds.measure(target, sizes, costs[target.name])
        direct = min(direct, await rounds.direct_latency(upstream, sizes))
    return costs, direct


def cost_rows(ours: rounds.Cost, floor: rounds.Cost, direct: float) -> list[Row]:
    """The rows that compare with the floor."""
    burst = absolute(
        "burst event", "us CPU", ours.burst, 6.0, f"{rounds.BURST} chunks in one packet"
    )
    burst.floor = floor.burst
    latency = against_floor(
        "added latency, 1 client",
        "ms p50",
        ours.single - direct,
        floor.single - direct,
        2.5,
        f"over {direct:.3f} ms of the upstream; p99 {ours.single_high:.2f} against "
        f"{floor.single_high:.2f}",
    )
    return [
        against_floor(
            "unary stored interaction",
            "us CPU",
            ours.unary,
            floor.unary,
            4.0,
            f"1 KB in, 1 KB out; best wall rate {ours.rate:.0f}/s against {floor.rate:.0f}/s",
        ),
        against_floor(
            "paced stream event",
            "us CPU",
            ours.paced,
            floor.paced,
            1.5,
            f"{rounds.PACED_MILLISECONDS} ms apart; {ours.joined:.2f} against "
            f"{floor.joined:.2f} events a read",
        ),
        burst,
        latency,
    ]


def chain_rows(found: chain.Chain) -> list[Row]:
    """The rows about one long conversation."""
    size = found.disk / found.payload
    cost = found.store_late / found.store_early if found.store_early else float("inf")
    whole = f"whole process {found.whole_early:.0f} -> {found.whole_late:.0f} us"
    return [
        Row(
            "chain: storage",
            "MB",
            found.disk / 1e6,
            None,
            size,
            1.3,
            f"{found.turns} turns, payload {found.payload / 1e6:.2f} MB",
            size <= 1.3,
        ),
        Row(
            f"chain: store cost of turn {found.turns}",
            "us CPU",
            found.store_late,
            None,
            cost,
            3.0,
            f"turn {chain.EARLY}: {found.store_early:.0f} us; {whole}",
            cost <= 3.0,
        ),
    ]


def measure_chain(
    folder: Path, upstream: int, core: int | None, sizes: rounds.Sizes
) -> chain.Chain:
    """A server of its own for the chain, so that its folder holds nothing else."""
    port, home = free_port(), folder / "chain"
    command = interplay_command(port, home, upstream)
    with running("chain", command, core, folder, f"http://127.0.0.1:{port}/v1/models") as server:
        found = chain.run(port, server, home / "data", sizes.turns, sizes.short)
    found.disk = chain.disk_bytes(home / "data")
    return found


def collect(folder: Path, sizes: rounds.Sizes) -> list[Row]:
    """Runs everything and answers the rows."""
    load_core, server_core = cores()
    if load_core is not None:
        os.sched_setaffinity(0, {load_core})
    up, low, high = free_port(), free_port(), free_port()
    root = "http://127.0.0.1:{}/v1/models"
    with running("upstream", upstream_command(up), load_core, folder, root.format(up)):
        with (
            running(
                "floor", floor_command(low, up, folder), server_core, folder, root.format(low)
            ) as floor,
            running(
                "interplay",
                interplay_command(high, folder / "interplay", up),
                server_core,
                folder,
                root.format(high),
            ) as ours,
        ):
            targets = [rounds.Target("floor", low, floor), rounds.Target("interplay", high, ours)]
            costs, direct = asyncio.run(race(targets, up, sizes))
        rows = cost_rows(costs["interplay"], costs["floor"], direct)
        rows += chain_rows(measure_chain(folder, up, server_core, sizes))
    rows.append(
        absolute(
            "import interplay.cli",
            "s CPU",
            import_seconds(sizes.starts),
            0.3,
            "best fresh interpreter",
        )
    )
    rows.append(
        absolute("idle server", "MB PSS", idle_megabytes(folder, server_core), 70.0, "no model")
    )
    return rows


def table(rows: list[Row]) -> str:
    """The rows as aligned text."""
    lines = [("what", "unit", "interplay", "floor", "judged", "limit", "", "note")]
    for row in rows:
        ratio = "x" if row.judged != row.ours else ""
        lines.append(
            (
                row.name,
                row.unit,
                f"{row.ours:.3g}" if row.ours < 100 else f"{row.ours:.0f}",
                "" if row.floor is None else f"{row.floor:.3g}",
                "" if row.judged is None else f"{row.judged:.2f}{ratio}",
                "" if row.limit is None else f"{row.limit:g}{ratio}",
                "ok" if row.ok else "FAIL",
                row.note,
            )
        )
    widths = [max(len(line[column]) for line in lines) for column in range(7)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) for cell, width in zip(line, [*widths, 0], strict=True)
        ).rstrip()
        for line in lines
    )


def main() -> None:
    """Command: `python -m bench [--quick] [--json]`."""
    parser = argparse.ArgumentParser(
        description="What the server costs beside a hand-written floor."
    )
    parser.add_argument("--quick", action="store_true", help="two short rounds and a short chain")
    parser.add_argument("--smoke", action="store_true", help="does everything run; judges nothing")
    parser.add_argument("--json", action="store_true", help="the rows as JSON")
    parser.add_argument("--keep", help="a folder for data and logs, instead of a temporary one")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="interplay-bench-") as folder:
        sizes = rounds.QUICK if options.quick else rounds.FULL
        if options.smoke:
            sizes = rounds.SMOKE
        rows = collect(Path(options.keep or folder), sizes)
    if options.json:
        print(msgspec.json.format(msgspec.json.encode(rows)).decode())
    else:
        print(table(rows))
    sys.exit(0 if options.smoke or all(row.ok for row in rows) else 1)
