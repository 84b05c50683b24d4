"""The store over PostgreSQL, where the contract's suite does not reach."""

import asyncio

import asyncpg
import pytest
from msgspec import structs

from interplay.contracts.jobs import Job
from interplay.contracts.records import Stale
from interplay.contracts.store import Fenced, Filter, NewInteraction, StoreUnusable
from interplay.plugins.stores.postgres import PostgresStore
from interplay.plugins.stores.postgres.rows import SQL
from interplay.testing.contracts.store_holding import record
from interplay.testing.contracts.store_reading import end, ids, new
from tests.plugins.stores.postgres.proxy import Wire


@pytest.fixture
async def store(database):
    store = PostgresStore(database=database)
    await store.open()
    yield store
    await store.close()


@pytest.fixture
async def wire(database):
    async with Wire(database).open() as wire:
        yield wire


@pytest.fixture
async def cut(wire):
    """A store whose only connection for reads and writes goes through the wire."""
    store = PostgresStore(database=wire.url, connections=2)
    await store.open()
    yield store
    await store.close()


async def test_runs_go_on_through_a_crash_of_the_database(postgres, database):
    """Twenty writers, each of which knows what it wrote; the server dies under them twice."""
    store = PostgresStore(database=database, patience=30)
    await store.open()
    written = dict.fromkeys((f"i{number}" for number in range(20)), 0)
    over = asyncio.Event()

    async def write(id):
        await store.create(new(id, worker="w"))
        while not over.is_set():
            count = written[id]
            await store.append(id, 1, count - 1, [b"%d" % count, b"%d" % (count + 1)])
            written[id] = count + 2

    async def crash():
        for _ in range(2):
            before = sum(written.values())
            while sum(written.values()) < before + 200:
                await store.workers()
            await asyncio.to_thread(postgres.stop, "immediate")
            await asyncio.to_thread(postgres.start)
        before = sum(written.values())
        while sum(written.values()) < before + 200:
            await store.workers()
        over.set()

    async with asyncio.timeout(50):
        await asyncio.gather(crash(), *map(write, written))
    for id, count in written.items():
        assert await store.events(id) == [b"%d" % number for number in range(count)]
    await store.close()


@pytest.mark.parametrize("made_with", ["nothing", "a parent", "an ending"])
async def test_a_create_whose_answer_was_lost_is_a_success(cut, wire, made_with):
    await cut.create(new("p", idempotency_key="p"), end())
    await cut.create(new("warm", "p"))
    wanted = new("a", "p" if made_with == "a parent" else None, idempotency_key="k")
    wire.lose_answer(b"COMMIT" if made_with == "a parent" else b"B", starts=made_with != "a parent")
    await cut.create(wanted, end() if made_with == "an ending" else None)
    assert wire.lost == 1
    assert (await cut.find_key("ann", "k")).id == "a"
    # The caller may not have heard of it either.
    await cut.create(wanted, end() if made_with == "an ending" else None)
    page, _ = await cut.list("ann", Filter(), size=9, before=None)
    assert ids(page) == ["a", "warm", "p"]


async def test_an_append_whose_answer_was_lost_is_there_once(cut, wire):
    await cut.create(new("a"))
    await cut.append("a", 1, -1, [b"0"])
    wire.lose_answer(b"B", starts=True)
    await cut.append("a", 1, 0, [b"1", b"2"])
    assert wire.lost == 1
    assert await cut.events("a") == [b"0", b"1", b"2"]


async def test_an_end_whose_answer_was_lost_is_a_success(cut, wire):
    for id in ("warm", "a"):
        await cut.create(new(id))
    await cut.append("warm", 1, -1, [], ending=end(last=0))
    wire.lose_answer(b"B", starts=True)
    await cut.append("a", 1, -1, [b"0"], ending=end(last=0, records=[record("r")]))
    assert wire.lost == 1
    assert (await cut.get("a")).status == "completed"
    assert await cut.records.get("delivery", "r") == record("r")


async def test_a_delete_whose_answer_was_lost_is_a_success(cut, wire):
    await cut.create(new("a"))
    wire.lose_answer(b"COMMIT")
    assert await cut.delete("a") == []
    assert wire.lost == 1
    assert await cut.get("a") is None


async def test_changes_of_records_whose_answer_was_lost_succeed_once(cut, wire):
    await cut.records.add(record("warm"))
    await cut.records.replace(record("warm"))
    wire.lose_answer(b"B", starts=True)
    await cut.records.add(record("a"))
    with pytest.raises(KeyError):
        await cut.records.add(record("a"))
    await cut.records.replace(record("warm", version=2))
    wire.lose_answer(b"B", starts=True)
    changed = await cut.records.replace(record("a", state="s"))
    assert wire.lost == 2
    assert changed == await cut.records.get("delivery", "a")
    assert changed.version == 2
    with pytest.raises(Stale):
        await cut.records.replace(record("a", state="s"))


