"""What one run of the chaos is made of."""

from __future__ import annotations

from typing import Any

import msgspec

WORDS = [f"w{number} " for number in range(40)]
"""What every run says in the end, word by word."""


class Plan(msgspec.Struct, kw_only=True):
    """How much, how long, and what goes wrong. Times in seconds."""

    shape: str = "alone"
    """alone: one process. shared: two over one data folder. postgres: two that answer and two
    that work over one database."""
    interactions: int = 40
    seconds: float = 30.0
    """How long things go wrong; what was begun is then given time to end."""
    acts: int = 0
    """Things go wrong longer, up to five times as long, until there were so many acts."""
    seed: int = 1
    kill_every: tuple[float, float] = (2.0, 4.0)
    freezes: float = 0.25
    """The share of acts that freeze a process for about `silence` instead of killing it; the last
    one that runs is not frozen."""
    database_restarts: float = 0.15
    """The share of acts that break the database off and start it again, where it is a server."""
    cancelled: float = 0.1
    """The share of interactions that somebody cancels."""
    unanswered: float = 0.02
    """The share of commits that are made and then reported as if the database had gone away; as
    many are made twice."""
    silence: float = 2.0
    """limits.worker_silence_seconds."""
    patience: float = 40.0
    """A client that sees nothing new this long has lost its interaction."""
    mutant: str = ""
    """A way of breaking the servers; see child.py."""
    until_caught: bool = False
    """Stop at the first violation."""
    delay: float = 0.7
    """Before a run's first word; `pace` before each one more."""
    pace: float = 0.04
    places: int = 12
    """Background runs at a time in one process. What comes must be less than what gets done
    between two kills, or it is the queue that is tried."""
    models: tuple[str, ...] = ("m", "fresh")
    """m continues its own words after a crash, fresh cannot."""


def config(plan: Plan) -> dict[str, Any]:
    """The settings of every process."""

    def model(prefill: bool) -> dict[str, Any]:
        return {
            "backend": "scripted",
            "replies": [{"chunks": WORDS, "delay": plan.delay, "pace": plan.pace}],
            "repeat": True,
            "facts": {"prefill": prefill},
        }

    return {
        "models": {"m": model(True), "fresh": model(False)},
        "default_model": "m",
        "log_level": "info",
        "limits": {
            "background_runs": plan.places,
            # A run that breaks every server is given up; these servers break all by themselves.
            "run_attempts": 1_000,
            "keepalive_seconds": 1.0,
            "worker_silence_seconds": plan.silence,
            "drain_seconds": 1.0,
        },
    }
