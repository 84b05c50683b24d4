"""The shipped store suite over the built-in stores, and over stores that break its rules."""

from contextlib import suppress

import pytest
from msgspec import structs

from interplay.contracts.store import Fenced, Filter, Gone
from interplay.plugins.stores.postgres import PostgresStore
from interplay.plugins.stores.sqlite import SqliteStore
from interplay.testing.contracts import store_sharing
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


class TestPostgres(StoreContract):
    """PostgreSQL."""

    @pytest.fixture
    def make(self, database):
        return lambda: PostgresStore(database=database)


class TestPostgresSharing(SharedStoreContract):
    """Several stores over one database."""

    @pytest.fixture
    def make(self, database):
        return lambda: PostgresStore(database=database)


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


class Forgiving(SqliteStore):
    """Takes every append for one that was made before."""

    async def append(self, id, epoch, last, events, **fields):
        with suppress(Fenced):
            await super().append(id, epoch, last, events, **fields)


class Forgetful(SqliteStore):
    """Refuses to be told the same thing twice."""

    async def append(self, id, epoch, last, events, **fields):
        row = await self.get(id)
        if row is None or row.last != last:
            raise Fenced(id)
        await super().append(id, epoch, last, events, **fields)


class Counting(SqliteStore):
    """Counts an attempt that was handed back."""

    async def release(self, id, epoch):
        row = await self.get(id)
        await super().release(id, epoch)
        if row is not None and row.epoch == epoch:
            await self.claim(id, "")


class Ownerless(SqliteStore):
    """Forgets who claimed what."""

    async def claim(self, id, worker=""):
        return await super().claim(id)


class Empty(SqliteStore):
    """Loses the records of an end."""

    async def append(self, id, epoch, last, events, *, status=None, ending=None):
        if ending is not None:
            ending = structs.replace(ending, records=[])
        await super().append(id, epoch, last, events, status=status, ending=ending)


class Calm(SqliteStore):
    """Thinks that nothing it holds is ever lost."""

    async def lost(self, held):
        return []


@pytest.mark.parametrize(
    ("broken", "test"),
    [
        (Forgiving, "test_of_two_ends_at_once_one_stands"),
        (Forgetful, "test_an_append_made_again_succeeds_and_changes_nothing"),
        (Forgetful, "test_an_end_made_again_succeeds_and_changes_nothing"),
        (Counting, "test_what_is_handed_back_is_nobodys_and_was_no_attempt"),
        (Ownerless, "test_workers_are_those_that_hold_unended_rows"),
        (Empty, "test_an_end_brings_its_records"),
        (Calm, "test_lost_names_what_another_has_claimed_ended_or_deleted"),
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
    with pytest.raises((AssertionError, Fenced, pytest.fail.Exception)):
        await getattr(StoreContract(), test)(store)
    await store.close()


async def test_the_suite_finds_a_store_that_begins_anew(tmp_path):
    suite = StoreContract()
    with pytest.raises(AssertionError):
        await suite.test_everything_is_there_after_it_was_closed_and_opened(
            lambda: Volatile(tmp_path)
        )


class Mute(SqliteStore):
    """Tells nobody anything."""

    def watch(self, seen):
        pass


class Private(SqliteStore):
    """Writes a copy of its own."""

    count = 0

    def __init__(self, folder):
        type(self).count += 1
        super().__init__(folder / str(self.count), shared=True)


@pytest.mark.parametrize(
    ("broken", "test"),
    [
        (
            lambda folder: Mute(folder, shared=True),
            "test_who_watches_is_told_of_what_another_has_written",
        ),
        (Private, "test_what_one_has_written_the_other_reads"),
        (Private, "test_the_fence_holds_between_them"),
        (Private, "test_a_job_is_taken_by_one_of_them"),
        (Private, "test_a_key_and_a_version_are_given_once_between_them"),
    ],
)
async def test_the_suite_finds_stores_that_do_not_share(tmp_path, monkeypatch, broken, test):
    monkeypatch.setattr(store_sharing, "_SECONDS", 0.2)
    stores = [broken(tmp_path), broken(tmp_path)]
    for store in stores:
        await store.open()
    with pytest.raises((AssertionError, Gone, TimeoutError, pytest.fail.Exception)):
        await getattr(SharedStoreContract(), test)(*stores)
    for store in stores:
        await store.close()
