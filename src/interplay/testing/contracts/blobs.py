"""What every place for blobs must do; see interplay.contracts.blobs."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable

import pytest

from interplay.contracts.blobs import Blobs

ABSENT = "ab" * 32


@pytest.mark.asyncio
class BlobsContract:
    """Subclass it and give a `make` fixture: a callable that builds the blobs, on the same place
    each time; the place is empty when a test begins."""

    @pytest.fixture
    def make(self) -> Callable[[], Blobs]:
        """Builds the blobs under test."""
        raise NotImplementedError("Give your test class a `make` fixture.")

    @pytest.fixture
    def blobs(self, make: Callable[[], Blobs]) -> Blobs:
        """The blobs under test."""
        return make()

    @pytest.mark.parametrize("data", [b"", b"\x00", bytes(range(256)) * 5_000])
    async def test_bytes_come_back_as_they_were_put(self, blobs: Blobs, data: bytes):
        sha256 = await blobs.put(data)
        assert sha256 == hashlib.sha256(data).hexdigest()
        assert await blobs.get(sha256) == data
        assert await blobs.names() == [sha256]

    async def test_the_same_bytes_are_kept_once(self, blobs: Blobs):
        names = await asyncio.gather(*(blobs.put(b"same") for _ in range(20)))
        assert len(set(names)) == 1
        assert await blobs.names() == [names[0]]
        await blobs.remove(names[0])
        assert await blobs.names() == []

    async def test_many_are_put_at_once(self, blobs: Blobs):
        data = [b"%d" % number for number in range(60)]
        names = await asyncio.gather(*(blobs.put(one) for one in data))
        assert await asyncio.gather(*(blobs.get(name) for name in names)) == data
        assert sorted(await blobs.names()) == sorted(names)

    async def test_they_are_there_for_whoever_opens_the_place_next(self, make: Callable[[], Blobs]):
        sha256 = await make().put(b"kept")
        assert await make().get(sha256) == b"kept"

    async def test_what_is_not_there_is_a_key_error(self, blobs: Blobs):
        with pytest.raises(KeyError):
            await blobs.get(ABSENT)
        await blobs.put(b"other")
        with pytest.raises(KeyError):
            await blobs.get(ABSENT)

    async def test_a_removed_blob_is_gone_and_removing_it_again_is_silent(self, blobs: Blobs):
        assert await blobs.names() == []
        await blobs.remove(ABSENT)
        sha256 = await blobs.put(b"short-lived")
        other = await blobs.put(b"stays")
        await blobs.remove(sha256)
        await blobs.remove(sha256)
        with pytest.raises(KeyError):
            await blobs.get(sha256)
        assert await blobs.names() == [other]
        assert await blobs.put(b"short-lived") == sha256
        assert await blobs.get(sha256) == b"short-lived"

    @pytest.mark.parametrize(
        "name", ["", ".", "..", "../" * 20 + "etc/passwd", "A" * 64, "a" * 63, "a" * 65, "a/" * 32]
    )
    async def test_a_name_that_is_no_digest_is_not_there(self, blobs: Blobs, name: str):
        await blobs.put(b"other")
        with pytest.raises(KeyError):
            await blobs.get(name)
        await blobs.remove(name)
        assert len(await blobs.names()) == 1

    async def test_what_was_put_just_now_is_no_prey_of_a_sweep(self, blobs: Blobs):
        sha256 = await blobs.put(b"arriving")
        assert await blobs.names(idle=600) == []
        await blobs.remove(sha256, idle=600)
        assert await blobs.get(sha256) == b"arriving"