async def test_jobs_whose_taking_was_not_answered_are_taken_once(cut, wire):
    for number in range(6):
        await cut.jobs.put(Job(kind="run", id=str(number), due=number))
    await cut.jobs.take({"run": 1}, "w", 9.0)
    wire.lose_answer(b"B", starts=True)
    taken = await cut.jobs.take({"run": 2}, "w", 9.0)
    assert wire.lost == 1
    assert [(job.id, job.tries) for job in taken] == [("1", 1), ("2", 1)]
    assert await cut.jobs.waiting("run") == 3


async def test_texts_may_hold_what_a_text_of_postgres_may_not(store):
    awkward = "\x00 \x10 \x10000 \ud800 \U0001f600"
    asked = NewInteraction(
        id=awkward,
        created=1.5,
        request=b"\x00",
        owner=awkward,
        root=awkward,
        model=awkward,
        agent=awkward,
        labels={"a\x00b": "c\x00d"},
        idempotency_key=awkward,
        fingerprint=awkward,
        worker=awkward,
        input=b'["\\u0000\\ud800\x00\xff"]',
    )
    await store.create(asked)
    row = await store.get(awkward)
    for name in ("id", "owner", "root", "model", "agent", "labels", "worker", "input"):
        assert getattr(row, name) == getattr(asked, name), name
    assert (await store.find_key(awkward, awkward)).id == awkward
    assert await store.workers() == {awkward}
    assert await store.held(awkward, 4e9, 9) == [awkward]
    assert await store.lost({awkward: 1, "\x00": 1}) == ["\x00"]
    for filter in (
        Filter(root=awkward),
        Filter(model=awkward),
        Filter(agent=awkward),
        Filter(label=("a\x00b", "c\x00d")),
    ):
        page, _ = await store.list(awkward, filter, size=9, before=None)
        assert ids(page) == [awkward]
    await store.append(awkward, 1, -1, [b"\x00\xff"])
    await store.remember(awkward, awkward, b"\x00")
    assert await store.events(awkward) == [b"\x00\xff"]
    assert await store.recall(awkward) == {awkward: b"\x00"}
    strange = structs.replace(
        record(""), id=awkward, kind=awkward, owner=awkward, group=awkward, state=awkward
    )
    await store.records.add(strange)
    assert await store.records.get(awkward, awkward) == strange
    await store.jobs.put(Job(kind=awkward, id=awkward))
    assert (await store.jobs.take({awkward: 1}, awkward, 1.0))[0].id == awkward
    assert await store.get("nobody\x00") is None


async def test_keys_and_labels_may_be_longer_than_an_index_takes(store):
    long = "ü" * 20_000
    for name in ("a", "b"):
        labels = {f"{long}{name}": f"{long}{name}"}
        await store.create(new(name, idempotency_key=f"{long}{name}", labels=labels))
    for name in ("a", "b"):
        assert (await store.find_key("ann", f"{long}{name}")).id == name
        label = f"{long}{name}", f"{long}{name}"
        page, _ = await store.list("ann", Filter(label=label), size=9, before=None)
        assert ids(page) == [name]
    with pytest.raises(KeyError):
        await store.create(new("c", idempotency_key=f"{long}a"))


async def test_children_made_at_once_all_stand_in_chains_of_their_own(database, store):
    """Many children of the same turn, made through two stores whose connections are there."""
    other = PostgresStore(database=database)
    await other.open()
    await asyncio.gather(*(one.get("x") for _ in range(12) for one in (store, other)))
    await store.create(new("root"), end())
    parent = "root"
    for round in range(8):
        await store.create(new(f"tip{round}", parent), end())
        parent = f"tip{round}"
        names = [f"{name}{round}.{number}" for number in range(6) for name in "ab"]
        both = {"a": store, "b": other}
        await asyncio.gather(*(both[name[0]].create(new(name, parent)) for name in names))
        tips = [f"tip{number}" for number in range(round + 1)]
        for name in names:
            assert ids(await store.chain(name)) == ["root", *tips, name]
    await other.close()


async def test_a_place_that_a_branch_was_left_from_is_not_given_out_again(store):
    for id, parent in (("a", None), ("b", "a"), ("c", "b"), ("d", "c"), ("fork", "c")):
        await store.create(new(id, parent), end())
    await store.delete("d")
    await store.delete("c")
    await store.create(new("e", "b"), end())
    assert ids(await store.chain("fork")) == ["a", "b", "fork"]
    assert ids(await store.chain("e")) == ["a", "b", "e"]


