"""What the store answered is there after kill -9, at whatever moment it comes."""

import random
import sqlite3
import subprocess
import sys
import time

from interplay.plugins.stores.sqlite import SqliteStore
from tests.crash.store_writer import text_of

ROUNDS = 6


def killed_while_writing(folder, name: str, answers: int) -> tuple[set[str], dict[str, int]]:
    """Ids that were answered as ended, and the last answered event of each that streamed."""
    command = [sys.executable, "-m", "tests.crash.store_writer", str(folder), name]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    ended: set[str] = set()
    events: dict[str, int] = {}
    assert child.stdout is not None
    try:
        for number, line in enumerate(child.stdout):
            # A line torn by the kill was not answered.
            if line.endswith("\n"):
                kind, id, *last = line.split()
                if kind == "ended":
                    ended.add(id)
                else:
                    events[id] = int(last[0])
            if number == answers:
                child.kill()
    finally:
        child.kill()
        child.wait(timeout=10)
    assert len(ended) + len(events) > 0
    return ended, events


async def test_every_answered_write_survives_a_kill_whole(tmp_path):
    dice = random.Random()
    ended: set[str] = set()
    events: dict[str, int] = {}
    for number in range(ROUNDS):
        more, streamed = killed_while_writing(tmp_path, str(number), dice.randrange(5, 900))
        ended |= more
        events |= streamed
        await check(tmp_path, ended, events)


async def check(folder, ended, events):
    store = SqliteStore(folder)
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
            row = await store.get(id)
            assert row is not None, id
            assert row.last >= last
            held = await store.events(id)
            whole = [b"event %d" % number for number in range(row.last + 1)]
            assert held == ([] if row.steps is not None else whole)
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
