"""`python -m bench.plan`: what so many interactions a day need, from measured costs.

A model, not a test: the inputs stand at the top, each with the command that measured it or marked
as assumed. It answers how many rows, bytes, cores, connections and commits a load needs on
PostgreSQL, and which part of the design is used up first. `--markdown` prints the tables of
docs/scale.md.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable

import msgspec

DAY = 86_400


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """One interaction: CPU in microseconds, sizes in bytes."""

    server_us: float
    database_us: float
    commits: float
    """Commits of the database, as many as it takes under load: they are shared."""
    log_bytes: float
    """Write-ahead log."""
    kept_bytes: float
    """Tables and indexes, for as long as it is kept."""


class Costs(msgspec.Struct, frozen=True, kw_only=True):
    """Measured by `python -m bench.footprint --database postgresql://...` (`source` says where)."""

    source: str
    unary: Cost
    stream: Cost
    background: Cost
    connections: int
    """Of one process under load."""
    idle_mb: float
    stream_kb: float


MEASURED = Costs(
    source="2 cores of a virtual machine with other work beside, Python 3.11, PostgreSQL 15 on"
    " the same machine, 1,500 requests, least CPU of three runs, 2026-11-21",
    unary=Cost(server_us=363, database_us=300, commits=1.0, log_bytes=3_130, kept_bytes=2_760),
    stream=Cost(
        server_us=4_215, database_us=1_099, commits=1.75, log_bytes=5_000, kept_bytes=3_335
    ),
    background=Cost(
        server_us=4_611, database_us=2_863, commits=3.7, log_bytes=45_700, kept_bytes=3_360
    ),
    connections=25,
    idle_mb=61,
    stream_kb=120,
)


class Traffic(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks, and how. Assumed; give your own with the options."""

    unary: float = 0.5
    """Shares of the three kinds; together 1."""
    stream: float = 0.4
    background: float = 0.1
    stream_seconds: float = 20.0
    """How long a stream is open."""
    peak: float = 3.0
    """The busiest minute over the mean of the day."""
    days: float = 55.0
    """How long interactions are kept."""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What one PostgreSQL server, one disk and one process give. Assumed, except where said."""

    busy: float = 0.6
    """Share of a core that may be used at the peak."""
    database_cores: float = 32.0
    commits_a_second: float = 5_000.0
    log_mb_a_second: float = 200.0
    kept_tb: float = 4.0
    connections: float = 1_000.0
    streams_a_process: float = 1_000.0
    """Measured: `python -m bench.streams` holds 1,000 streams of 20 events a second on one core."""


class Need(msgspec.Struct, frozen=True, kw_only=True):
    """What a load needs at its peak; `rows` and `kept_tb` when retention has filled up."""

    a_second: float
    rows: float
    kept_tb: float
    server_cores: float
    processes: int
    streams: float
    memory_gb: float
    database_cores: float
    commits_a_second: float
    log_mb_a_second: float
    connections: float


def need(millions: float, costs: Costs, traffic: Traffic, limits: Limits) -> Need:
    """What so many million interactions a day need."""
    mean = millions * 1e6 / DAY
    peak = mean * traffic.peak
    kinds = (
        (traffic.unary, costs.unary),
        (traffic.stream, costs.stream),
        (traffic.background, costs.background),
    )

    def each(cost: Callable[[Cost], float]) -> float:
        return sum(share * cost(kind) for share, kind in kinds)

    streams = peak * (traffic.stream + traffic.background) * traffic.stream_seconds
    server_cores = peak * each(lambda kind: kind.server_us) / 1e6 / limits.busy
    # At least two, and one more than the peak needs: any of them may be on its way down.
    processes = 1 + max(1, math.ceil(server_cores), math.ceil(streams / limits.streams_a_process))
    rows = millions * 1e6 * traffic.days
    return Need(
        a_second=peak,
        rows=rows,
        kept_tb=rows * each(lambda kind: kind.kept_bytes) / 1e12,
        server_cores=server_cores,
        processes=processes,
        streams=streams,
        memory_gb=(processes * costs.idle_mb + streams * costs.stream_kb / 1e3) / 1e3,
        database_cores=peak * each(lambda kind: kind.database_us) / 1e6 / limits.busy,
        commits_a_second=peak * each(lambda kind: kind.commits),
        log_mb_a_second=peak * each(lambda kind: kind.log_bytes) / 1e6,
        connections=processes * costs.connections,
    )


WAYS_ON = {
    "database_cores": "spread conversations over several databases by key",
    "commits_a_second": "write journals of running interactions elsewhere, or spread by key",
    "log_mb_a_second": "write journals of running interactions elsewhere, or spread by key",
    "kept_tb": "partition by month; steps of ended interactions into object storage",
    "connections": "fewer connections a process; a pooler for the writing lanes",
}
"""What one PostgreSQL gives -> what to do when it is used up; docs/scale.md says how."""


def breaks(costs: Costs, traffic: Traffic, limits: Limits) -> list[tuple[str, float]]:
    """Each limit of one PostgreSQL and at how many million a day it is reached, soonest first."""
    found: list[tuple[str, float]] = []
    for name in WAYS_ON:
        low, high = 0.0, 1.0
        while _uses(name, high, costs, traffic, limits) < 1 and high < 1e6:
            high *= 2
        for _ in range(60):
            middle = (low + high) / 2
            within = _uses(name, middle, costs, traffic, limits) < 1
            low, high = (middle, high) if within else (low, middle)
        found.append((name, low))
    return sorted(found, key=lambda one: one[1])


def _uses(name: str, millions: float, costs: Costs, traffic: Traffic, limits: Limits) -> float:
    return getattr(need(millions, costs, traffic, limits), name) / getattr(limits, name)


def tables(costs: Costs, traffic: Traffic, limits: Limits) -> str:
    """Both tables, as Markdown."""
    loads = (0.1, 1.0, 10.0, 100.0)
    needs = [need(load, costs, traffic, limits) for load in loads]
    lines = ["| million interactions a day | " + " | ".join(f"{load:g}" for load in loads) + " |"]
    lines.append("|---" * (len(loads) + 1) + "|")
    rows: list[tuple[str, Callable[[Need], float]]] = [
        ("interactions a second at the peak", lambda one: one.a_second),
        ("open streams at the peak", lambda one: one.streams),
        ("cores of API and worker processes", lambda one: one.server_cores),
        ("processes", lambda one: one.processes),
        ("memory of the processes, GB", lambda one: one.memory_gb),
        ("connections to PostgreSQL", lambda one: one.connections),
        ("cores of PostgreSQL", lambda one: one.database_cores),
        ("commits a second", lambda one: one.commits_a_second),
        ("write-ahead log, MB a second", lambda one: one.log_mb_a_second),
        ("rows kept, millions", lambda one: one.rows / 1e6),
        ("kept, TB", lambda one: one.kept_tb),
    ]
    for title, figure in rows:
        lines.append(f"| {title} | " + " | ".join(_short(figure(one)) for one in needs) + " |")
    lines += ["", "| used up first | at million a day | what then |", "|---|---|---|"]
    for name, millions in breaks(costs, traffic, limits):
        limit = getattr(limits, name)
        title = name.replace("_", " ").replace(" a second", "/s")
        lines.append(f"| {title}: {limit:,.0f} | {_short(millions)} | {WAYS_ON[name]} |")
    return "\n".join(lines)


def _short(value: float) -> str:
    if value >= 100:
        digits = 10 ** (math.floor(math.log10(value)) - 1)
        return f"{round(value / digits) * digits:,}"
    return f"{value:.2g}" if value < 10 else f"{value:.0f}"


def main() -> None:
    """Prints the inputs and the tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--markdown", action="store_true", help="only the tables")
    for kind in (Traffic, Limits):
        for field in msgspec.structs.fields(kind):
            name = "--" + field.name.replace("_", "-")
            parser.add_argument(name, type=float, default=field.default, dest=field.name)
    given = vars(parser.parse_args())
    markdown = given.pop("markdown")
    traffic = Traffic(**{name: given[name] for name in Traffic.__struct_fields__})
    limits = Limits(**{name: given[name] for name in Limits.__struct_fields__})
    if not math.isclose(traffic.unary + traffic.stream + traffic.background, 1.0):
        parser.error("The shares of --unary, --stream and --background make 1 together.")
    if not markdown:
        for inputs in (MEASURED, traffic, limits):
            print(f"{type(inputs).__name__}:")
            for name, value in msgspec.structs.asdict(inputs).items():
                print(f"  {name} = {value}")
        print()
    sys.stdout.write(tables(MEASURED, traffic, limits) + "\n")


if __name__ == "__main__":
    main()
