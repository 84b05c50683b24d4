"""Hosts are asked one after the other."""

from __future__ import annotations

import asyncio

from interplay.plugins.readers.http import pace
from interplay.plugins.readers.http.pace import Pace


class Time:
    """A clock that a sleep moves."""

    def __init__(self) -> None:
        self.now, self.slept = 100.0, list[float]()

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(round(seconds, 3))


async def test_starts_at_one_host_lie_apart_and_other_hosts_do_not_wait():
    time = Time()
    paced = Pace(9, 0.5, now=time, sleep=time.sleep)
    for host in ("a", "a", "b", "a"):
        async with paced.turn(host):
            pass
    assert time.slept == [0.5, 1.0]
    time.now += 60
    async with paced.turn("a"):
        pass
    assert time.slept == [0.5, 1.0]


async def test_no_more_than_so_many_hold_a_turn_at_one_host():
    paced = Pace(2, 0.0)
    holding, most, gate = 0, 0, asyncio.Event()

    async def ask() -> None:
        nonlocal holding, most
        async with paced.turn("a"):
            holding += 1
            most = max(most, holding)
            if most == 2:
                gate.set()
            await gate.wait()
            holding -= 1

    async with asyncio.timeout(60):
        await asyncio.gather(*(ask() for _ in range(6)))
    assert most == 2


async def test_hosts_nobody_asks_are_forgotten():
    time = Time()
    paced = Pace(1, 0.5, now=time, sleep=time.sleep)
    async with paced.turn("held"):
        for number in range(3 * pace._MANY):
            time.now += 1
            async with paced.turn(f"host{number}"):
                pass
        assert len(paced._hosts) <= pace._MANY
        assert "held" in paced._hosts
