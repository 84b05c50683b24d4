"""What Prometheus reads at /metrics."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)

from interplay.interactions.runner import Runner, Running

_METHODS = frozenset({"GET", "HEAD", "POST", "DELETE", "OPTIONS", "PUT", "PATCH"})
_BUCKETS = (0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0, 3600.0)


class Metrics:
    """Plain numbers while requests are served; they become metrics when somebody reads them."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._requests: Counter[tuple[str, int]] = Counter()
        self._ended: Counter[tuple[str, str]] = Counter()
        self._buckets = {kind: [0] * (len(_BUCKETS) + 1) for kind in ("model", "agent")}
        self._seconds = {"model": 0.0, "agent": 0.0}
        self._input = self._output = self._events = 0
        self._queued: int | None = None
        self._registry = CollectorRegistry()
        self._registry.register(self)

    def request(self, method: str, status: int) -> None:
        """One HTTP request was answered."""
        self._requests[method if method in _METHODS else "other", status] += 1

    def ended(self, running: Running) -> None:
        """One interaction ended (or was handed back)."""
        journal = running.journal
        ending = journal.ending
        if ending is None:
            return
        kind = "agent" if journal.row.agent is not None else "model"
        seconds = max(0.0, ending.updated - journal.row.created)
        self._ended[kind, ending.status] += 1
        self._buckets[kind][bisect_left(_BUCKETS, seconds)] += 1
        self._seconds[kind] += seconds
        self._events += journal.count
        if journal.usage is not None:
            self._input += journal.usage.total_input_tokens or 0
            self._output += journal.usage.total_output_tokens or 0

    def collect(self) -> Iterable[Metric]:
        """The numbers as metrics, in the way prometheus_client asks its collectors."""
        requests = CounterMetricFamily(
            "interplay_http_requests", "HTTP requests", labels=["method", "status"]
        )
        for (method, status), count in self._requests.items():
            requests.add_metric([method, str(status)], count)
        ended = CounterMetricFamily(
            "interplay_interactions", "Interactions that ended", labels=["kind", "status"]
        )
        for labels, count in self._ended.items():
            ended.add_metric(list(labels), count)
        tokens = CounterMetricFamily("interplay_tokens", "Tokens", labels=["direction"])
        tokens.add_metric(["input"], self._input)
        tokens.add_metric(["output"], self._output)
        yield from (requests, ended, tokens, self._durations())
        yield CounterMetricFamily("interplay_events", "Events written", value=self._events)
        yield GaugeMetricFamily(
            "interplay_live_interactions", "Running in this process", value=len(self._runner.live)
        )
        if self._queued is not None:
            yield GaugeMetricFamily(
                "interplay_queued_interactions", "Waiting for a place", value=self._queued
            )

    def _durations(self) -> HistogramMetricFamily:
        family = HistogramMetricFamily(
            "interplay_interaction_seconds", "From creation to end", labels=["kind"]
        )
        for kind, counts in self._buckets.items():
            total = 0
            buckets: list[tuple[str, float]] = []
            for bound, count in zip((*map(str, _BUCKETS), "+Inf"), counts, strict=True):
                total += count
                buckets.append((bound, total))
            family.add_metric([kind], buckets, self._seconds[kind])
        return family

    def text(self, queued: int | None = None) -> bytes:
        """The exposition; `queued` is how many background runs wait, if that can be told."""
        self._queued = queued
        return generate_latest(self._registry)
