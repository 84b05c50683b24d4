"""Processes die at random while clients follow what they run; and the same with a rule broken."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.crash.chaos.fleet import Database
from tests.crash.chaos.plan import Plan
from tests.crash.chaos.show import Outcome, Show
from tests.postgres import Server


@pytest.mark.timeout(600)
@pytest.mark.parametrize("shape", ["alone", "shared"])
async def test_nothing_is_lost_and_nothing_is_doubled_while_processes_die(
    tmp_path: Path, shape: str
) -> None:
    plan = Plan(
        shape=shape,
        interactions=10,
        seconds=6.0,
        cancelled=0.2,
        acts=2,
        kill_every=(1.5, 3.0),
        patience=20.0,
    )
    outcome = await Show(plan, tmp_path, None).run()
    _all_is_well(outcome)
    assert outcome.tracebacks == 0


@pytest.mark.timeout(600)
async def test_nothing_is_lost_and_nothing_is_doubled_while_the_database_dies_as_well(
    tmp_path: Path, postgres: Server, database: str
) -> None:
    plan = Plan(
        shape="postgres",
        interactions=10,
        seconds=9.0,
        cancelled=0.2,
        acts=2,
        kill_every=(1.5, 3.0),
        database_restarts=0.4,
    )
    _all_is_well(await Show(plan, tmp_path, Database(postgres, database)).run())


def _all_is_well(outcome: Outcome) -> None:
    assert outcome.violations == []
    assert sum(outcome.acts.values()) >= 1
    assert outcome.statuses["completed"] >= 6
    assert sum(outcome.statuses.values()) == 10
    assert not any(outcome.exits)


MUTANTS: dict[str, dict[str, Any]] = {
    "publish_first": {"unanswered": 0.0, "kill_every": (1.5, 2.0)},
    "no_fold": {"unanswered": 0.0, "kill_every": (1.5, 2.0)},
    "no_last": {"unanswered": 0.1, "kill_every": (1.5, 2.0)},
    "no_fence": {"shape": "shared", "unanswered": 0.0, "freezes": 1.0, "kill_every": (1.0, 1.5)},
    "no_take_over": {"unanswered": 0.0, "kill_every": (1.5, 2.0), "patience": 8.0},
}


@pytest.mark.timeout(600)
@pytest.mark.parametrize("mutant", MUTANTS)
async def test_a_server_that_breaks_a_rule_is_caught(tmp_path: Path, mutant: str) -> None:
    given: dict[str, Any] = {"interactions": 32, "seconds": 60.0, **MUTANTS[mutant]}
    plan = Plan(mutant=mutant, until_caught=True, cancelled=0.0, models=("fresh",), **given)
    outcome = await Show(plan, tmp_path, None).run()
    assert outcome.violations != []
