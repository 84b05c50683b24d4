"""The shipped suite of records over the built-in stores, and over records that break its rules."""

import pytest
from msgspec import structs

from interplay.contracts.records import Stale
from interplay.plugins.stores.postgres import PostgresStore
from interplay.plugins.stores.sqlite import SqliteStore
from interplay.testing.contracts.records import RecordsContract


class TestSqlite(RecordsContract):
    """SQLite, alone."""

    @pytest.fixture
    def make(self, tmp_path):
        return lambda: SqliteStore(tmp_path)


class TestSqliteShared(RecordsContract):
    """SQLite as one of several processes sees it."""

    @pytest.fixture
    def make(self, tmp_path):
        return lambda: SqliteStore(tmp_path, shared=True)


class TestPostgres(RecordsContract):
    """PostgreSQL."""

    @pytest.fixture
    def make(self, database):
        return lambda: PostgresStore(database=database)


class Broken:
    """Records that are right where they are not made wrong."""

    def __init__(self, whole):
        self.whole = whole

    def __getattr__(self, name):
        return getattr(self.whole, name)


class Overwriting(Broken):
    """Takes a second one with the same id for a change."""

    async def add(self, record):
        try:
            await self.whole.add(record)
        except KeyError:
            await self.whole.remove(record.kind, record.id)
            await self.whole.add(record)


class Versionless(Broken):
    """The last one to write wins."""

    async def replace(self, record):
        found = await self.whole.get(record.kind, record.id)
        if found is None:
            raise Stale(record.id)
        return await self.whole.replace(structs.replace(record, version=found.version))


class Kindless(Broken):
    """Looks for an id among all kinds."""

    async def get(self, kind, id):
        return await self.whole.get(kind, id) or await self.whole.get("trigger", id)


class Talkative(Broken):
    """Shows everybody everything."""

    async def list(self, kind, owner=None, **filter):
        return await self.whole.list(kind, **filter)


class Hasty(Broken):
    """Takes everything for due."""

    async def due(self, kind, now, limit):
        return await self.whole.due(kind, 4e9, limit)


class Careless(Broken):
    """Sweeps away whatever it finds."""

    async def sweep(self, now, limit):
        return await self.whole.sweep(now, 99)


@pytest.mark.parametrize(
    ("broken", "test"),
    [
        (Overwriting, "test_an_id_is_given_once_for_each_kind"),
        (Versionless, "test_a_replacement_of_another_version_is_stale"),
        (Kindless, "test_what_was_removed_is_gone"),
        (Talkative, "test_lists_are_newest_first_and_show_what_the_filter_says"),
        (Hasty, "test_due_ones_come_the_longest_overdue_first"),
        (Careless, "test_a_sweep_removes_what_has_expired_by_then_and_no_more_than_asked"),
    ],
)
async def test_the_suite_finds_what_is_broken(tmp_path, broken, test):
    store = SqliteStore(tmp_path)
    await store.open()
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        await getattr(RecordsContract(), test)(broken(store.records))
    await store.close()


async def test_the_suite_finds_records_whose_time_stands_still(tmp_path):
    store = SqliteStore(tmp_path, clock=lambda: 0.0)
    await store.open()
    with pytest.raises(AssertionError):
        await RecordsContract().test_what_has_expired_is_not_there_any_more(store.records)
    await store.close()
