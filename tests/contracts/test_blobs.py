"""The shipped blobs suite over the built-in blobs, and over blobs that break its rules."""

import pytest

from interplay.plugins.blobs.files import FileBlobs
from interplay.plugins.blobs.s3 import S3Blobs
from interplay.testing.contracts.blobs import BlobsContract
from tests.s3 import new_bucket, storage


class TestFiles(BlobsContract):
    """Files as they are by default."""

    @pytest.fixture
    def make(self, tmp_path):
        return lambda: FileBlobs(tmp_path / "blobs")


class TestFilesFull(BlobsContract):
    """Files whose folders are flushed too."""

    @pytest.fixture
    def make(self, tmp_path):
        return lambda: FileBlobs(tmp_path / "blobs", durability="full")


@pytest.fixture(scope="module")
def endpoint():
    """A real S3 server."""
    with storage() as url:
        yield url


class TestS3(BlobsContract):
    """Objects under a prefix of a bucket."""

    @pytest.fixture
    def make(self, endpoint):
        where = f"s3://{new_bucket(endpoint)}/media?endpoint={endpoint}"
        return lambda: S3Blobs(where)


class Volatile(FileBlobs):
    """Begins anew each time."""

    count = 0

    def __init__(self, folder):
        type(self).count += 1
        super().__init__(folder / str(self.count))


class Greedy(FileBlobs):
    """Sweeps what is arriving."""

    async def names(self, *, idle=0.0):
        return await super().names()


class Multiple(FileBlobs):
    """Keeps a copy for each put."""

    count = 0

    async def put(self, data):
        self.count += 1
        return await super().put(data + b"%d" % self.count)


class Lossless(FileBlobs):
    """Never removes."""

    async def remove(self, sha256, *, idle=0.0):
        pass


@pytest.mark.parametrize(
    ("broken", "test", "given"),
    [
        (Multiple, "test_bytes_come_back_as_they_were_put", {"data": b"x"}),
        (Multiple, "test_the_same_bytes_are_kept_once", {}),
        (Greedy, "test_what_was_put_just_now_is_no_prey_of_a_sweep", {}),
        (Lossless, "test_a_removed_blob_is_gone_and_removing_it_again_is_silent", {}),
    ],
)
async def test_the_suite_finds_what_is_broken(tmp_path, broken, test, given):
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        await getattr(BlobsContract(), test)(broken(tmp_path), **given)


async def test_the_suite_finds_blobs_that_do_not_outlive_their_process(tmp_path):
    suite = BlobsContract()
    with pytest.raises(KeyError):
        await suite.test_they_are_there_for_whoever_opens_the_place_next(lambda: Volatile(tmp_path))
