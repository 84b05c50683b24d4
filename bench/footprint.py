"""What one interaction leaves behind and takes up: the inputs of bench/plan.py.

    python -m bench.footprint                                  # SQLite
    python -m bench.footprint --database postgresql://...      # PostgreSQL on this machine
    python -m bench.footprint --json --requests 600

Three kinds of interaction of about 1 KB in: one answer of 700 characters; a foreground stream of
100 text events; a background run of 100 text events whose stream is read. For each: CPU of the
server and of PostgreSQL (processes of this machine), commits that write and bytes of its
write-ahead log, and bytes that stay. Then connections, memory of a process, and of an open stream.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import sqlite3
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec

from bench.cluster import Cluster, Member
from bench.load import Ask, drive
from bench.processes import cores, cpu_seconds, free_port, pss_megabytes, running, upstream_command
from bench.rounds import PACED_ASK, UNARY, ask_for

_CONNECTIONS = 32
_OPEN_STREAMS = 400
_SETTLES = 4.0
"""Seconds in which the parts that begin beside the first requests are there."""
_SLOW = "bench-paced-24-250"


class Kind(msgspec.Struct):
    """What one interaction of a kind costs: CPU in microseconds, sizes in bytes."""

    name: str
    server_us: float = 0.0
    database_us: float = 0.0
    commits: float = 0.0
    log_bytes: float = 0.0
    kept_bytes: float = 0.0


class Footprint(msgspec.Struct):
    """Everything one run measured; memory in megabytes and kilobytes."""

    kinds: list[Kind]
    connections: int = 0
    idle_mb: float = 0.0
    stream_kb: float = 0.0


def _background(ask: Ask) -> Ask:
    body = msgspec.json.encode({**msgspec.json.decode(ask.body), "background": True})
    return Ask(body, ask.text, ask.deltas)


KINDS = {"unary": UNARY, "stream": PACED_ASK, "background": _background(PACED_ASK)}


class Sqlite:
    """A data folder; it has no process of its own."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "data" / "interactions.db"

    async def counters(self) -> tuple[float, float, float]:
        """CPU seconds, commits and bytes of log so far: none are told."""
        return 0.0, 0.0, 0.0

    async def kept(self) -> float:
        """Bytes in use, once the server has let go."""
        if not self._path.exists():
            return 0.0
        with contextlib.closing(sqlite3.connect(self._path)) as database:
            pages, free, size = (
                database.execute(f"PRAGMA {name}").fetchone()[0]
                for name in ("page_count", "freelist_count", "page_size")
            )
        return (pages - free) * size

    async def connections(self) -> int:
        """None."""
        return 0


class Postgres:
    """A database of a server on this machine; everything in it is removed first."""

    def __init__(self, url: str, connection: Any, postmaster: int) -> None:
        self._url, self._connection, self._postmaster = url, connection, postmaster

    @classmethod
    async def of(cls, url: str) -> Postgres:
        """Connects; finds the server's process by that of the connection."""
        import asyncpg

        connection = await asyncpg.connect(url)
        tables = await connection.fetchval("SELECT count(*) FROM pg_stat_user_tables")
        if tables:
            raise SystemExit("Give an empty database: what is in it would be measured too.")
        pid = await connection.fetchval("SELECT pg_backend_pid()")
        return cls(url, connection, _parent(pid))

    async def counters(self) -> tuple[float, float, float]:
        """CPU seconds, commits and bytes of log so far; a commit that writes nothing has no
        number and is not counted."""
        row = await self._connection.fetchrow(
            "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::float8 AS commits,"
            " pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::float8 AS log"
        )
        return cpu_seconds(self._postmaster), row["commits"], row["log"]

    async def kept(self) -> float:
        """Bytes of the tables and their indexes, dead rows left out."""
        await self._connection.execute("VACUUM FULL")
        return await self._connection.fetchval("SELECT pg_database_size(current_database())")

    async def connections(self) -> int:
        """Connections to the database besides this one."""
        return await self._connection.fetchval(
            "SELECT count(*) - 1 FROM pg_stat_activity WHERE datname = current_database()"
        )


