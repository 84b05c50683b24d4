"""`interplay admin`, as an operator uses it."""

import asyncio

import pytest
from click.testing import CliRunner

from interplay.cli.program import program
from interplay.plugins.stores.postgres import PostgresStore
from interplay.plugins.stores.sqlite import SqliteStore
from interplay.testing.contracts.store_reading import end, new


def run(*words):
    return CliRunner().invoke(program, ["admin", *words])


async def fill(folder, **fields):
    store = SqliteStore(folder)
    await store.open()
    await store.create(new("a", **fields), None if fields else end())
    await store.close()


def test_migrate_says_what_it_did(database):
    done = run("migrate", "--database", database)
    assert (done.exit_code, done.output) == (0, "0001_pre_start: applied\n")
    for phase in ((), ("--pre",), ("--post",)):
        done = run("migrate", "--database", database, *phase)
        assert (done.exit_code, done.output) == (0, "It is up to date.\n")


def test_migrate_tells_a_database_that_is_not_there(monkeypatch):
    monkeypatch.setenv("INTERPLAY_LIMITS__DATABASE_SECONDS", "0.2")
    done = run("migrate", "--database", "postgresql://u:secret@127.0.0.1:1/x")
    assert done.exit_code == 1
    assert "cannot be used" in done.output
    assert "Start it" in done.output
    assert "secret" not in done.output


def test_copy_moves_a_folder_into_a_database(tmp_path, database):
    asyncio.run(fill(tmp_path / "from"))
    words = "copy", "--from", str(tmp_path / "from"), "--to", database
    done = run(*words, "--blobs-url", str(tmp_path / "blobs"), "--quiet")
    assert done.exit_code == 0, done.output
    assert done.output.startswith("1 interactions (")
    done = run(*words)
    assert done.exit_code == 1
    assert "already" in done.output

    async def there():
        store = PostgresStore(database=database)
        await store.open()
        row = await store.get("a")
        await store.close()
        return row

    assert asyncio.run(there()).status == "completed"


def test_copy_refuses_what_still_runs(tmp_path, database):
    asyncio.run(fill(tmp_path / "from", status="queued"))
    done = run("copy", "--from", str(tmp_path / "from"), "--to", database)
    assert done.exit_code == 1
    assert "have not ended" in done.output


@pytest.mark.parametrize("words", [("copy", "--from", ".", "--to", "x.db"), ("copy", "--to", "x")])
def test_wrong_usage_is_told(words):
    done = run(*words)
    assert done.exit_code == 2
