"""Places, the gate before DBOS, its log, and pauses: without a database."""

import asyncio
import logging

import pytest

from interplay.plugins.dispatchers.dbos import gate, quiet
from interplay.plugins.dispatchers.dbos.gate import Gate
from interplay.plugins.dispatchers.dbos.ledger import LONGEST_PAUSE, pause_after
from interplay.plugins.dispatchers.dbos.places import NoPlace, Places
from interplay.plugins.dispatchers.dbos.statements import SQL, key_of


@pytest.fixture
def places():
    places = Places()
    places.begin({"run": 2})
    return places


async def test_a_place_is_taken_and_given_back(places):
    await places.take("run", 1.0)
    assert places.free("run") == 1
    places.occupy("run", -1)
    assert places.free("run") == 2
    assert places.free("other") == 0


async def test_what_is_occupied_leaves_less(places):
    places.occupy("run", 3)
    assert places.free("run") == 0
    with pytest.raises(NoPlace):
        await places.take("run", 0.01)
    places.occupy("run", -3)
    assert places.free("run") == 2


async def test_who_waits_comes_in_as_soon_as_a_place_is_free(places):
    places.occupy("run", 2)
    waiting = [asyncio.create_task(places.take("run", 5.0)) for _ in range(3)]
    await asyncio.sleep(0)
    assert places.free("run") == 0
    places.occupy("run", -1)
    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    assert [task.done() for task in waiting] == [True, False, False]
    waiting[1].cancel()
    places.occupy("run", -1)
    await asyncio.wait_for(waiting[2], 60)
    assert places.free("run") == 0
    places.occupy("run", -2)
    assert places.free("run") == 2


async def test_nobody_waits_for_a_place_once_there_are_none(places):
    places.occupy("run", 2)
    waiting = asyncio.create_task(places.take("run", 5.0))
    await asyncio.sleep(0)
    places.end()
    with pytest.raises(NoPlace):
        await asyncio.wait_for(waiting, 60)
    assert places.free("run") == 0
    with pytest.raises(NoPlace):
        await places.take("run", 5.0)


def test_dbos_is_told_of_the_places_only_when_it_pays_to_look():
    free = {"run": 3}
    before = Gate(lambda kind: free[kind])
    assert before.count("run") == Gate.LIMITLESS - 3
    assert before.count("run") == Gate.LIMITLESS
    before.look("run")
    assert before.count("run") == Gate.LIMITLESS - 3
    before.look(None)
    free["run"] = -1
    assert before.count("run") == Gate.LIMITLESS


def test_dbos_looks_without_news_once_in_a_while(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(gate.time, "monotonic", lambda: now[0])
    before = Gate(lambda kind: 1)
    assert before.count("run") == Gate.LIMITLESS - 1
    now[0] += gate.LOOK - 0.1
    assert before.count("run") == Gate.LIMITLESS
    now[0] += 0.2
    assert before.count("run") == Gate.LIMITLESS - 1


def test_a_line_of_dbos_is_heard_once_in_a_while(monkeypatch, caplog):
    now = [100.0]
    monkeypatch.setattr(quiet.time, "monotonic", lambda: now[0])
    logger = logging.Logger("quiet")
    logger.addFilter(quiet.Once())
    logger.addHandler(caplog.handler)
    for _ in range(3):
        for _ in range(5):
            logger.warning("away")
        now[0] += quiet.EVERY + 1
    assert caplog.text.count("away") == 3


def test_pauses_grow_up_to_a_limit():
    pauses = [pause_after(tries) for tries in range(1, 12)]
    assert pauses == sorted(pauses)
    assert pauses[0] >= 1.0
    assert pauses[-1] == pause_after(10_000) == LONGEST_PAUSE


def test_every_statement_is_filled_in_and_keys_fit_the_database():
    assert all("{" not in statement for statement in SQL.values())
    assert all(-(2**63) <= key_of(name) < 2**63 for name in ("", "a", "another"))
    assert key_of("a") != key_of("b")
