"""What Prometheus reads at /metrics."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from interplay.interactions.runner import Runner, Running

_METHODS = frozenset({"GET", "HEAD", "POST", "DELETE", "OPTIONS", "PUT", "PATCH"})


class Metrics:
    """Counters of this process, in a registry of their own."""

    def __init__(self, runner: Runner) -> None:
        self._registry = registry = CollectorRegistry()
        self._requests = Counter(
            "interplay_http_requests", "HTTP requests", ["method", "status"], registry=registry
        )
        self._ended = Counter(
            "interplay_interactions",
            "Interactions that ended",
            ["kind", "status"],
            registry=registry,
        )
        self._seconds = Histogram(
            "interplay_interaction_seconds",
            "From creation to end",
            ["kind"],
            registry=registry,
            buckets=(0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 1800, 3600),
        )
        self._tokens = Counter(
            "interplay_tokens", "Tokens by direction", ["direction"], registry=registry
        )
        self._events = Counter("interplay_events", "Events written", registry=registry)
        live = Gauge("interplay_live_interactions", "Queued or running", registry=registry)
        live.set_function(lambda: len(runner.live))
        queued = Gauge("interplay_queued_interactions", "Waiting for a place", registry=registry)
        queued.set_function(lambda: runner.queued)
        # Looking a child up by its labels costs more than counting: each is looked up once.
        self._request_counts: dict[tuple[str, int], Counter] = {}
        self._ended_counts: dict[tuple[str, str], Counter] = {}
        self._kinds = {kind: self._seconds.labels(kind) for kind in ("model", "agent")}
        self._input = self._tokens.labels("input")
        self._output = self._tokens.labels("output")

    def request(self, method: str, status: int) -> None:
        """One HTTP request was answered."""
        count = self._request_counts.get((method, status))
        if count is None:
            known = method if method in _METHODS else "other"
            count = self._requests.labels(known, str(status))
            self._request_counts[known, status] = count
        count.inc()

    def ended(self, running: Running) -> None:
        """One interaction ended (or was handed back)."""
        journal = running.journal
        if journal.ending is None:
            return
        kind = "agent" if journal.row.agent is not None else "model"
        status = journal.ending.status
        count = self._ended_counts.get((kind, status))
        if count is None:
            count = self._ended_counts[kind, status] = self._ended.labels(kind, status)
        count.inc()
        self._kinds[kind].observe(max(0.0, journal.ending.updated - journal.row.created))
        self._events.inc(journal.count)
        if journal.usage is not None:
            self._input.inc(journal.usage.total_input_tokens or 0)
            self._output.inc(journal.usage.total_output_tokens or 0)

    def text(self) -> bytes:
        """The exposition."""
        return generate_latest(self._registry)
