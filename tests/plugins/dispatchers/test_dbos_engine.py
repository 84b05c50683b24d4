"""What the dispatcher relies on in DBOS: a new version of it must keep all of this."""

import asyncio
import time
from collections import Counter

import pytest

from interplay.contracts.store import StoreAway
from interplay.plugins.dispatchers.dbos.engine import Engine
from interplay.plugins.dispatchers.dbos.gate import Gate
from interplay.plugins.dispatchers.dbos.ledger import Ledger
from interplay.plugins.dispatchers.dbos.link import Link
from interplay.testing.contracts.dispatcher_crew import eventually


class Hands:
    """Takes jobs, and holds each call until it is let go or told to hand back."""

    def __init__(self, executor, places=2):
        self.executor, self.places = executor, places
        self.asked = Counter()
        self.calls = []
        self.ended = []
        self.gone = False

    def free(self, kind):
        self.asked[kind] += 1
        return self.places - sum(not future.done() for _, future in self.calls)

    async def carry(self, job):
        future = asyncio.get_running_loop().create_future()
        self.calls.append((job, future))
        await future
        self.ended.append(job.id)

    def dismissed(self):
        self.gone = True

    def ids(self):
        return [job.id for job, _ in self.calls]

    def let_go(self, *numbers):
        for number in numbers:
            self.calls[number][1].set_result(None)


@pytest.fixture
async def ledger(dispatch_database):
    link = Link(dispatch_database)
    await link.open()
    yield Ledger(link, "tests")
    await link.close()


@pytest.fixture
async def status(ledger):
    """The rows of DBOS by the id of their job."""

    async def asked():
        rows = await ledger._link.fetch("unlooked", -1.0, 1_000)
        carried = {row["workflow"]: row["id"] for row in rows}
        async with ledger._link._taken().acquire() as connection:
            found = await connection.fetch("SELECT * FROM interplay_dbos.workflow_status")
        return {carried[row["workflow_uuid"]]: row for row in found}

    return asked


@pytest.fixture
async def engine(dispatch_database):
    engine = Engine(dispatch_database, "first")
    await engine.start(["run"])
    yield engine
    if not engine.ended:
        await engine.stop()


async def until(status, id, expected):
    """Returns when a job's workflow has a status."""
    async with asyncio.timeout(60):
        while (await status())[id]["status"] != expected:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.02)


async def test_a_workflow_that_sql_enqueued_is_brought_once_and_ends(engine, ledger, status):
    hands = Hands("first")
    await ledger.put("run", "a", due=0.0, tier=1)
    row = (await status())["a"]
    assert (row["status"], row["queue_name"], row["priority"]) == ("ENQUEUED", "run", 1001)
    await engine.add(hands, ["run"])
    await eventually(lambda: hands.ids() == ["a"])
    row = (await status())["a"]
    assert (row["status"], row["executor_id"]) == ("PENDING", "first")
    assert row["owner_xid"]
    hands.let_go(0)
    await until(status, "a", "SUCCESS")
    assert hands.ids() == ["a"]


async def test_no_more_is_brought_than_there_are_places_of_this_process(engine, ledger):
    hands = Hands("first", places=2)
    for tier, id in ((3, "c"), (2, "b"), (1, "a"), (4, "d")):
        await ledger.put("run", id, due=0.0, tier=tier)
    await engine.add(hands, ["run"])
    await eventually(lambda: sorted(hands.ids()) == ["a", "b"])
    hands.let_go(0)
    engine.gate.look("run")
    await eventually(lambda: len(hands.calls) == 3)
    assert hands.ids()[2] == "c"
    hands.places = 0
    hands.let_go(1, 2)
    asked = hands.asked["run"]
    engine.gate.look("run")
    await eventually(lambda: hands.asked["run"] > asked)
    assert len(hands.calls) == 3


async def test_it_asks_how_many_run_here_once_before_each_look(engine, ledger):
    told = []
    hands = Hands("first", places=1)
    count = engine.gate.count

    def counted(kind):
        answer = count(kind)
        told.append((kind, answer))
        engine.gate.look(kind)
        return answer

    engine.gate.count = counted
    await ledger.put("run", "a", due=0.0, tier=1)
    await engine.add(hands, ["run"])
    await eventually(lambda: hands.ids() == ["a"])
    took = told.index(("run", Gate.LIMITLESS - 1))
    await eventually(lambda: len(told) > took + 5)
    assert told[took + 1 :].count(("run", Gate.LIMITLESS)) >= 4
    hands.let_go(0)


async def test_what_is_due_later_is_brought_later(engine, ledger, status):
    hands = Hands("first")
    await engine.add(hands, ["run"])
    due = time.time() + 1.0
    await ledger.put("run", "later", due=due, tier=1)
    assert (await status())["later"]["status"] == "DELAYED"
    began = time.monotonic()
    async with asyncio.timeout(60):
        while not hands.calls:
            engine.gate.look("run")
            await asyncio.sleep(0.02)
    assert time.time() >= due - 0.01
    assert time.monotonic() - began < 30
    hands.let_go(0)


