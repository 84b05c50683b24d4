"""The shipped suite of jobs over the built-in stores, and over jobs that break its rules."""

import pytest

from interplay.plugins.stores.postgres import PostgresStore
from interplay.plugins.stores.sqlite import SqliteStore
from interplay.testing.contracts.jobs import JobsContract


class TestSqlite(JobsContract):
    """SQLite, alone."""

    @pytest.fixture
    def make(self, tmp_path):
        return lambda: SqliteStore(tmp_path)


class TestSqliteShared(JobsContract):
    """SQLite as one of several processes sees it."""

    @pytest.fixture
    def make(self, tmp_path):
        return lambda: SqliteStore(tmp_path, shared=True)


class TestPostgres(JobsContract):
    """PostgreSQL."""

    @pytest.fixture
    def make(self, database):
        return lambda: PostgresStore(database=database)


class Broken:
    """Jobs that are right where they are not made wrong."""

    def __init__(self, whole):
        self.whole = whole

    def __getattr__(self, name):
        return getattr(self.whole, name)


class Generous(Broken):
    """Gives a job to whoever asks."""

    async def take(self, places, executor, now):
        await self.whole.free(await self.whole.takers())
        return await self.whole.take(places, executor, now)


class Greedy(Broken):
    """Takes no notice of places."""

    async def take(self, places, executor, now):
        return await self.whole.take(dict.fromkeys(places, 99), executor, now)


class Early(Broken):
    """Takes no notice of the time."""

    async def take(self, places, executor, now):
        return await self.whole.take(places, executor, 4e9)


class Doubling(Broken):
    """Forgets a job that is there for one that is put again."""

    async def put(self, job):
        await self.whole.drop(job.kind, job.id)
        return await self.whole.put(job)


class Trusting(Broken):
    """Lets anybody end a job."""

    async def done(self, kind, id, executor):
        await self.whole.drop(kind, id)


class Merciless(Broken):
    """Frees everybody's jobs."""

    async def free(self, executors):
        return await self.whole.free(await self.whole.takers())


@pytest.mark.parametrize(
    ("broken", "test"),
    [
        (Generous, "test_a_job_is_taken_once_and_counts_its_tries"),
        (Greedy, "test_each_kind_has_its_places"),
        (Early, "test_the_lowest_tier_goes_first_then_the_longest_due"),
        (Doubling, "test_a_job_is_put_once_until_it_is_done"),
        (Trusting, "test_only_who_has_taken_a_job_ends_it_or_gives_it_back"),
        (Merciless, "test_what_the_dead_have_taken_is_free_again"),
    ],
)
async def test_the_suite_finds_what_is_broken(tmp_path, broken, test):
    store = SqliteStore(tmp_path)
    await store.open()
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        await getattr(JobsContract(), test)(broken(store.jobs))
    await store.close()
