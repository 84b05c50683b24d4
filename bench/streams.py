"""Many open streams on one server process: is every event there once, does memory stay flat.

Command: `python -m bench.streams [--streams 1000] [--rate 20] [--seconds 60] [--length 10]`.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import msgspec

from bench.processes import (
    ROOT,
    Server,
    cores,
    cpu_seconds,
    floor_command,
    free_port,
    interplay_command,
    pss_megabytes,
    rss_megabytes,
    running,
    upstream_command,
)
from bench.stream_client import StreamReport

FLAT = 1.15
"""Mean memory of the last third over that of the first third; above it is growth."""


class Sample(msgspec.Struct):
    """One look at the server: seconds since the start, RSS in MB, CPU seconds so far."""

    at: float
    memory: float
    cpu: float


class Outcome(msgspec.Struct):
    """What the whole run showed. Memory in MB, lags in milliseconds, CPU in microseconds."""

    streams: int
    ended: int
    events: int
    faults: list[str]
    compared: int
    first_third: float
    last_third: float
    growth: float
    """last_third / first_third."""
    pss_peak: float
    cpu_share: float
    """Cores the server used while all streams were open."""
    cpu_event: float
    lag_median: float
    lag_high: float
    """The 99th percentile."""
    joined: float
    """Events in one read."""
    samples: list[Sample]
    ok: bool


def client_command(
    options: argparse.Namespace, port: int, streams: int, stagger: float
) -> list[str]:
    """One client process."""
    count = int(options.length * options.rate)
    arguments = {
        "--port": port,
        "--model": f"bench-stamped-{count}-{1000 / options.rate:g}",
        "--count": count,
        "--streams": streams,
        "--seconds": options.seconds,
        "--length": options.length,
        "--stagger": stagger,
        "--compare": 0 if options.floor else options.compare,
    }
    words = [word for pair in arguments.items() for word in map(str, pair)]
    return [sys.executable, "-m", "bench.stream_client", *words]


def watch(
    server: Server, clients: list[subprocess.Popen[bytes]], limit: float
) -> tuple[list[Sample], float]:
    """Looks at the server about once a second until the clients are done; also the PSS peak."""
    began, samples, peak = time.monotonic(), list[Sample](), 0.0
    while any(client.poll() is None for client in clients):
        if time.monotonic() - began > limit:
            raise TimeoutError(f"the clients were not done after {limit:.0f} seconds")
        at = time.monotonic() - began
        samples.append(Sample(at, rss_megabytes(server.pid), cpu_seconds(server.pid)))
        if len(samples) % 10 == 0:
            peak = max(peak, pss_megabytes(server.pid))
        with contextlib.suppress(subprocess.TimeoutExpired):
            clients[0].wait(1.0)
            clients[-1].wait(1.0)
    return samples, max(peak, pss_megabytes(server.pid))


def judge(
    options: argparse.Namespace,
    stagger: float,
    samples: list[Sample],
    peak: float,
    reports: list[StreamReport],
) -> Outcome:
    """Puts the clients' reports and the samples together."""
    steady = [
        one
        for one in samples
        if stagger + 1 <= one.at <= options.seconds + stagger - options.length
    ]
    if len(steady) < 3:
        steady = [one for one in samples if one.at >= stagger] or samples
    third = max(1, len(steady) // 3)
    first = sum(one.memory for one in steady[:third]) / third
    last = sum(one.memory for one in steady[-third:]) / third
    events = sum(report.events for report in reports)
    busy = (steady[-1].cpu - steady[0].cpu) / max(1e-9, steady[-1].at - steady[0].at)
    faults = [fault for report in reports for fault in report.faults]
    compared = sum(report.compared for report in reports)
    ended = sum(report.streams for report in reports)
    return Outcome(
        streams=options.streams,
        ended=ended,
        events=events,
        faults=faults,
        compared=compared,
        first_third=first,
        last_third=last,
        growth=last / first,
        pss_peak=peak,
        cpu_share=busy,
        cpu_event=(samples[-1].cpu - samples[0].cpu) / max(1, events) * 1e6,
        lag_median=max(report.lags[50] for report in reports) / 1000,
        lag_high=max(report.lags[99] for report in reports) / 1000,
        joined=events / max(1, sum(report.reads for report in reports)),
        samples=samples,
        ok=not faults and ended >= options.streams and (options.long or last / first <= FLAT),
    )


def collect(options: argparse.Namespace, folder: Path) -> Outcome:
    """Starts everything, waits for the end."""
    load_core, server_core = cores()
    stagger = min(options.length, 10.0)
    upstream, port = free_port(), free_port()
    url = "http://127.0.0.1:{}/v1/models"
    command = (
        floor_command(port, upstream, folder)
        if options.floor
        else interplay_command(port, folder / "interplay", upstream)
    )
    with (
        running("upstream", upstream_command(upstream), load_core, folder, url.format(upstream)),
        running("server", command, server_core, folder, url.format(port)) as server,
    ):
        if load_core is not None:
            os.sched_setaffinity(0, {load_core})
        share, left = divmod(options.streams, options.clients)
        clients = [
            subprocess.Popen(
                client_command(options, port, share + (number < left), stagger),
                cwd=ROOT,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
            for number in range(options.clients)
        ]
        try:
            limit = stagger + options.seconds + options.length + 120
            samples, peak = watch(server, clients, limit)
            outputs = [client.communicate(timeout=10)[0] for client in clients]
        finally:
            for client in clients:
                client.kill()
                client.wait(10)
        reports = [msgspec.json.decode(output, type=StreamReport) for output in outputs]
        return judge(options, stagger, samples, peak, reports)


def show(outcome: Outcome) -> str:
    """The outcome as text."""
    step = max(1, len(outcome.samples) // 12)
    course = "  ".join(f"{one.at:.0f}s {one.memory:.0f}" for one in outcome.samples[::step])
    lines = [
        f"streams          {outcome.streams} open at a time, {outcome.ended} ended whole,"
        f" {outcome.events} text events",
        f"read back equal  {outcome.compared}",
        f"RSS MB           {course}",
        f"thirds           first {outcome.first_third:.1f} MB, last {outcome.last_third:.1f} MB,"
        f" {outcome.growth:.3f}x; PSS peak {outcome.pss_peak:.1f} MB",
        f"CPU              {outcome.cpu_share:.2f} cores, {outcome.cpu_event:.1f} us per event,"
        f" {outcome.joined:.2f} events a read",
        f"lag              p50 {outcome.lag_median:.2f} ms, p99 {outcome.lag_high:.2f} ms",
        *(f"FAULT            {fault}" for fault in outcome.faults),
        "ok" if outcome.ok else "FAIL",
    ]
    return "\n".join(lines)


def main() -> None:
    """See the module's first lines."""
    parser = argparse.ArgumentParser(description="Many open streams on one server process.")
    parser.add_argument("--streams", type=int, default=1000, help="open at a time")
    parser.add_argument("--rate", type=float, default=20.0, help="events a second in each")
    parser.add_argument("--seconds", type=float, default=60.0, help="after all are open")
    parser.add_argument(
        "--length", type=float, default=10.0, help="seconds until a stream is renewed"
    )
    parser.add_argument("--clients", type=int, default=2, help="client processes")
    parser.add_argument("--compare", type=int, default=500, help="read back so many per client")
    parser.add_argument("--floor", action="store_true", help="the floor instead of the server")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--keep", help="a folder for data and logs, instead of a temporary one")
    options = parser.parse_args()
    options.length = min(options.length, options.seconds)
    options.long = options.length == options.seconds
    with tempfile.TemporaryDirectory(prefix="interplay-bench-") as folder:
        outcome = collect(options, Path(options.keep or folder))
    print(msgspec.json.encode(outcome).decode() if options.json else show(outcome))
    sys.exit(0 if outcome.ok else 1)


if __name__ == "__main__":
    main()