async def test_a_cancelled_task_leaves_its_workflow_to_whoever_resumes_it(engine, ledger, status):
    hands = Hands("first")
    await ledger.put("run", "a", due=0.0, tier=1)
    await engine.add(hands, ["run"])
    await eventually(lambda: hands.ids() == ["a"])
    workflow = hands.calls[0][0].workflow
    hands.calls[0][1].cancel()
    await engine.given_back()
    engine.gate.look("run")
    await eventually(lambda: hands.ids() == ["a", "a"])
    assert hands.calls[1][0].workflow == workflow
    hands.let_go(1)
    await until(status, "a", "SUCCESS")


async def test_whoever_was_superseded_cannot_end_the_workflow(engine, ledger, status):
    hands = Hands("first")
    await ledger.put("run", "a", due=0.0, tier=1)
    await engine.add(hands, ["run"])
    await eventually(lambda: hands.ids() == ["a"])
    assert await engine.pending(["first"]) == {hands.calls[0][0].workflow: "run"}
    owner = (await status())["a"]["owner_xid"]
    await engine.resume(await engine.pending(["first"]))
    engine.gate.look("run")
    await eventually(lambda: hands.ids() == ["a", "a"])
    hands.let_go(0)
    await eventually(lambda: hands.ended == ["a"])
    row = (await status())["a"]
    assert row["status"] == "PENDING"
    assert row["owner_xid"] not in (None, owner)
    hands.let_go(1)
    await until(status, "a", "SUCCESS")


async def test_nobody_takes_the_work_of_another_name_unasked(
    engine, ledger, status, dispatch_database
):
    hands = Hands("first")
    await ledger.put("run", "a", due=0.0, tier=1)
    await engine.add(hands, ["run"])
    await eventually(lambda: hands.ids() == ["a"])
    await engine.stop()
    heir = Hands("second")
    second = Engine(dispatch_database, "second")
    await second.start(["run"])
    try:
        await second.add(heir, ["run"])
        await ledger.put("run", "b", due=0.0, tier=1)
        second.gate.look("run")
        await eventually(lambda: heir.ids() == ["b"])
        assert await second.owners() == {"first", "second"}
        left = await second.pending(["first"])
        assert list(left.values()) == ["run"]
        await second.resume(left)
        second.gate.look("run")
        await eventually(lambda: heir.ids() == ["b", "a"])
        heir.let_go(0, 1)
        await until(status, "a", "SUCCESS")
    finally:
        await second.stop()


async def test_what_is_cancelled_is_never_brought(engine, ledger, status):
    for id, due in (("waits", 0.0), ("later", 4e9), ("stays", 0.0)):
        await ledger.put("run", id, due=due, tier=1)
    rows = await status()
    await engine.cancel([rows[id]["workflow_uuid"] for id in ("waits", "later")])
    hands = Hands("first", places=5)
    await engine.add(hands, ["run"])
    await eventually(lambda: hands.ids() == ["stays"])
    hands.let_go(0)
    await until(status, "stays", "SUCCESS")
    rows = await status()
    assert {rows[id]["status"] for id in ("waits", "later")} == {"CANCELLED"}


async def test_only_what_has_ended_is_lost_or_swept(engine, ledger, status):
    for id, due in (("done", 0.0), ("later", 4e9), ("dropped", 4e9)):
        await ledger.put("run", id, due=due, tier=1)
    hands = Hands("first")
    await engine.add(hands, ["run"])
    await eventually(lambda: hands.ids() == ["done"])
    hands.let_go(0)
    await until(status, "done", "SUCCESS")
    ids = {id: row["workflow_uuid"] for id, row in (await status()).items()}
    await engine.cancel([ids["dropped"]])
    assert await engine.lost([*ids.values(), "never"]) == {ids["done"], ids["dropped"], "never"}
    assert await engine.sweep("2020-01-01T00:00:00+00:00", 100) == 0
    assert await engine.sweep("2100-01-01T00:00:00+00:00", 100) == 2
    assert list(await status()) == ["later"]


async def test_it_runs_beside_our_event_loop(engine, ledger):
    """Its tasks live on a loop of its own, and our default pool of threads stays ours."""
    hands = Hands("first")
    await ledger.put("run", "a", due=0.0, tier=1)
    await engine.add(hands, ["run"])
    await eventually(lambda: hands.ids() == ["a"])
    names = {task.get_coro().__qualname__ for task in asyncio.all_tasks()}
    assert not any("_execute_workflow" in name for name in names)
    assert asyncio.get_running_loop()._default_executor is None
    hands.let_go(0)


async def test_an_engine_that_has_ended_says_so(engine):
    await engine.stop()
    with pytest.raises(StoreAway):
        await engine.pending(["first"])
    assert Engine.here is None


async def test_missing_tables_are_made_when_it_starts(dispatch_database, ledger):
    async with ledger._link._taken().acquire() as connection:
        await connection.execute("DROP SCHEMA interplay_dbos CASCADE")
    engine = Engine(dispatch_database, "first")
    await engine.start(["run"])
    try:
        hands = Hands("first")
        await ledger.put("run", "a", due=0.0, tier=1)
        await engine.add(hands, ["run"])
        await eventually(lambda: hands.ids() == ["a"])
        hands.let_go(0)
        await eventually(lambda: hands.ended == ["a"])
    finally:
        await engine.stop()
