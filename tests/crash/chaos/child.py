"""`python -m tests.crash.chaos.child ...`: the `interplay` command in bad weather.

CHAOS_UNANSWERED=0.02 lets that share of commits be made and then reported as not answered, and as
many be made twice, which may happen to any store at any time. CHAOS_MUTANT=name takes one of the
rules away that keep a journal whole; the chaos must notice.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from typing import Any

from interplay.contracts.store import Store, StoreAway
from interplay.interactions.durability import Durability
from interplay.interactions.fold import Fold
from interplay.interactions.journal import Journal
from interplay.interactions.journals import Journals
from interplay.server import assembly


def every_store(change: Callable[[Store], None]) -> None:
    """Has each store changed before it is used."""
    make = assembly._store  # pyright: ignore[reportPrivateUsage]

    def made(settings: Any) -> Store:
        store = make(settings)
        change(store)
        return store

    assembly._store = made  # pyright: ignore[reportPrivateUsage]


def unanswered(share: float) -> None:
    """Commits that are made, and then nobody says so, or somebody sends them again."""
    dice = random.Random(os.getpid())

    def change(store: Any) -> None:
        append = store.append

        async def appended(*args: Any, **fields: Any) -> None:
            await append(*args, **fields)
            chance = dice.random()
            if chance > 1 - share:
                await append(*args, **fields)
            if chance < share:
                raise StoreAway("The database went away before it answered.")

        store.append = appended

    every_store(change)


def publish_first() -> None:
    """Events are shown before they are committed."""
    begin, reopened = Journal.begin, Journals.reopened

    async def begun(self: Journal, **how: Any) -> None:
        await begin(self, **how)
        if self.durability is Durability.FIRST:
            self.durability = Durability.BEHIND

    def opened_again(self: Journals, *args: Any) -> Journal:
        journal = reopened(self, *args)
        journal.durability = Durability.BEHIND
        return journal

    Journal.begin, Journals.reopened = begun, opened_again


def no_fold() -> None:
    """Who takes a run up counts the events that are there and does not look into them."""
    reopened = Journals.reopened

    def unread(self: Journals, *args: Any) -> Journal:
        journal = reopened(self, *args)
        journal.fold = Fold()
        return journal

    Journals.reopened = unread


def no_fence() -> None:
    """Whoever wrote an interaction before may write it still, behind whatever is there by now.
    (The epoch alone is tried in the stores' own suite: the place in the journal nearly always
    stops those it would stop, so that chance does not show what it is for.)"""

    def change(store: Any) -> None:
        append = store.append

        async def appended(id: str, epoch: int, last: int, *args: Any, **fields: Any) -> None:
            if (row := await store.get(id)) is not None:
                epoch, last = row.epoch, row.last
            await append(id, epoch, last, *args, **fields)

        store.append = appended

    every_store(change)


def no_last() -> None:
    """What is appended comes behind whatever is there."""

    def change(store: Any) -> None:
        append = store.append

        async def appended(id: str, epoch: int, last: int, *args: Any, **fields: Any) -> None:
            row = await store.get(id)
            await append(id, epoch, last if row is None else row.last, *args, **fields)

        store.append = appended

    every_store(change)


def no_take_over() -> None:
    """Nobody is ever taken for dead."""
    make = assembly._dispatcher  # pyright: ignore[reportPrivateUsage]

    def made(*args: Any) -> Any:
        dispatcher = make(*args)

        async def dead(executors: Any) -> set[str]:
            return set()

        dispatcher.dead = dead
        return dispatcher

    assembly._dispatcher = made  # pyright: ignore[reportPrivateUsage]


MUTANTS = {one.__name__: one for one in (publish_first, no_fold, no_fence, no_last, no_take_over)}


def main() -> None:
    """Spoils what it is told to, then runs the command."""
    if name := os.environ.get("CHAOS_MUTANT"):
        MUTANTS[name]()
    if share := float(os.environ.get("CHAOS_UNANSWERED", "0")):
        unanswered(share)
    from interplay.cli import main as interplay

    interplay()


if __name__ == "__main__":
    main()