async def test_branches_that_nobody_stands_on_any_more_are_forgotten(postgres, database, store):
    await store.create(new("root"), end())
    for number in range(8):
        await store.create(new(f"c{number}", "root"), end())
        await store.create(new(f"d{number}", f"c{number}"), end())
    everyone = ["root", *(f"{name}{number}" for number in range(8) for name in "cd")]
    await asyncio.gather(*map(store.delete, everyone))
    name = database.rsplit("/", 1)[1]
    tables = "interactions", "branches", "asked", "answers", "labels", "interaction_blobs"
    for table in tables:
        assert postgres.sql(f"SELECT count(*) FROM interplay.{table}", name)[0][0] == 0, table


async def test_a_long_chain_is_read_by_ranges_of_an_index(postgres, database, store):
    """However many rows there are, only those of the chain are looked at."""
    parent = None
    for number in range(30):
        await store.create(new(f"c{number}", parent), end())
        parent = f"c{number}"
    await store.create(new("fork", "c9"), end())
    name = database.rsplit("/", 1)[1]
    fill = """
        INSERT INTO interplay.interactions SELECT n, 'x' || n, 'o', 'x' || n, null, n, 0, 3, false,
          1, 0, 1, '', 1, 1, null, null, null, null, null, null, '', ''
        FROM generate_series(1000, 60000) n;
        INSERT INTO interplay.asked SELECT n, 'q', 'q' FROM generate_series(1000, 60000) n;
        INSERT INTO interplay.answers SELECT n, 'q', 'q' FROM generate_series(1000, 60000) n"""
    for statement in fill.split(";"):
        postgres.sql(statement, name)
    postgres.sql("ANALYZE", name)
    connection = await asyncpg.connect(database)
    plan = await connection.fetch(f"EXPLAIN (ANALYZE) {SQL['chain']}", 0, "fork")
    text = "\n".join(row[0] for row in plan)
    assert "interactions_by_branch" in text
    assert "Seq Scan on interactions" not in text
    assert "Seq Scan on asked" not in text
    assert "Seq Scan on answers" not in text
    await connection.close()
    assert ids(await store.chain("fork")) == [*(f"c{number}" for number in range(10)), "fork"]


async def test_an_append_changes_no_index_of_its_row(postgres, database, store):
    """Rows that are appended to often stay where they are."""
    await store.create(new("a", worker="w"))
    for last in range(-1, 60):
        await store.append("a", 1, last, [b"x"], status="in_progress")
    name = database.rsplit("/", 1)[1]
    postgres.sql("SELECT pg_stat_force_next_flush()", name)
    await store.close()
    asked = "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relname='interactions'"
    updated, hot = postgres.sql(asked, name)[0]
    assert updated == 61
    assert hot == updated


async def test_a_spoilt_batch_fails_its_own_caller_alone(store):
    for number in range(5):
        await store.create(new(f"i{number}"))
    epochs = [1, 1, 2**70, 1, 1]
    calls = [store.append(f"i{number}", epoch, -1, [b"x"]) for number, epoch in enumerate(epochs)]
    done = await asyncio.gather(*calls, return_exceptions=True)
    assert isinstance(done[2], ValueError)
    assert [one for number, one in enumerate(done) if number != 2] == [None] * 4


async def test_many_appends_share_a_transaction(postgres, database, store):
    for number in range(100):
        await store.create(new(f"i{number}"))
    name = database.rsplit("/", 1)[1]
    before = postgres.sql("SELECT pg_current_xact_id()::text::bigint", name)[0][0]
    calls = [store.append(f"i{number}", 1, -1, [b"x"]) for number in range(100)]
    calls += [store.append(f"i{number}", 1, -1, [b"y"]) for number in range(100)]
    done = await asyncio.gather(*calls, return_exceptions=True)
    assert [type(one) for one in done[100:]] == [Fenced] * 100
    assert done[:100] == [None] * 100
    after = postgres.sql("SELECT pg_current_xact_id()::text::bigint", name)[0][0]
    assert after - before < 20


async def test_nothing_is_done_after_it_was_closed(store):
    await store.create(new("a"))
    await store.close()
    await store.close()
    for call in (store.get("a"), store.append("a", 1, -1, [b"x"]), store.create(new("b"))):
        with pytest.raises(StoreUnusable, match="closed"):
            await call
    await store.open()
    assert (await store.get("a")).last == -1
