"""The PostgreSQL that other tests are given."""

import asyncpg


async def test_each_test_has_an_empty_database_of_its_own(postgres, database):
    connection = await asyncpg.connect(database)
    await connection.execute("CREATE TABLE here (one int)")
    await connection.close()
    other = await asyncpg.connect(postgres.new_database())
    assert await other.fetchval("SELECT to_regclass('here')") is None
    await other.close()


async def test_it_keeps_what_was_committed_when_it_is_stopped_as_by_a_crash(postgres, database):
    connection = await asyncpg.connect(database)
    await connection.execute("CREATE TABLE here (one int)")
    postgres.stop("immediate")
    assert not postgres.is_running()
    postgres.start()
    connection = await asyncpg.connect(database)
    assert await connection.fetchval("SELECT to_regclass('here')") == "here"
    await connection.close()
