"""`python -m tests.crash.chaos`: processes are killed while clients follow their interactions.

Exit status 1 when a promise was broken.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from tests.crash.chaos.child import MUTANTS
from tests.crash.chaos.fleet import Database
from tests.crash.chaos.plan import Plan
from tests.crash.chaos.show import Outcome, Show
from tests.postgres import Server, binaries

SHAPES = ("alone", "shared", "postgres")


def parse(arguments: list[str]) -> tuple[list[Plan], Path | None]:
    """The plans to run, one for each shape, and the folder where they leave their logs."""
    parser = argparse.ArgumentParser(prog="./run chaos", description=__doc__)
    parser.add_argument("--shape", choices=(*SHAPES, "all"), default="all")
    parser.add_argument("--interactions", type=int, default=300)
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--unanswered", type=float, default=Plan().unanswered)
    parser.add_argument("--mutant", choices=sorted(MUTANTS), default="")
    parser.add_argument("--folder", type=Path, help="where data and logs stay for a look")
    given = parser.parse_args(arguments)
    plans = [
        Plan(
            shape=shape,
            interactions=given.interactions,
            seconds=given.seconds,
            seed=given.seed,
            unanswered=given.unanswered,
            mutant=given.mutant,
            until_caught=bool(given.mutant),
            delay=0.3,
            pace=0.025,
            places=24,
        )
        for shape in (SHAPES if given.shape == "all" else (given.shape,))
    ]
    return plans, given.folder


def play(plan: Plan, folder: Path) -> Outcome:
    """One plan, with a database server of its own where its shape needs one."""
    if plan.shape != "postgres":
        return asyncio.run(Show(plan, folder, None).run())
    bin = binaries()
    if bin is None:
        sys.exit("The shape 'postgres' needs PostgreSQL: apt-get install postgresql")
    server = Server(bin)
    try:
        database = Database(server, server.new_database())
        return asyncio.run(Show(plan, folder, database).run())
    finally:
        server.close()


def main() -> int:
    """Runs every plan; 1 when one of them broke a promise."""
    plans, kept = parse(sys.argv[1:])
    broken = 0
    for plan in plans:
        print(f"{plan.shape}: {plan.interactions} interactions, two clients each,", end=" ")
        print(f"{plan.seconds:g} s, seed {plan.seed} {plan.mutant}", flush=True)
        with tempfile.TemporaryDirectory() as scratch:
            outcome = play(plan, (kept or Path(scratch)) / plan.shape)
        print(outcome, flush=True)
        broken += bool(outcome.violations)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
