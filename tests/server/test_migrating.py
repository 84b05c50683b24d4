"""A database brought up to date without a server."""

import pytest

from interplay.contracts.store import StoreUnusable
from interplay.server.migrating import migrate
from interplay.settings import Settings


async def test_what_was_applied_is_named_once(database):
    settings = Settings(database=database)
    assert (await migrate(settings, ("pre", "post")))[0] == "0001_pre_start"
    assert await migrate(settings, ("pre", "post")) == []


async def test_the_tables_of_the_dispatcher_are_made_as_well(database, postgres):
    await migrate(Settings(database=database), ("pre",))
    schemas = postgres.sql("SELECT nspname FROM pg_namespace", database.rsplit("/", 1)[1])
    assert {"interplay", "interplay_dbos"} <= {row[0] for row in schemas}


async def test_nothing_is_taken_away_from_a_new_database(database):
    with pytest.raises(StoreUnusable, match="is empty"):
        await migrate(Settings(database=database), ("post",))


async def test_a_file_is_brought_up_to_date_as_it_is_opened(tmp_path):
    assert await migrate(Settings(data_dir=str(tmp_path)), ("pre", "post")) == []
    assert (tmp_path / "interactions.db").is_file()
