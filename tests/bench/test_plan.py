"""The plan: its arithmetic, and that the page shows what it says."""

from __future__ import annotations

import subprocess
import sys

import msgspec
import pytest

from bench.plan import MEASURED, WAYS_ON, Limits, Traffic, breaks, need, tables
from bench.processes import ROOT

TRAFFIC, LIMITS = Traffic(), Limits()


def test_every_input_was_measured():
    for kind in (MEASURED.unary, MEASURED.stream, MEASURED.background):
        assert all(value > 0 for value in msgspec.structs.astuple(kind))
    assert min(MEASURED.connections, MEASURED.idle_mb, MEASURED.stream_kb) > 0


def test_ten_times_the_load_needs_ten_times_the_means():
    one, ten = (need(load, MEASURED, TRAFFIC, LIMITS) for load in (1.0, 10.0))
    for name in (
        "rows",
        "kept_tb",
        "server_cores",
        "database_cores",
        "commits_a_second",
        "streams",
    ):
        assert getattr(ten, name) == pytest.approx(10 * getattr(one, name))


def test_a_known_load_needs_what_it_should():
    only = Traffic(unary=1.0, stream=0.0, background=0.0, peak=1.0, days=10.0)
    found = need(0.0864, MEASURED, only, Limits(busy=1.0))  # one a second
    assert found.a_second == pytest.approx(1.0)
    assert found.rows == pytest.approx(864_000)
    assert found.server_cores == pytest.approx(MEASURED.unary.server_us / 1e6)
    assert found.commits_a_second == pytest.approx(MEASURED.unary.commits)
    assert (found.processes, found.streams) == (2, 0)


def test_what_is_used_up_first_comes_first_and_is_reached_just_there():
    found = breaks(MEASURED, TRAFFIC, LIMITS)
    assert {name for name, _ in found} == set(WAYS_ON)
    assert [load for _, load in found] == sorted(load for _, load in found)
    for name, load in found:
        limit = getattr(LIMITS, name)
        assert getattr(need(load * 0.99, MEASURED, TRAFFIC, LIMITS), name) < limit
        assert getattr(need(load * 1.01, MEASURED, TRAFFIC, LIMITS), name) >= limit


def test_shorter_retention_moves_only_the_space():
    week = dict(breaks(MEASURED, Traffic(days=5.5), LIMITS))
    usual = dict(breaks(MEASURED, TRAFFIC, LIMITS))
    assert week["kept_tb"] == pytest.approx(10 * usual["kept_tb"])
    assert week["commits_a_second"] == usual["commits_a_second"]


def test_the_page_shows_the_tables_of_today():
    page = (ROOT / "docs" / "scale.md").read_text("utf-8")
    assert tables(MEASURED, TRAFFIC, LIMITS) in page


def test_shares_that_do_not_make_one_are_refused():
    command = [sys.executable, "-m", "bench.plan", "--unary", "0.9"]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 2
    assert "make 1 together" in done.stderr
