"""Shared commits: what is shared, and what each caller gets for himself."""

import asyncio
import sqlite3
import threading

import pytest

from interplay.contracts.store import Gone, StoreAway, StoreUnusable
from interplay.plugins.stores.sqlite import schema
from interplay.plugins.stores.sqlite.log import LogFolder
from interplay.plugins.stores.sqlite.threads import Reader, Writer


@pytest.fixture
def path(tmp_path):
    return tmp_path / "a.db"


@pytest.fixture
def database(path):
    db = schema.open_writer(path, "normal")
    db.execute("CREATE TABLE plain (x NOT NULL UNIQUE)")
    yield db
    db.close()


@pytest.fixture
def log(path, database):
    log = LogFolder(schema.open_log_folder(path, "normal"), path)
    log.start()
    yield log
    log.close()


@pytest.fixture
def writer(database, log):
    writer = Writer(database, log, patience=0.2)
    writer.start()
    yield writer
    if not writer._closed:
        writer.close()


@pytest.fixture
def reader(path, database):
    reader = Reader(schema.open_reader(path))
    reader.start()
    yield reader
    reader.close()


def put(db: sqlite3.Cursor, x: object) -> object:
    db.execute("INSERT INTO plain VALUES (?)", (x,))
    return x


def put_and_fail(db: sqlite3.Cursor, x: object) -> None:
    put(db, x)
    raise Gone("after it wrote")


def everything(db: sqlite3.Cursor) -> list[object]:
    return sorted(row[0] for row in db.execute("SELECT x FROM plain").fetchall())


class Held:
    """Keeps a thread of the store busy until it is let go."""

    def __init__(self, queued: Writer | Reader) -> None:
        self.queued = queued
        self.gate = threading.Event()
        self.began = threading.Event()

    def block(self, db: sqlite3.Cursor) -> None:
        self.began.set()
        assert self.gate.wait(timeout=120)

    async def __aenter__(self) -> None:
        self.task = asyncio.create_task(self.queued.do(self.block))
        assert await asyncio.to_thread(self.began.wait, 20)

    async def __aexit__(self, *_: object) -> None:
        # What was begun meanwhile stands in the queue.
        await asyncio.sleep(0)
        self.gate.set()
        await self.task


async def test_writes_that_come_during_a_commit_share_the_next(writer, reader, database):
    commits: list[str] = []
    database.set_trace_callback(lambda sql: commits.append(sql) if sql == "COMMIT" else None)
    async with Held(writer):
        tasks = [asyncio.create_task(writer.do(put, number)) for number in range(50)]
    assert await asyncio.gather(*tasks) == list(range(50))
    assert len(commits) == 2
    assert await reader.do(everything) == list(range(50))


async def test_one_that_fails_after_it_wrote_takes_nobody_with_it(writer, reader):
    async with Held(writer):
        works = [(put, 1), (put_and_fail, 2), (put, 3), (put, 3), (put, object()), (put, 4)]
        tasks = [asyncio.create_task(writer.do(work, x)) for work, x in works]
    done = await asyncio.gather(*tasks, return_exceptions=True)
    raised = {place: type(one) for place, one in enumerate(done) if isinstance(one, Exception)}
    assert raised == {1: Gone, 3: ValueError, 4: sqlite3.ProgrammingError} or (
        raised == {1: Gone, 3: ValueError, 4: sqlite3.InterfaceError}
    )
    assert await reader.do(everything) == [1, 3, 4]


async def test_a_caller_who_left_still_has_his_write_and_holds_up_nobody(writer, reader):
    async with Held(writer):
        left = asyncio.create_task(writer.do(put, 1))
        stays = asyncio.create_task(writer.do(put, 2))
        await asyncio.sleep(0)
        left.cancel()
    assert await stays == 2
    with pytest.raises(asyncio.CancelledError):
        await left
    assert await reader.do(everything) == [1, 2]


async def test_callers_of_several_loops_are_each_answered_in_theirs(writer):
    answers = await asyncio.gather(
        writer.do(put, 1),
        asyncio.to_thread(lambda: asyncio.run(writer.do(put, 2))),
        asyncio.to_thread(lambda: asyncio.run(writer.do(put, 3))),
    )
    assert answers == [1, 2, 3]


async def test_a_loop_that_closed_before_its_answer_harms_nobody(writer, reader):
    async def leave() -> None:
        task = asyncio.create_task(writer.do(put, 1))
        await asyncio.sleep(0)
        task.cancel()

    async with Held(writer):
        await asyncio.to_thread(lambda: asyncio.run(leave()))
    assert await writer.do(put, 2) == 2
    assert await reader.do(everything) == [1, 2]


async def test_a_quick_read_does_not_wait_for_the_long_one_behind_it(reader):
    gate = threading.Event()

    def slow(db: sqlite3.Cursor) -> bool:
        return gate.wait(timeout=120)

    def somewhat_slow(db: sqlite3.Cursor) -> int:
        return sum(range(500_000))

    async with Held(reader):
        quick = asyncio.create_task(reader.do(somewhat_slow))
        await asyncio.sleep(0)
        long = asyncio.create_task(reader.do(slow))
    await asyncio.wait_for(quick, 60)
    assert not long.done()
    gate.set()
    assert await asyncio.wait_for(long, 60)


async def test_a_read_that_fails_fails_its_caller_alone(reader):
    def wrong(db: sqlite3.Cursor) -> None:
        db.execute("INSERT INTO plain VALUES (1)")

    with pytest.raises(StoreUnusable, match="readonly"):
        await reader.do(wrong)
    assert await reader.do(everything) == []


async def test_closing_finishes_what_is_queued(writer, path):
    async with Held(writer):
        tasks = [asyncio.create_task(writer.do(put, number)) for number in range(20)]
        await asyncio.sleep(0)
        closing = asyncio.create_task(asyncio.to_thread(writer.close))
    await closing
    assert await asyncio.gather(*tasks) == list(range(20))
    db = schema.connect(path)
    assert everything(db.cursor()) == list(range(20))
    db.close()
    with pytest.raises(StoreUnusable, match="closed"):
        await writer.do(put, 21)


async def test_a_write_waits_for_another_process_and_then_gives_up(writer, reader, path):
    other = schema.connect(path)
    other.execute("BEGIN IMMEDIATE")
    async with asyncio.timeout(60):
        with pytest.raises(StoreAway, match="Another process"):
            await writer.do(put, 1)
        # All who waited with it are told at once, and not one after the other.
        calls = [writer.do(put, number) for number in range(2, 30)]
        done = await asyncio.gather(*calls, return_exceptions=True)
    assert {type(one) for one in done} == {StoreAway}
    other.execute("ROLLBACK")
    await writer.do(put, 1)
    assert await reader.do(everything) == [1]
    other.close()


async def test_a_write_goes_on_as_soon_as_the_other_process_has_written(writer, reader, path):
    other = schema.connect(path)
    other.execute("BEGIN IMMEDIATE")
    other.execute("INSERT INTO plain VALUES (0)")
    waiting = asyncio.create_task(writer.do(put, 1))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.shield(waiting), 0.02)
    other.execute("COMMIT")
    assert await asyncio.wait_for(waiting, 60) == 1
    assert await reader.do(everything) == [0, 1]
    other.close()
