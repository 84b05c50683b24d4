"""The shipped store suite over the built-in stores, and over stores that break its rules."""

import pytest
from msgspec import structs

from interplay.contracts.store import Filter
from interplay.plugins.stores.sqlite import SqliteStore
from interplay.testing.contracts.store import StoreContract
from interplay.testing.contracts.store_sharing import SharedStoreContract


class TestSqlite(StoreContract):
    """SQLite as it is by default."""

    @pytest.fixture
    def make(self, tmp_path):
        return lambda: SqliteStore(tmp_path)


class TestSqliteFull(StoreContract):
    """SQLite with every commit flushed."""

    @pytest.fixture
    def make(self, tmp_path):
        return lambda: SqliteStore(tmp_path, durability="full")


class TestSqliteShared(StoreContract):
    """SQLite as one of several processes sees it."""

    @pytest.fixture
    def make(self, tmp_path):
        return lambda: SqliteStore(tmp_path, shared=True)


class TestSqliteSharing(SharedStoreContract):
    """Several stores over one file."""

    @pytest.fixture
    def make(self, tmp_path):
        return lambda: SqliteStore(tmp_path, shared=True)


class Unnumbered(SqliteStore):
    """Looks at the epoch and not at the number."""

    async def append(self, id, epoch, last, events, **fields):
        row = await self.get(id)
        await super().append(id, epoch, last if row is None else row.last, events, **fields)


class Undying(SqliteStore):
    """Looks at the number and not at the epoch: a zombie goes on writing."""

    async def append(self, id, epoch, last, events, **fields):
        row = await self.get(id)
        await super().append(id, epoch if row is None else row.epoch, last, events, **fields)


class Straight(SqliteStore):
    """Takes a conversation for one chain, whatever its branches."""

    async def chain(self, id):
        rows, _ = await self.list("ann", Filter(), size=500, before=None)
        return rows[::-1]


class Shared(SqliteStore):
    """Shows everybody Ann's rows."""

    async def list(self, owner, filter, **page):
        return await super().list("ann", filter, **page)


class Hoarding(SqliteStore):
    """Never lets go of a blob."""

    async def delete(self, id):
        await super().delete(id)
        return []


class Keyless(SqliteStore):
    """Takes no notice of idempotency keys."""

    async def create(self, new, ending=None):
        await super().create(structs.replace(new, idempotency_key=None), ending)


class Timeless(SqliteStore):
    """Its time stands still, so nothing expires."""

    def __init__(self, folder):
        super().__init__(folder, clock=lambda: 0.0)


class Volatile(SqliteStore):
    """Begins anew each time."""

    count = 0

    def __init__(self, folder):
        type(self).count += 1
        super().__init__(folder / str(self.count))


@pytest.mark.parametrize(
    ("broken", "test"),
    [
        (Unnumbered, "test_an_append_from_the_wrong_place_is_fenced_and_writes_nothing"),
        (Undying, "test_a_claim_fences_those_before"),
        (Straight, "test_chains_are_those_of_a_walk_along_parents"),
        (Shared, "test_lists_are_newest_first_in_pages_and_each_owners_own"),
        (Hoarding, "test_a_delete_answers_the_blobs_nobody_refers_to"),
        (Keyless, "test_an_idempotency_key_is_given_once_for_each_owner"),
        (Timeless, "test_what_has_expired_is_not_there_any_more"),
    ],
)
async def test_the_suite_finds_what_is_broken(tmp_path, broken, test):
    store = broken(tmp_path)
    await store.open()
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        await getattr(StoreContract(), test)(store)
    await store.close()


async def test_the_suite_finds_a_store_that_begins_anew(tmp_path):
    suite = StoreContract()
    with pytest.raises(AssertionError):
        await suite.test_everything_is_there_after_it_was_closed_and_opened(
            lambda: Volatile(tmp_path)
        )
