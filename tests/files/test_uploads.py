"""Uploads: what has arrived is kept, whoever goes on with it, and whenever it broke off."""

from __future__ import annotations

import hashlib
import os
from collections.abc import AsyncIterator

import pytest

from interplay.contracts.blobs import Blobs
from interplay.files.faults import Interrupted, NoSuchUpload, QuotaSpent, Unusable
from interplay.files.parts import Parts
from interplay.files.rows import Rows
from interplay.files.uploads import GRANULARITY, Announced, Uploads
from interplay.settings import Files

MIB = 1024 * 1024


async def stream(data: bytes, *, broken: bool = False, size: int = 100_000) -> AsyncIterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]
    if broken:
        raise Interrupted


def uploads(rows: Rows, blobs: Blobs, **settings: float) -> Uploads:
    return Uploads(rows, Parts(blobs, rows), Files(**settings))  # type: ignore[arg-type]


async def test_what_came_before_the_client_went_away_is_kept(rows: Rows, blobs: Blobs) -> None:
    one = uploads(rows, blobs)
    data = os.urandom(5 * MIB + 99)
    id = (await one.start("me", Announced(size=len(data)))).record.id
    with pytest.raises(Interrupted):
        await one.receive(id, 0, stream(data[: 4 * MIB + 300_000], broken=True), last=True)
    stands = (await one.query(id)).kept.received
    assert stands == 4 * MIB + GRANULARITY
    await one.receive(id, stands, stream(data[stands:]), last=True)
    file = await one.finalize(id)
    assert file.kept.sha256 == hashlib.sha256(data).hexdigest()


async def test_another_process_goes_on_and_knows_the_digest_of_all(
    rows: Rows, blobs: Blobs
) -> None:
    one, two = uploads(rows, blobs), uploads(rows, blobs)
    data = os.urandom(3 * MIB)
    id = (await one.start("me", Announced())).record.id
    await one.receive(id, 0, stream(data[:MIB]), last=False)
    await two.receive(id, MIB, stream(data[MIB : 2 * MIB]), last=False)
    await one.receive(id, 2 * MIB, stream(data[2 * MIB :]), last=True)
    assert (await two.finalize(id)).kept.sha256 == hashlib.sha256(data).hexdigest()
    assert (await one.finalize(id)).kept.upload == id


async def test_a_kind_nobody_named_is_seen_in_the_bytes(rows: Rows, blobs: Blobs) -> None:
    one = uploads(rows, blobs)
    id = (await one.start("me", Announced(mime_type="application/octet-stream"))).record.id
    await one.receive(id, 0, stream(b"GIF89a..."), last=True)
    assert (await one.finalize(id)).kept.mime_type == "image/gif"
    with pytest.raises(Unusable, match="MIME"):
        await one.start("me", Announced(mime_type="text/\r\nx: y"))


async def test_an_empty_file_is_a_file(rows: Rows, blobs: Blobs) -> None:
    one = uploads(rows, blobs)
    id = (await one.start("me", Announced(size=0, mime_type="text/plain"))).record.id
    await one.receive(id, 0, stream(b""), last=True)
    file = await one.finalize(id)
    assert (file.kept.size, file.kept.sha256) == (0, hashlib.sha256(b"").hexdigest())


async def test_files_count_towards_what_a_key_may_have_until_they_go(
    rows: Rows, blobs: Blobs
) -> None:
    one = uploads(rows, blobs, key_bytes=100)
    id = (await one.start("me", Announced(size=60))).record.id
    await one.receive(id, 0, stream(b"x" * 60), last=True)
    await one.finalize(id)
    with pytest.raises(QuotaSpent):
        await one.start("me", Announced(size=60))
    await one.start("you", Announced(size=60))
    silent = (await one.start("me", Announced())).record.id
    await one.receive(silent, 0, stream(b"x" * 60), last=True)
    with pytest.raises(QuotaSpent):
        await one.finalize(silent)
    with pytest.raises(NoSuchUpload):
        await one.query(silent)
