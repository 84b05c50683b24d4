"""The dispatcher of many machines: who dies, freezes or is cut off, and a database that does."""

import asyncio
import logging
import signal
import statistics
import subprocess
import sys
import time
from contextlib import AsyncExitStack

import asyncpg
import pytest

from interplay.contracts.store import StoreAway, StoreUnusable
from interplay.plugins.dispatchers.dbos import DbosDispatcher, engine, reaper
from interplay.plugins.dispatchers.dbos.ledger import Carried, Ledger
from interplay.plugins.dispatchers.dbos.link import Link
from interplay.plugins.dispatchers.dbos.statements import key_of
from interplay.testing.contracts.dispatcher_crew import Crew, Work, eventually

OPENS = "tests.plugins.dispatchers.dbos_opener:opened"


@pytest.fixture
async def crew(dispatch_database):
    """Dispatchers and processes over one database."""
    async with AsyncExitStack() as stack:
        yield Crew(OPENS, dispatch_database, 30.0, stack)


@pytest.fixture
async def look(dispatch_database):
    """Asks the database something, on the side."""
    connection = await asyncpg.connect(dispatch_database)
    yield connection.fetch
    await connection.close()


async def restarted(postgres, seconds=0.0):
    """Lets the database crash, and be away for a while."""
    await asyncio.to_thread(postgres.stop)
    await asyncio.sleep(seconds)
    await asyncio.to_thread(postgres.start)


async def asserted(condition, seconds=60.0):
    """Returns when what is asked of the database holds."""
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110 - a database tells nobody
            await asyncio.sleep(0.02)


async def taken_over(crew, here, work, turn):
    """Seconds from the death of a process to when both its jobs are being done here."""
    here.occupy("run", 8)
    there = await crew.elsewhere("work run=2")
    ids = [f"{turn}-{number}" for number in range(2)]
    for id in ids:
        await here.submit("run", id)
    await eventually(lambda: sorted(there.began()) == ids)
    here.occupy("run", -8)
    there.signal(signal.SIGKILL)
    killed = time.time()
    await eventually(lambda: set(ids) <= set(work.ended))
    await there.end()
    return max(work.times[work.began.index(id)] for id in ids) - killed


@pytest.mark.alone
async def test_the_work_of_the_killed_goes_on_within_two_seconds(crew):
    work = Work()
    here = await crew.worker(work, places=8)
    took = [await taken_over(crew, here, work, turn) for turn in range(3)]
    assert statistics.median(took) < 2.0
    assert len(work.began) == len(set(work.began)) == 6


async def test_a_time_that_was_set_is_met_though_its_process_is_killed(crew):
    there = await crew.elsewhere("quick", "work run=2")
    work = Work()
    here = await crew.worker(work)
    due = time.time() + 1.5
    here.occupy("run", 4)
    await here.submit("run", "later", due=due)
    there.signal(signal.SIGKILL)
    await there.end()
    here.occupy("run", -4)
    await eventually(lambda: work.ended == ["later"])
    assert work.times[0] >= due - 0.01
    assert work.times[0] < due + 30


async def test_a_frozen_process_that_wakes_up_does_not_end_what_another_does(
    dispatch_database, look
):
    async with AsyncExitStack() as stack:
        crew = Crew(OPENS, dispatch_database, 1.0, stack)
        there = await crew.elsewhere("work run=4", "submit run a")
        await eventually(lambda: there.began() == ["a"])
        work = Work(held=True)
        here = await crew.worker(work)
        there.signal(signal.SIGSTOP)
        await eventually(lambda: work.began == ["a"])
        there.signal(signal.SIGCONT)
        there.tell("finish a")
        await eventually(lambda: "ended run a" in there.said)
        rows = await look("SELECT taker FROM interplay_dispatch.jobs")
        assert [row["taker"] for row in rows] == [here.executor]

        async def alive():
            return await here.dead({there.executor}) == set()

        await asserted(alive)
        work.let_go("a")

        async def done():
            return not await look("SELECT FROM interplay_dispatch.jobs")

        await asserted(done)


async def test_a_crash_of_the_database_costs_nobody_his_work(postgres, crew):
    work = Work(held=True)
    here = await crew.worker(work, places=2)
    there = await crew.elsewhere("work run=2")
    clerk = await crew.join()
    for number in range(4):
        await clerk.submit("run", str(number))
    await eventually(lambda: len(work.began) == len(there.began()) == 2)
    there.signal(signal.SIGSTOP)  # so that it comes back later than others
    crashing = asyncio.create_task(restarted(postgres, 0.5))
    work.let_go(work.began[0])
    await eventually(lambda: work.ended)
    await clerk.submit("run", "meanwhile")
    await crashing
    await clerk.submit("run", "after")
    await eventually(lambda: len(work.began) == 3)
    names = {here.executor, there.executor, clerk.executor}
    back = time.monotonic()
    while time.monotonic() < back + 6.5:
        assert await clerk.dead(names) == set()
        await asyncio.sleep(0.2)
        if time.monotonic() > back + 2.5:
            there.signal(signal.SIGCONT)
    work.let_go(*"0123", "meanwhile", "after")
    await eventually(lambda: len(work.ended) == 4)
    assert sorted(work.began + there.began()) == [*"0123", "after", "meanwhile"]


