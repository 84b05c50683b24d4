"""The bytes of files: kept while something refers to them, and no longer."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path
from typing import Any

import pytest

from interplay.contracts.blobs import Blobs
from interplay.files.faults import BytesLost
from interplay.files.parts import Parts
from interplay.files.rows import (
    FILE,
    UPLOAD,
    FileRow,
    KeptFile,
    KeptUpload,
    Rows,
    UploadRow,
    record_of,
)


def file(id: str, parts: list[Any]) -> FileRow:
    return FileRow(record_of(FILE, id, "me", time.time(), None), KeptFile(parts=parts))


async def test_stretches_come_back_in_their_order_and_with_their_digest(
    rows: Rows, blobs: Blobs
) -> None:
    parts = Parts(blobs, rows)
    kept = [await parts.put(data) for data in (b"one ", b"two ", b"one ")]
    assert b"".join([data async for data in parts.read(kept)]) == b"one two one "
    digest = hashlib.sha256()
    await parts.digest(kept, digest)
    assert digest.digest() == hashlib.sha256(b"one two one ").digest()


async def test_lost_or_changed_bytes_are_told(rows: Rows, blobs: Blobs, tmp_path: Path) -> None:
    parts = Parts(blobs, rows)
    sha256, size = await parts.put(b"here")
    with pytest.raises(BytesLost):
        [data async for data in parts.read([("0" * 64, 3)])]
    with pytest.raises(BytesLost):
        [data async for data in parts.read([(sha256, size + 1)])]


async def test_a_sweep_takes_what_neither_a_file_nor_an_upload_has(
    rows: Rows, blobs: Blobs
) -> None:
    parts = Parts(blobs, rows)
    shared, coming, orphan = [await parts.put(data) for data in (b"a", b"b", b"c")]
    await rows.add(file("one", [shared]))
    await rows.add(file("two", [shared]))
    record = record_of(UPLOAD, "u", "me", time.time(), None)
    await rows.add(UploadRow(record, KeptUpload(file="three", parts=[coming])))
    assert await parts.sweep(idle=900.0) == 0  # all are fresh
    assert await parts.sweep(idle=0.0) == 1
    assert set(await blobs.names()) == {shared[0], coming[0]}
    assert orphan[0] not in await blobs.names()
    await rows.records.remove(FILE, "one")
    assert await parts.sweep(idle=0.0) == 0
    await rows.records.remove(FILE, "two")
    assert await parts.sweep(idle=0.0) == 1