def _parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


@contextlib.asynccontextmanager
async def serving(folder: Path, upstream: int, database: str) -> AsyncIterator[Member]:
    """One process that does everything."""
    cluster = Cluster(folder, upstream, database, places=_OPEN_STREAMS + _CONNECTIONS)
    try:
        yield await cluster.add("all", shared=False)
    finally:
        await cluster.end()


async def one_kind(
    name: str, folder: Path, upstream: int, options: argparse.Namespace, place: Any
) -> tuple[Kind, int]:
    """Measures a kind of interaction, and how many connections its process had."""
    kind = Kind(name)
    async with serving(folder, upstream, options.database) as member:
        port = int(member.url.rsplit(":", 1)[1])
        await drive(port, KINDS[name], connections=_CONNECTIONS, total=_CONNECTIONS * 4)
        await asyncio.sleep(_SETTLES)
        before, cpu = await place.counters(), member.cpu()
        many = options.requests
        await drive(port, KINDS[name], connections=_CONNECTIONS, total=many, timeout=300)
        kind.server_us = (member.cpu() - cpu) / many * 1e6
        after, connections = await place.counters(), await place.connections()
    kind.database_us = (after[0] - before[0]) / many * 1e6
    kind.commits, kind.log_bytes = (
        (now - then) / many for now, then in zip(after[1:], before[1:], strict=True)
    )
    return kind, connections


async def open_streams(folder: Path, upstream: int, database: str) -> tuple[float, float]:
    """Megabytes of an idle process, and kilobytes that an open stream adds."""
    async with serving(folder, upstream, database) as member:
        port = int(member.url.rsplit(":", 1)[1])
        await drive(port, PACED_ASK, connections=_CONNECTIONS, total=_CONNECTIONS)
        idle = pss_megabytes(member.pid)
        slow = _background(ask_for(_SLOW, stream=True))
        load = drive(port, slow, connections=_OPEN_STREAMS, total=_OPEN_STREAMS, timeout=120)
        driving = asyncio.create_task(load)
        await asyncio.sleep(4)
        busy = pss_megabytes(member.pid)
        await driving
    return idle, (busy - idle) * 1024 / _OPEN_STREAMS


async def measure(options: argparse.Namespace, folder: Path) -> Footprint:
    """Every figure."""
    load_core, _ = cores()
    port, found = free_port(), Footprint([])
    command = upstream_command(port)
    with running("upstream", command, load_core, folder, f"http://127.0.0.1:{port}/v1/models"):
        place = await Postgres.of(options.database) if options.database else None
        if place is not None:
            async with serving(folder / "schema", port, options.database):
                pass  # the tables themselves are nobody's share
        for name in KINDS:
            own = place or Sqlite(folder / name)
            before = await own.kept()
            kind, connections = await one_kind(name, folder / name, port, options, own)
            extra = _CONNECTIONS * 4  # those that warmed it up are kept too
            kind.kept_bytes = (await own.kept() - before) / (options.requests + extra)
            found.kinds.append(kind)
            found.connections = max(found.connections, connections)
        found.idle_mb, found.stream_kb = await open_streams(
            folder / "streams", port, options.database
        )
    return found


def main() -> None:
    """Prints the figures as lines or as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--database", default="", help="postgresql://... of an empty database")
    parser.add_argument("--requests", type=int, default=2_000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="interplay-bench-") as folder:
        found = asyncio.run(measure(options, Path(folder)))
    if options.json:
        json.dump(msgspec.to_builtins(found), sys.stdout, indent=1)
        return
    for kind in found.kinds:
        print(
            f"{kind.name:11} server {kind.server_us:7.0f} us   database {kind.database_us:6.0f} us"
            f"   {kind.commits:5.2f} commits   {kind.log_bytes:7.0f} B of log"
            f"   {kind.kept_bytes:6.0f} B kept"
        )
    print(
        f"connections {found.connections}   idle process {found.idle_mb:.0f} MB"
        f"   open stream {found.stream_kb:.0f} KB"
    )


if __name__ == "__main__":
    main()
