"""What other processes commit is told by name, and to those who watch alone."""

import asyncio
import sqlite3

import pytest

from interplay.plugins.stores.sqlite import schema, writes
from interplay.plugins.stores.sqlite.news import News
from interplay.testing.contracts.store_reading import end, new


@pytest.fixture
def path(tmp_path):
    return tmp_path / "a.db"


@pytest.fixture
def mine(path):
    db = schema.open_writer(path, "normal")
    yield db.cursor()
    db.close()


@pytest.fixture
def theirs(path, mine):
    db = schema.open_writer(path, "normal")
    yield db.cursor()
    db.close()


async def told(news: News, mine: sqlite3.Cursor) -> list[str | None]:
    """What a look finds out."""
    found: list[str | None] = []
    news._watching = [(asyncio.get_running_loop(), found.append)]
    news.look(mine)
    # What the look has left on the event loop comes before this.
    passed = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_soon(passed.set_result, None)
    await passed
    return sorted(found, key=str)


async def test_the_first_look_is_about_anyone_and_the_next_about_what_changed(mine, theirs):
    news = News()
    writes.create(theirs, 0, new("a"), None)
    writes.create(theirs, 0, new("b"), None)
    assert await told(news, mine) == [None]
    assert await told(news, mine) == []
    writes.append(theirs, "a", 1, -1, [b"0"], None, None)
    assert await told(news, mine) == ["a"]
    writes.append(theirs, "b", 1, -1, [b"0"], None, None)
    writes.append(theirs, "a", 1, 0, [b"1"], None, end(last=1))
    assert await told(news, mine) == ["a", "b"]
    writes.delete(theirs, "b")
    assert await told(news, mine) == ["b"]
    assert await told(news, mine) == []


async def test_what_began_and_ended_between_two_looks_is_told(mine, theirs):
    news = News()
    writes.create(theirs, 0, new("old"), end())
    await told(news, mine)
    writes.create(theirs, 0, new("a"), None)
    writes.append(theirs, "a", 1, -1, [b"0"], None, end(last=0))
    writes.create(theirs, 0, new("b"), end())
    assert await told(news, mine) == ["a", "b"]
    assert await told(news, mine) == []


async def test_its_own_commits_are_no_news(mine, theirs):
    news = News()
    await told(news, mine)
    writes.create(mine, 0, new("a"), None)
    writes.append(mine, "a", 1, -1, [b"0"], None, None)
    assert await told(news, mine) == []


async def test_a_look_that_is_kept_out_says_that_it_may_be_anyone(mine, theirs, path):
    news = News()
    writes.create(theirs, 0, new("a"), None)
    await told(news, mine)
    alone = schema.connect(path)
    alone.execute("PRAGMA locking_mode = EXCLUSIVE").fetchall()
    mine.connection.close()
    theirs.connection.close()
    alone.execute("BEGIN EXCLUSIVE")
    db = sqlite3.connect(path, timeout=0, isolation_level=None)
    assert await told(news, db.cursor()) == [None]
    alone.execute("ROLLBACK")
    alone.close()
    db.close()


async def test_who_is_told_on_another_loop_is_told_there():
    news, found = News(), asyncio.Queue[str | None]()
    news.watch(found.put_nowait)
    await asyncio.to_thread(lambda: asyncio.run(_tell(news)))
    assert await asyncio.wait_for(found.get(), 10) == "a"
    news.forget()
    assert not news.watched


async def _tell(news: News) -> None:
    news.tell("a")


async def test_looks_are_further_apart_when_nothing_happens_and_when_they_cost_much(mine, theirs):
    news = News()
    assert news.pause == 0.0
    await told(news, mine)
    assert 0.0 < news.pause <= 0.01
    news._moved -= 5
    assert 0.01 < news.pause <= 0.03
    news._cost = 0.1
    assert 1.5 < news.pause <= 2.0
