"""A data folder copied into a database, also where it was broken off, refused or wrong."""

import msgspec
import pytest

from interplay.contracts.store import Filter, StoreUnusable
from interplay.plugins.blobs.files import FileBlobs
from interplay.plugins.stores.postgres import PostgresStore
from interplay.plugins.stores.sqlite import SqliteStore
from interplay.server.copying import Copy, CopyDiffers, CopyRefused, copy_blobs, copy_folder
from interplay.settings import Settings
from interplay.testing.contracts.store_holding import record
from interplay.testing.contracts.store_reading import end, new

COUNT = 250


class BrokenOff(Exception):
    """As if the process had been killed here."""


@pytest.fixture
async def folder(tmp_path):
    """A data folder with a few hundred interactions, some in chains, records and blobs."""
    folder = tmp_path / "from"
    store = SqliteStore(folder)
    blobs = FileBlobs(folder / "blobs")
    await store.open()
    digests = [await blobs.put(b"blob %d" % number) for number in range(3)]
    for number in range(COUNT):
        parent = f"i{number - 3}" if number % 3 and number > 3 else None
        claimed = digests[number : number + 1]
        await store.create(new(f"i{number}", parent, blobs=claimed), end())
        await store.records.add(record(f"r{number}"))
    await store.close()
    return folder


@pytest.fixture
def settings(database, tmp_path):
    return Settings(database=database, data_dir=str(tmp_path / "to"))


async def pages(store):
    await store.open()
    found = (
        await store.list("ann", Filter(), size=400, before=None),
        await store.records.list("delivery", size=400),
        [await store.chain(f"i{number}") for number in range(0, COUNT, 10)],
    )
    await store.close()
    return found


async def test_everything_is_there_afterwards(folder, settings, database, tmp_path):
    said = []
    tally = await copy_folder(folder, settings, said.append)
    assert (tally.interactions, tally.records, tally.references) == (COUNT, COUNT, 3)
    assert "3 blobs copied, 0 were there" in said
    assert await pages(PostgresStore(database=database)) == await pages(SqliteStore(folder))
    there = FileBlobs(tmp_path / "to" / "blobs")
    for name in await FileBlobs(folder / "blobs").names():
        assert (await there.get(name)).startswith(b"blob ")
    with pytest.raises(CopyRefused, match="already"):
        await copy_folder(folder, settings, said.append)


async def test_the_bytes_of_uploaded_files_go_with_the_rest(folder, settings, tmp_path):
    name = await FileBlobs(folder / "files").put(b"uploaded")
    await copy_folder(folder, settings, lambda line: None)
    assert await FileBlobs(tmp_path / "to" / "files").get(name) == b"uploaded"


@pytest.mark.parametrize("count", [1, 2, 3])
async def test_a_copy_that_was_broken_off_goes_on(folder, settings, database, count):
    left = [count]

    def say(line):
        left[0] -= 1
        if not left[0]:
            raise BrokenOff

    with pytest.raises(BrokenOff):
        await copy_folder(folder, settings, say)
    said = []
    tally = await copy_folder(folder, settings, said.append)
    assert tally.interactions == COUNT
    whole = COUNT // 100 + 1
    assert len([line for line in said if line.startswith("interactions")]) == whole - count + 1
    assert await pages(PostgresStore(database=database)) == await pages(SqliteStore(folder))


async def test_what_still_runs_is_not_copied(folder, settings):
    store = SqliteStore(folder)
    await store.open()
    await store.create(new("running"))
    await store.close()
    with pytest.raises(CopyRefused, match=r"1 interactions .* have not ended"):
        await copy_folder(folder, settings, print)


async def test_a_folder_in_use_is_not_copied(folder, settings):
    store = SqliteStore(folder)
    await store.open()
    with pytest.raises(StoreUnusable, match="in use"):
        await copy_folder(folder, settings, print)
    await store.close()


async def test_a_database_that_holds_something_is_left_alone(folder, settings, database):
    store = PostgresStore(database=database)
    await store.open()
    await store.create(new("x"), end())
    with pytest.raises(CopyRefused, match="1 interactions and 0 records"):
        await copy_folder(folder, settings, print)
    assert await store.get("i0") is None
    await store.close()


async def test_two_folders_do_not_go_into_one_database(folder, settings, tmp_path):
    other = tmp_path / "other"
    store = SqliteStore(other)
    await store.open()
    await store.close()
    await copy_folder(other, settings, print)
    with pytest.raises(CopyRefused, match="another folder"):
        await copy_folder(folder, settings, print)


async def test_a_folder_that_is_not_there_is_not_made(settings, tmp_path):
    with pytest.raises(CopyRefused, match="no data folder"):
        await copy_folder(tmp_path / "nowhere", settings, print)
    assert not (tmp_path / "nowhere").exists()


async def test_blobs_that_stay_where_they_are_are_not_copied(folder, database):
    said = []
    settings = Settings(database=database, blobs_url=str(folder / "blobs"))
    await copy_folder(folder, settings, said.append)
    assert not [line for line in said if "blobs" in line]


async def test_a_blob_that_is_not_what_its_name_says_is_found(folder, tmp_path):
    blobs = FileBlobs(folder / "blobs")
    name = (await blobs.names())[0]
    path = next((folder / "blobs").rglob(name))
    path.write_bytes(b"something else")
    with pytest.raises(CopyDiffers, match=name):
        await copy_blobs(blobs, FileBlobs(tmp_path / "there"), print)


async def test_a_copy_that_lacks_something_is_found(folder, database):
    source, target = SqliteStore(folder), PostgresStore(database=database)
    await source.open()
    await target.open()
    copy = Copy(source, target, "from", print)
    await copy.begin()
    await copy.run()
    mark = await target.records.get("copy", "copy")
    undone = msgspec.json.encode({**msgspec.json.decode(mark.doc), "done": False})
    await target.records.replace(msgspec.structs.replace(mark, doc=undone))
    await target.delete("i7")
    again = Copy(source, target, "from", print)
    await again.begin()
    with pytest.raises(CopyDiffers, match="interactions=249"):
        await again.run()
    await source.close()
    await target.close()
