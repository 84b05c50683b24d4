"""Connections that go round."""

import asyncio

import asyncpg
import pytest

from interplay.contracts.store import StoreUnusable
from interplay.plugins.stores.postgres.pool import Pool


class Session:
    """A connection as far as the pool looks at it."""

    def __init__(self):
        self.closed = False

    def is_closed(self):
        return self.closed

    def terminate(self):
        self.closed = True

    async def close(self):
        self.closed = True


class Server:
    """Gives at most so many sessions, and counts how often it was asked."""

    def __init__(self, places):
        self.places, self.asked, self.sessions = places, 0, []

    async def connect(self):
        self.asked += 1
        await asyncio.sleep(0)
        if sum(not one.closed for one in self.sessions) >= self.places:
            raise asyncpg.TooManyConnectionsError("sorry, too many clients already")
        self.sessions.append(Session())
        return self.sessions[-1]


async def use(pool, times):
    for _ in range(times):
        session = await pool.acquire()
        await asyncio.sleep(0)
        pool.release(session)


async def test_no_more_are_made_than_are_needed_and_allowed():
    server = Server(99)
    pool = Pool(server.connect, 3)
    await use(pool, 5)
    assert server.asked == 1
    await asyncio.gather(*(use(pool, 5) for _ in range(20)))
    assert server.asked == 3


async def test_where_the_server_gives_fewer_those_there_are_go_round():
    server = Server(2)
    pool = Pool(server.connect, 12)
    async with asyncio.timeout(60):
        await asyncio.gather(*(use(pool, 20) for _ in range(30)))
    assert len(server.sessions) == 2
    assert server.asked <= 12, "it is not asked for more again and again"


async def test_a_server_that_gives_none_is_told_of():
    with pytest.raises(asyncpg.TooManyConnectionsError):
        await Pool(Server(0).connect, 3).acquire()


async def test_a_broken_one_is_replaced_whether_in_use_or_not():
    server = Server(99)
    pool = Pool(server.connect, 1)
    first = await pool.acquire()
    first.closed = True
    waiting = asyncio.create_task(pool.acquire())
    await asyncio.sleep(0)
    pool.release(first)
    second = await waiting
    pool.release(second)
    second.closed = True
    third = await pool.acquire()
    assert server.sessions == [first, second, third]


async def test_who_stops_waiting_leaves_his_turn_to_the_next():
    pool = Pool(Server(99).connect, 1)
    held = await pool.acquire()
    waiting = [asyncio.create_task(pool.acquire()) for _ in range(2)]
    await asyncio.sleep(0)
    pool.release(held)
    waiting[0].cancel()
    async with asyncio.timeout(60):
        assert await waiting[1] is held
    assert waiting[0].cancelled()


async def test_a_failed_connection_is_no_place_lost():
    server = Server(99)
    failing = [OSError("refused"), OSError("refused")]

    async def connect():
        if failing:
            raise failing.pop()
        return await server.connect()

    pool = Pool(connect, 1)
    for _ in range(2):
        with pytest.raises(OSError, match="refused"):
            await pool.acquire()
    assert await pool.acquire() is server.sessions[0]


async def test_close_waits_for_those_in_use_and_refuses_others():
    server = Server(99)
    pool = Pool(server.connect, 2)
    held = await pool.acquire()
    closing = asyncio.create_task(pool.close(10))
    await asyncio.sleep(0)
    with pytest.raises(StoreUnusable):
        await pool.acquire()
    assert not closing.done()
    pool.release(held)
    await closing
    assert held.closed


async def test_close_does_not_wait_for_ever():
    pool = Pool(Server(99).connect, 2)
    held = await pool.acquire()
    await pool.close(0.01)
    assert held.closed
