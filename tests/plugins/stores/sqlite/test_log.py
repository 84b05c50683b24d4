"""The log is moved into the file, by one store or by several over the same file."""

import asyncio
import sqlite3
import subprocess
import sys

import pytest

from interplay.plugins.stores.sqlite import schema
from interplay.plugins.stores.sqlite.locks import Turns
from interplay.plugins.stores.sqlite.log import LogFolder, LogIndex, fold_log
from interplay.plugins.stores.sqlite.threads import Writer


@pytest.fixture
def path(tmp_path):
    return tmp_path / "a.db"


@pytest.fixture
def database(path):
    db = schema.open_writer(path, "normal")
    db.execute("CREATE TABLE plain (x NOT NULL)")
    yield db
    db.close()


def folder(path, **how) -> LogFolder:
    return LogFolder(schema.open_log_folder(path, "normal"), path, **how)


@pytest.fixture
def log(path, database):
    log = folder(path)
    log.start()
    yield log
    log.close()


def put(db: sqlite3.Connection | sqlite3.Cursor, x: object) -> None:
    db.execute("INSERT INTO plain VALUES (?)", (x,))


def everything(db: sqlite3.Connection) -> list[object]:
    return sorted(row[0] for row in db.execute("SELECT x FROM plain").fetchall())


def test_the_log_is_left_alone_while_someone_reads_from_it(database, log, path):
    put(database, 1)
    log.wrote(database)
    other = schema.connect(path)
    other.execute("BEGIN")
    assert everything(other) == [1]
    put(database, 2)
    log.wrote(database)
    assert fold_log(other, "PASSIVE") is False or log.pages() > 0
    assert everything(other) == [1]
    other.execute("COMMIT")
    other.close()
    assert log.emptied.wait(20)
    assert log.pages() == 0


async def test_a_log_that_two_write_begins_anew_while_both_go_on(database, path):
    """Neither sees a moment in which nobody writes."""
    logs = [folder(path, shared=True, long=800) for _ in range(2)]
    turns = [Turns(path.parent), Turns(path.parent)]
    writers = [
        Writer(schema.open_writer(path, "normal"), log, patience=20.0, turns=one)
        for log, one in zip(logs, turns, strict=True)
    ]
    for thread in (*logs, *writers):
        thread.start()
    ended = asyncio.Event()
    written = [0, 0]
    longest = 0

    async def write(number: int) -> None:
        nonlocal longest
        while not ended.is_set():
            await writers[number].do(put, b"x" * 20_000)
            written[number] += 1
            pages = logs[number].pages()
            longest = max(longest, pages)
            if longest > 800 and pages < longest // 2:
                ended.set()

    async with asyncio.timeout(100):
        await asyncio.gather(*(write(number) for number in (0, 1, 0, 1)))
    assert min(written) * 3 > max(written), "each gets its turn"
    for writer in writers:
        await asyncio.to_thread(writer.close)
    for log in logs:
        await asyncio.to_thread(log.close)
    for one in turns:
        one.close()
    assert database.execute("SELECT count(*) FROM plain").fetchone() == (sum(written),)
    assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


OTHER = """
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], timeout=0, isolation_level=None)
try:
    db.execute("BEGIN IMMEDIATE")
except sqlite3.OperationalError as error:
    print(error)
else:
    print("nobody writes")
"""


def test_whoever_closes_leaves_the_locks_of_the_others_in_this_process(database, path):
    """A descriptor that is closed would take every lock of the process on that file with it."""

    def seen_by_another_process() -> str:
        command = [sys.executable, "-c", OTHER, str(path)]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    put(database, 1)
    first, second = LogIndex(path), LogIndex(path)
    assert first.pages() == second.pages() > 0
    database.execute("BEGIN IMMEDIATE")
    second.close()
    assert first.pages() > 0
    assert seen_by_another_process() == "database is locked"
    database.execute("ROLLBACK")
    assert seen_by_another_process() == "nobody writes"
    first.close()
