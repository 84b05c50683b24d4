"""A body of two parts, cut at any place."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from interplay.files.faults import Unusable
from interplay.files.multipart import Multipart

BODY = (
    b'preamble\r\n--b-1\r\nContent-Type: application/json\r\n\r\n{"file":{}}\r\n--b-1\r\n'
    b"Content-Type: text/plain\r\n\r\nfirst\r\n--b-\r\nlast\r\n--b-1--\r\nrest"
)


async def pieces(body: bytes, size: int) -> AsyncIterator[bytes]:
    for start in range(0, len(body), size):
        yield body[start : start + size]


@pytest.mark.parametrize("size", [1, 2, 7, 1_000])
async def test_both_parts_come_out_however_the_body_is_cut(size: int) -> None:
    parts = Multipart('multipart/related; boundary="b-1"', pieces(BODY, size))
    assert await parts.metadata() == b'{"file":{}}'
    assert await parts.content_type() == "text/plain"
    content = [data async for data in parts.content()]
    assert b"".join(content) == b"first\r\n--b-\r\nlast"


async def test_a_body_without_its_end_or_boundary_is_refused() -> None:
    with pytest.raises(Unusable, match="boundary"):
        Multipart("multipart/related", pieces(BODY, 10))
    parts = Multipart("multipart/related; boundary=b-1", pieces(BODY[:-20], 10))
    await parts.metadata()
    await parts.content_type()
    with pytest.raises(Unusable, match="before its last boundary"):
        [data async for data in parts.content()]
    endless = Multipart("multipart/related; boundary=other", pieces(b"x" * 200_000, 1_000))
    with pytest.raises(Unusable, match="stands before the file"):
        await endless.metadata()
