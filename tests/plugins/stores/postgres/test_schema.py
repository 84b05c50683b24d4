"""Bringing databases up to date, one after the other and all at once."""

import asyncio

import asyncpg
import pytest

from interplay.contracts.store import StoreUnusable
from interplay.plugins.stores.postgres import PostgresStore, schema
from interplay.plugins.stores.postgres.faults import NewerSchema
from interplay.testing.contracts.store_reading import end, ids, new

URL = "postgresql://here/name"
LATER = [
    schema.Script(9001, "pre", "9001_pre_more", "ALTER TABLE interplay.jobs ADD COLUMN more text"),
    schema.Script(9002, "post", "9002_post_less", "ALTER TABLE interplay.jobs DROP COLUMN more"),
]


@pytest.fixture
async def connection(database):
    connection = await asyncpg.connect(database)
    yield connection
    await connection.close()


async def applied(connection):
    rows = await connection.fetch("SELECT name FROM interplay.migrations ORDER BY number")
    return [row[0] for row in rows]


async def test_a_new_database_gets_everything_at_once(connection):
    known = [*schema.scripts(), *LATER]
    names = [script.name for script in known]
    assert await schema.bring_up_to_date(connection, URL, known) == names
    assert await schema.bring_up_to_date(connection, URL, known) == []
    assert await applied(connection) == names


async def test_a_database_of_version_1_keeps_what_it_holds(database, connection, monkeypatch):
    first = [schema.scripts()[0]]
    assert await schema.bring_up_to_date(connection, URL, first) == [first[0].name]
    store = PostgresStore(database=database)
    await store.open()
    await store.create(new("a"), end())
    await store.create(new("b", "a"))
    await store.append("b", 1, -1, [b"0"])
    await store.close()
    later = [*schema.scripts(), *LATER]
    await schema.bring_up_to_date(connection, URL, later, ("pre", "post"))
    monkeypatch.setattr(schema, "scripts", lambda: later)
    await store.open()
    assert ids(await store.chain("b")) == ["a", "b"]
    assert await store.events("b") == [b"0"]
    await store.close()


async def test_what_takes_away_waits_until_it_is_asked_for(connection):
    start = schema.scripts()
    await schema.bring_up_to_date(connection, URL, start)
    later = [*start, *LATER]
    assert await schema.bring_up_to_date(connection, URL, later) == ["9001_pre_more"]
    assert await schema.bring_up_to_date(connection, URL, later) == []
    # A process of the version before may start meanwhile.
    assert await schema.bring_up_to_date(connection, URL, start) == []
    both = await schema.bring_up_to_date(connection, URL, later, ("pre", "post"))
    assert both == ["9002_post_less"]


async def test_after_that_older_versions_are_refused(connection):
    start = schema.scripts()
    await schema.bring_up_to_date(connection, URL, start)
    await schema.bring_up_to_date(connection, URL, [*start, *LATER], ("pre", "post"))
    with pytest.raises(NewerSchema, match=r"newer version.*9002_post_less"):
        await schema.bring_up_to_date(connection, URL, start)


async def test_who_is_two_versions_behind_is_told_to_stop_everybody(connection):
    start = schema.scripts()
    await schema.bring_up_to_date(connection, URL, start)
    third = schema.Script(9003, "pre", "9003_pre_third", "SELECT 1")
    with pytest.raises(StoreUnusable, match="interplay admin migrate"):
        await schema.bring_up_to_date(connection, URL, [*start, *LATER, third])
    known = [*start, *LATER, third]
    assert len(await schema.bring_up_to_date(connection, URL, known, ("pre", "post"))) == 3


async def test_a_script_that_fails_leaves_nothing_behind(connection):
    start = schema.scripts()
    broken = schema.Script(9001, "pre", "9001_pre_no", "CREATE TABLE interplay.no (n int); NO")
    with pytest.raises(asyncpg.PostgresSyntaxError):
        await schema.bring_up_to_date(connection, URL, [*start, broken])
    assert await schema.bring_up_to_date(connection, URL, start) == [one.name for one in start]
    assert await connection.fetchval("SELECT to_regclass('interplay.no')") is None


async def test_several_processes_bring_it_up_to_date_once(database):
    connections = [await asyncpg.connect(database) for _ in range(5)]
    known = [*schema.scripts(), *LATER]
    calls = (schema.bring_up_to_date(one, URL, known) for one in connections)
    done = await asyncio.gather(*calls)
    assert sorted(map(len, done)) == [0, 0, 0, 0, len(known)]
    for one in connections:
        await one.close()


def test_scripts_come_in_the_order_of_their_numbers():
    numbers = [script.number for script in schema.scripts()]
    assert numbers == sorted(set(numbers))
    assert numbers[0] == 1


async def test_a_database_that_is_not_in_utf8_is_refused(postgres, database):
    name = database.rsplit("/", 1)[1] + "_latin"
    postgres.sql(f"CREATE DATABASE {name} ENCODING 'LATIN1' TEMPLATE template0")
    with pytest.raises(StoreUnusable, match="LATIN1"):
        await PostgresStore(database=postgres.url(name)).open()


@pytest.mark.parametrize(
    ("url", "way_out"),
    [
        ("", "postgresql://user:password@host"),
        ("mysql://a/b", "postgresql://user:password@host"),
        ("postgresql://here:no-port/x", "Correct `database`"),
        ("{}_none", "CREATE DATABASE"),
        ("postgresql://u:secret@127.0.0.1:1/x", "Start it"),
    ],
)
async def test_a_database_that_cannot_be_used_says_the_way_out(database, url, way_out):
    store = PostgresStore(database=url.format(database), patience=0.3)
    with pytest.raises(StoreUnusable, match=way_out) as raised:
        await store.open()
    assert "secret" not in str(raised.value)


async def test_who_may_not_create_is_told_of_it(postgres, database):
    name = database.rsplit("/", 1)[1]
    postgres.sql(f"CREATE ROLE {name} LOGIN")
    url = database.replace("interplay@", f"{name}@")
    with pytest.raises(StoreUnusable, match="GRANT CREATE"):
        await PostgresStore(database=url).open()
    postgres.sql(f"DROP ROLE {name}")
