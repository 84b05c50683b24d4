"""Servers as processes: started pinned to a core, watched from outside, ended by pid."""

from __future__ import annotations

import contextlib
import json
import os
import random
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


class NotReady(Exception):
    """A server did not come up; the message holds the end of what it printed."""


def cores() -> tuple[int | None, int | None]:
    """A core for load and upstream, and one for the servers; None on a machine with one."""
    allowed = sorted(os.sched_getaffinity(0))
    return (allowed[0], allowed[1]) if len(allowed) > 1 else (None, None)


def free_port() -> int:
    """A port nobody listens on just now, from below those the system gives to connections."""
    while True:
        port = random.randrange(15_000, 32_000)
        with socket.socket() as one, contextlib.suppress(OSError):
            one.bind(("127.0.0.1", port))
            return port


def tree(pid: int) -> list[int]:
    """A process and all its descendants."""
    children: dict[int, list[int]] = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            with contextlib.suppress(OSError):
                stat = Path("/proc", entry, "stat").read_text()
                parent = int(stat.rpartition(")")[2].split()[1])
                children.setdefault(parent, []).append(int(entry))
    found = [pid]
    for one in found:
        found += children.get(one, [])
    return found


def cpu_seconds(pid: int) -> float:
    """CPU time of a process tree, user and system, all threads, in seconds."""
    return sum(_own_cpu(one) for one in tree(pid))


def _own_cpu(pid: int) -> float:
    # The clock of another process (clock_getcpuclockid) counts the same time as
    # /proc/PID/stat, in nanoseconds instead of ticks of 10 ms.
    try:
        return time.clock_gettime((~pid << 3) | 2)
    except OSError:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def thread_cpu_seconds(pid: int) -> dict[int, float]:
    """CPU time of each thread of one process, in seconds."""
    found: dict[int, float] = {}
    for task in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(OSError):
            found[int(task.name)] = int((task / "schedstat").read_text().split()[0]) / 1e9
    return found


def pss_megabytes(pid: int) -> float:
    """Proportional set size of a process tree: shared pages are divided among their users."""
    total = 0
    for one in tree(pid):
        with contextlib.suppress(OSError):
            rollup = Path(f"/proc/{one}/smaps_rollup").read_text()
            found = re.search(r"^Pss:\s+(\d+) kB", rollup, re.MULTILINE)
            total += int(found[1]) if found else 0
    return total / 1024


def rss_megabytes(pid: int) -> float:
    """Resident set size of a process tree; cheap enough to read every second."""
    pages = 0
    for one in tree(pid):
        with contextlib.suppress(OSError):
            pages += int(Path(f"/proc/{one}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1024 / 1024


def _path() -> str:
    given = os.environ.get("PYTHONPATH")
    return f"{ROOT}{os.pathsep}{given}" if given else str(ROOT)


class Server:
    """One running server; `log` holds what it printed."""

    def __init__(self, name: str, command: list[str], core: int | None, log: Path) -> None:
        self.name, self.log = name, log
        with open(log, "wb") as out:
            self.process = subprocess.Popen(
                command,
                stdout=out,
                stderr=subprocess.STDOUT,
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": _path(), "PYTHONUNBUFFERED": "1"},
                preexec_fn=None if core is None else lambda: os.sched_setaffinity(0, {core}),
            )
        self.pid = self.process.pid

    def wait_for(self, url: str, seconds: float = 90.0) -> None:
        """Waits until something answers at this address, with whatever status."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.process.poll() is None:
            try:
                with urllib.request.urlopen(url, timeout=2):
                    return
            except urllib.error.HTTPError:
                return
            except OSError:
                time.sleep(0.05)
        raise NotReady(f"{self.name} did not answer at {url}: {self.log.read_text()[-2000:]}")

    def stop(self) -> None:
        """Ends the process: asked first, killed after ten seconds."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(10)


def upstream_command(port: int) -> list[str]:
    """The mock upstream as a process."""
    return [sys.executable, "-m", "bench.upstream", "--port", str(port)]


def floor_command(port: int, upstream: int, folder: Path) -> list[str]:
    """The floor as a process."""
    database = str(folder / "floor.db")
    return [
        *(sys.executable, "-m", "bench.floor", "--port", str(port)),
        *("--upstream", str(upstream), "--database", database),
    ]


def interplay_command(port: int, folder: Path, upstream: int | None) -> list[str]:
    """`interplay serve` as a process, every `bench-*` model led to the mock upstream.

    Its cache folder is empty: a model that lies on this machine is not loaded beside the load.
    """
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "interplay.toml"
    lines = ['log_level = "warning"', f"cache_dir = {json.dumps(str(folder / 'cache'))}"]
    if upstream is not None:
        lines += [
            '[models."bench-*"]',
            'backend = "openai_compatible"',
            f'base_url = "http://127.0.0.1:{upstream}/v1"',
        ]
    config.write_text("\n".join(lines) + "\n")
    return [
        *(sys.executable, "-c", "from interplay.cli import main; main()", "serve"),
        *("--port", str(port), "--data-dir", str(folder / "data"), "--config", str(config)),
    ]


@contextlib.contextmanager
def running(
    name: str, command: list[str], core: int | None, folder: Path, url: str
) -> Iterator[Server]:
    """A server that answers at `url`, ended when the block is left."""
    folder.mkdir(parents=True, exist_ok=True)
    server = Server(name, command, core, folder / f"{name}.log")
    try:
        server.wait_for(url)
        yield server
    finally:
        server.stop()
