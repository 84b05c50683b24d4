"""What every test may use, and what holds for a whole run."""

from __future__ import annotations

import signal
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from tests.leftovers import Leftovers
from tests.postgres import database, postgres, postgres_server
from tests.spread import Spread, turn

__all__ = ["database", "postgres", "postgres_server"]

LEFTOVERS = pytest.StashKey[Leftovers]()


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "requirement(id): the promise of tests/api/requirements.py this test keeps"
    )
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # A shell that started this in the background had it ignored, also by what tests start.
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    if not hasattr(session.config, "workerinput"):  # the one that starts the others
        session.config.stash[LEFTOVERS] = Leftovers()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=turn)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Spread:
    return Spread(config, log)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> Generator[None]:
    yield
    leftovers = session.config.stash.get(LEFTOVERS, None)
    if leftovers is None:
        return
    kept = Path(session.config._tmp_path_factory.getbasetemp())  # type: ignore[attr-defined]
    for one in leftovers.found(kept):
        session.config.get_terminal_writer().line(f"left behind, {one}", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
