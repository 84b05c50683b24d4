"""Packed bodies come back in small pieces, bombs as well."""

from __future__ import annotations

import gzip
import zlib

import brotli
import pytest

from interplay.plugins.readers.http.unpacking import PIECE, CannotUnpack, unpacker

WORDS = b"words of a page " * 50_000


def deflated(data: bytes) -> bytes:
    """Deflate without head, as some servers send it."""
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


PACKED = [
    ("", WORDS),
    ("identity", WORDS),
    ("gzip", gzip.compress(WORDS)),
    (" X-GZIP ", gzip.compress(WORDS)),
    ("gzip", gzip.compress(WORDS[:99]) + gzip.compress(WORDS[99:])),
    ("gzip", gzip.compress(WORDS) + b"\0" * 64),
    ("deflate", zlib.compress(WORDS)),
    ("deflate", deflated(WORDS)),
    ("br", brotli.compress(WORDS)),
]


@pytest.mark.parametrize(("encoding", "body"), PACKED)
@pytest.mark.parametrize("size", [7_000, 1 << 30])
def test_what_was_packed_is_unpacked(encoding: str, body: bytes, size: int):
    unpack = unpacker(encoding)
    pieces = [
        piece for at in range(0, len(body), size) for piece in unpack.feed(body[at : at + size])
    ]
    assert b"".join(pieces) == WORDS


@pytest.mark.parametrize(("encoding", "pack"), [("gzip", gzip.compress), ("br", brotli.compress)])
def test_a_bomb_goes_off_piece_by_piece(encoding: str, pack: object):
    assert callable(pack)
    bomb = pack(bytes(20_000_000))
    assert len(bomb) < 30_000
    sizes = [len(piece) for piece in unpacker(encoding).feed(bomb)]
    assert sum(sizes) == 20_000_000
    assert max(sizes) <= 2 * PIECE


@pytest.mark.parametrize("encoding", ["gzip", "br"])
def test_what_is_not_packed_as_it_says_is_told(encoding: str):
    with pytest.raises(CannotUnpack, match="not packed as it says"):
        list(unpacker(encoding).feed(b"<html>plain words</html>" * 10))


@pytest.mark.parametrize("encoding", ["zstd", "gzip, gzip", "compress"])
def test_what_was_not_asked_for_is_named(encoding: str):
    with pytest.raises(CannotUnpack, match="packed as"):
        unpacker(encoding)
