"""What the store answered is there after kill -9, at whatever moment it comes."""

import asyncio
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time

from interplay.contracts.store import StoreAway
from interplay.plugins.stores.sqlite import SqliteStore
from interplay.testing.contracts.store_reading import new
from tests.crash.store_writer import text_of

ROUNDS = 6


class Answered:
    """What a writer was answered."""

    def __init__(self) -> None:
        self.ended: set[str] = set()
        self.events: dict[str, int] = {}
        """The last event of each that streamed."""

    def take(self, line: str) -> None:
        """One line that the writer printed; one torn by a kill was not answered."""
        if line.endswith("\n"):
            kind, id, *last = line.split()
            if kind == "ended":
                self.ended.add(id)
            else:
                self.events[id] = int(last[0])

    @property
    def count(self) -> int:
        """How many interactions it is about."""
        return len(self.ended | self.events.keys())


def writer(folder, name: str, how: str = "alone") -> subprocess.Popen[str]:
    """A process that writes until it is killed."""
    command = [sys.executable, "-m", "tests.crash.store_writer", str(folder), name, how]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    # One that hangs would be waited for for ever.
    limit = threading.Timer(60, child.kill)
    limit.daemon = True
    limit.start()
    return child


def ended(child: subprocess.Popen[str]) -> list[str]:
    """Kills it; what it had printed by then."""
    child.kill()
    assert child.stdout is not None
    rest = child.stdout.readlines()
    child.stdout.close()
    child.wait(timeout=120)
    return rest


def read(child: subprocess.Popen[str], answered: Answered, lines: int) -> None:
    """Takes so many lines of what it prints."""
    assert child.stdout is not None
    for _ in range(lines):
        line = child.stdout.readline()
        assert line, "the writer has ended by itself"
        answered.take(line)


def killed_while_writing(folder, name: str, answers: int) -> Answered:
    """What one writer was answered until it was killed."""
    child = writer(folder, name)
    answered = Answered()
    try:
        read(child, answered, answers)
    finally:
        rest = ended(child)
    for line in rest:
        answered.take(line)
    assert answered.count > 0
    return answered


async def test_every_answered_write_survives_a_kill_whole(tmp_path):
    dice = random.Random()
    every = Answered()
    for number in range(ROUNDS):
        more = killed_while_writing(tmp_path, str(number), dice.randrange(5, 900))
        every.ended |= more.ended
        every.events |= more.events
        await check(tmp_path, every.ended, every.events)


async def test_of_two_that_write_at_once_one_goes_on_when_the_other_is_killed(tmp_path):
    dice = random.Random()
    every = Answered()
    stays = writer(tmp_path, "stays", "shared")
    try:
        for number in range(ROUNDS):
            goes = writer(tmp_path, f"goes{number}", "shared")
            try:
                # Lines of both, so that neither stops because nobody reads what it prints.
                for _ in range(dice.randrange(3, 30)):
                    read(goes, every, 20)
                    read(stays, every, 20)
            finally:
                rest = ended(goes)
            for line in rest:
                every.take(line)
            before = every.count
            read(stays, every, 200)
            assert every.count > before
            await check(tmp_path, every.ended, every.events, shared=True)
    finally:
        rest = ended(stays)
    for line in rest:
        every.take(line)
    await check(tmp_path, every.ended, every.events)


async def test_a_frozen_process_keeps_the_other_out_no_longer_than_its_patience(tmp_path):
    dice = random.Random()
    store = SqliteStore(tmp_path, shared=True, patience=0.2)
    await store.open()
    frozen = writer(tmp_path, "frozen", "shared")
    outcomes: set[str] = set()
    try:
        read(frozen, Answered(), 50)
        for number in range(10):
            read(frozen, Answered(), dice.randrange(1, 20))
            frozen.send_signal(signal.SIGSTOP)
            async with asyncio.timeout(60):
                try:
                    await store.create(new(f"mine{number}"))
                    outcomes.add("written")
                except StoreAway:
                    # It was stopped in the middle of a transaction.
                    outcomes.add("away")
            frozen.send_signal(signal.SIGCONT)
    finally:
        ended(frozen)
    for number in range(10):
        if await store.get(f"mine{number}") is None:
            await store.create(new(f"mine{number}"))
    assert "written" in outcomes
    await store.close()


async def check(folder, ended, events, *, shared=False):
    store = SqliteStore(folder, shared=shared)
    await store.open()
    try:
        for id in ended:
            row = await store.get(id)
            assert row is not None, id
            assert row.status == "completed"
            assert row.request == text_of(id, "request")
            assert row.input == text_of(id, "input")
            assert row.steps == text_of(id, "steps")
        for id, last in events.items():
            held = await store.events(id)
            row = await store.get(id)
            assert row is not None, id
            assert row.last >= last
            whole = [b"event %d" % number for number in range(row.last + 1)]
            # It may have gone on between the two reads.
            assert held == whole[: len(held)]
            assert len(held) > last or row.steps is not None
            assert shared or held == ([] if row.steps is not None else whole)
        for id in await store.held("", time.time() + 1, 10_000):
            row = await store.get(id)
            assert row is not None
            assert row.input == text_of(row.id, "input")
            parents = [link.id for link in await store.chain(row.id)]
            name, _, number = row.id.rpartition("-")
            assert parents == [f"{name}-{turn}" for turn in range(int(number) + 1)]
    finally:
        await store.close()
    db = sqlite3.connect(store.file)
    assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    db.close()