async def test_calls_wait_for_a_database_that_is_away_and_then_give_up(postgres, dispatch_database):
    dispatcher = DbosDispatcher(database=dispatch_database, patience=1.0)
    await dispatcher.open()
    try:
        await asyncio.to_thread(postgres.stop)
        try:
            for call in (
                lambda: dispatcher.submit("run", "a"),
                lambda: dispatcher.cancel("run", "a"),
                lambda: dispatcher.waiting("run"),
                lambda: dispatcher.dead({"another"}),
            ):
                started = time.monotonic()
                with pytest.raises(StoreAway):
                    await call()
                assert 0.3 < time.monotonic() - started < 30
        finally:
            await asyncio.to_thread(postgres.start)
        await dispatcher.submit("run", "a")
        assert await dispatcher.waiting("run") == 1
    finally:
        await dispatcher.close()


async def test_one_drains_and_closes_in_time_though_the_database_is_away(
    postgres, dispatch_database
):
    work = Work(held=True)
    dispatcher = DbosDispatcher(database=dispatch_database)
    await dispatcher.open()
    dispatcher.work({"run": work}, {"run": 2})
    await dispatcher.submit("run", "a")
    await eventually(lambda: work.began == ["a"])
    await asyncio.to_thread(postgres.stop)
    try:
        started = time.monotonic()
        await dispatcher.drain()
        assert time.monotonic() - started < 20
        await dispatcher.close()
        assert time.monotonic() - started < 40
    finally:
        await asyncio.to_thread(postgres.start)
    assert work.stopped == ["a"]


async def test_a_lost_connection_alone_makes_nobody_dead(crew, look):
    work = Work(held=True)
    here = await crew.worker(work)
    there = await crew.elsewhere("work run=2", "submit run a")
    await eventually(lambda: "a" in work.began + there.began())
    for executor in (there.executor, here.executor):
        held = "SELECT * FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1"
        key = f"(classid::bigint << 32) | objid::bigint = {key_of(executor)}"
        await look(f"SELECT pg_terminate_backend(pid) FROM ({held} AND {key}) AS held")
    until = time.monotonic() + 2.0
    while time.monotonic() < until:
        assert await here.dead({there.executor}) == set()
        await asyncio.sleep(0.05)
    assert len(work.began + there.began()) == 1


async def test_work_that_strayed_here_is_done_after_all(crew, look, monkeypatch):
    monkeypatch.setattr(reaper, "STRAYED", 0.5)
    monkeypatch.setattr(reaper, "AUDIT", 0.1)
    work = Work()
    here = await crew.worker(work, places=1)
    await here.submit("run", "a")
    await eventually(lambda: work.ended == ["a"])
    here.occupy("run", 1)
    await here.submit("run", "b")
    await look(
        "UPDATE interplay_dbos.workflow_status SET status = 'PENDING', executor_id = $1,"
        " owner_xid = 'lost' WHERE status = 'ENQUEUED'",
        here.executor,
    )
    here.occupy("run", -1)
    await eventually(lambda: work.ended == ["a", "b"])


async def test_work_of_an_executor_nobody_knows_is_done_after_all(crew, look, monkeypatch):
    monkeypatch.setattr(reaper, "AUDIT", 0.1)
    work = Work()
    here = await crew.join()
    await here.submit("run", "a")
    await look(
        "UPDATE interplay_dbos.workflow_status SET status = 'PENDING', executor_id = 'never-was',"
        " owner_xid = 'lost'"
    )
    here.work({"run": work}, {"run": 2})
    await eventually(lambda: work.ended == ["a"])


async def test_a_job_whose_workflow_is_gone_gets_another(crew, look, monkeypatch):
    monkeypatch.setattr(reaper, "LOST", 0.0)
    monkeypatch.setattr(reaper, "CLEAN", 0.1)
    work = Work()
    here = await crew.join()
    await here.submit("run", "a")
    await look("DELETE FROM interplay_dbos.workflow_status")
    here.work({"run": work}, {"run": 2})
    await eventually(lambda: work.ended == ["a"])


