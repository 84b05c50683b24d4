"""What Prometheus reads at /metrics."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from interplay.interactions.runner import Runner, Running


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

    def request(self, method: str, status: int) -> None:
        """One HTTP request was answered."""
        self._requests.labels(method, str(status)).inc()

    def ended(self, running: Running) -> None:
        """One interaction ended (or was handed back)."""
        journal = running.journal
        if journal.ending is None:
            return
        kind = "agent" if journal.row.agent is not None else "model"
        self._ended.labels(kind, journal.ending.status).inc()
        self._seconds.labels(kind).observe(max(0.0, journal.ending.updated - journal.row.created))
        self._events.inc(journal.count)
        if journal.usage is not None:
            self._tokens.labels("input").inc(journal.usage.total_input_tokens or 0)
            self._tokens.labels("output").inc(journal.usage.total_output_tokens or 0)

    def text(self) -> bytes:
        """The exposition."""
        return generate_latest(self._registry)