async def test_what_has_ended_is_cleared_away(crew, look, monkeypatch):
    monkeypatch.setattr(reaper, "KEPT", 0.5)
    monkeypatch.setattr(reaper, "CLEAN", 0.1)
    monkeypatch.setattr(reaper, "BATCH", 7)
    work = Work(held=True)
    here = await crew.worker(work, places=30)
    await here.submit("run", "tomorrow", due=time.time() + 86_400)
    await here.submit("run", "never", due=time.time() + 86_400)
    await here.cancel("run", "never")
    for number in range(20):
        await here.submit("run", str(number))
    await eventually(lambda: len(work.began) == 20)
    work.let_go(*(str(number) for number in range(20)))

    async def cleared():
        left = await look("SELECT status FROM interplay_dbos.workflow_status")
        dropped = await look("SELECT FROM interplay_dispatch.dropped")
        return [row["status"] for row in left] == ["DELAYED"] and not dropped

    await asserted(cleared)
    jobs = await look("SELECT id FROM interplay_dispatch.jobs")
    assert [row["id"] for row in jobs] == ["tomorrow"]


async def test_who_lost_a_job_cannot_change_it_any_more(dispatch_database):
    link = Link(dispatch_database)
    await link.open()
    try:
        first, second = Ledger(link, "first"), Ledger(link, "second")
        await first.put("run", "a", due=0.0, tier=1)
        (row,) = await link.fetch("unlooked", -1.0, 1)
        job = Carried(row["kind"], row["id"], row["workflow"])
        assert await first.begin(job) == 1
        await first.freed(["first"])
        assert await second.begin(job) == 2
        await first.done(job)
        await first.again(job, 0.0, 0, "other")
        await first.handed_back([job.workflow])
        assert await second.waiting("run") == 0
        await second.again(job, 0.0, 0, "other")
        assert await second.begin(job) is None
        assert await second.begin(Carried("run", "a", "other")) == 1
        await second.done(Carried("run", "a", "other"))
        assert await first.begin(Carried("run", "a", "other")) is None
    finally:
        await link.close()


async def test_one_process_serves_one_database(database, crew):
    await crew.worker(Work())
    await eventually(lambda: engine.Engine.here is not None)
    other = DbosDispatcher(database=database)
    await other.open()
    try:
        with pytest.raises(StoreUnusable):
            other.work({"run": Work()}, {"run": 1})
    finally:
        await other.close()


async def test_who_still_works_here_goes_on_when_another_closes(crew):
    gone, stays = Work(), Work()
    one = await crew.worker(gone)
    await one.submit("run", "a")
    await eventually(lambda: gone.ended == ["a"])
    two = await crew.worker({"run": stays})
    await one.close()
    await two.submit("run", "b")
    await eventually(lambda: stays.ended == ["b"])


async def test_tables_are_made_once_by_many_at_a_time(postgres):
    empty = postgres.new_database()
    many = [DbosDispatcher(database=empty) for _ in range(4)]
    try:
        await asyncio.gather(*(one.open() for one in many))
        await many[0].submit("run", "a")
        assert await many[3].waiting("run") == 1
        assert await many[1].dead({one.executor for one in many}) == set()
    finally:
        await asyncio.gather(*(one.close() for one in many))


def test_only_who_works_imports_dbos(dispatch_database):
    program = (
        "import asyncio, sys\n"
        "from interplay.plugins.dispatchers.dbos import DbosDispatcher\n"
        "async def main():\n"
        "    clerk = DbosDispatcher(database=sys.argv[1])\n"
        "    await clerk.open()\n"
        "    await clerk.submit('run', 'a')\n"
        "    assert await clerk.waiting('run') == 1\n"
        "    await clerk.drain()\n"
        "    await clerk.close()\n"
        "asyncio.run(main())\n"
        "assert 'dbos' not in sys.modules and 'sqlalchemy' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program, dispatch_database], check=True, timeout=120)


@pytest.mark.parametrize("url", ["", "sqlite:///here", "mysql://localhost/x"])
def test_another_database_is_refused_with_the_way_out(url):
    with pytest.raises(StoreUnusable, match="postgresql://"):
        DbosDispatcher(database=url)


async def test_a_database_that_is_not_there_is_unusable(postgres):
    for url in (postgres.url("nowhere"), "postgresql://nobody@127.0.0.1:1/x"):
        dispatcher = DbosDispatcher(database=url, patience=0.3)
        with pytest.raises(StoreUnusable):
            await dispatcher.open()


async def test_a_failing_handler_is_heard_of(crew, caplog):
    def answer(id, calls):
        raise RuntimeError("told to fail")

    work = Work(answer=answer)
    dispatcher = await crew.worker(work)
    with caplog.at_level(logging.ERROR, logger="interplay.dispatch"):
        await dispatcher.submit("run", "bad")
        await eventually(lambda: "bad failed" in caplog.text)
    assert "told to fail" in caplog.text
