"""The vectors of one index: a file of rows that is mapped into memory and looked through whole.

The index says which rows belong to which passages. What no row of it names is free to be written
over.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec

_FLOAT = 4
_GATHERED = 8_192
"""Rows copied at a time where only some are looked at."""


class Vectors(msgspec.Struct, frozen=True, kw_only=True):
    """Vectors of the passages of a document in their order, as they are stored."""

    embedder: str
    dims: int
    halves: bytes
    """float16, little-endian."""

    @property
    def count(self) -> int:
        """How many."""
        return len(self.halves) // (2 * self.dims)


class Near(msgspec.Struct, frozen=True, kw_only=True):
    """A question as a vector: one little-endian float32 after the other."""

    embedder: str
    vector: bytes


class Block(msgspec.Struct, frozen=True, array_like=True):
    """Rows that belong to passages with consecutive numbers."""

    row: int
    passage: int
    count: int


def halved(floats: bytes) -> bytes:
    """Vectors in the form they are stored: half the size, and no less told apart."""
    numpy: Any = import_module("numpy")

    return numpy.frombuffer(floats, "<f4").astype("<f2").tobytes()


def write(path: Path, row: int, vectors: Vectors) -> None:
    """Puts vectors at a row; durable when it returns."""
    numpy: Any = import_module("numpy")

    floats = numpy.frombuffer(vectors.halves, "<f2").astype("<f4")
    file = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        data = memoryview(floats.tobytes())
        at = row * vectors.dims * _FLOAT
        while data:
            written = os.pwrite(file, data, at)
            data, at = data[written:], at + written
        os.fsync(file)
    finally:
        os.close(file)


def holds(path: Path, rows: int, dims: int) -> bool:
    """Whether a file has so many rows."""
    return path.exists() and path.stat().st_size >= rows * dims * _FLOAT


def nearest(path: Path, blocks: Sequence[Block], vector: bytes, count: int) -> list[int]:
    """The passages whose vectors are the nearest, the best first. `blocks` are those to look at."""
    numpy: Any = import_module("numpy")

    if not blocks:
        return []
    asked = numpy.frombuffer(vector, "<f4")
    table = numpy.array([(one.row, one.passage, one.count) for one in blocks], numpy.int64)
    counts = table[:, 2]
    inside = numpy.arange(counts.sum()) - numpy.repeat(counts.cumsum() - counts, counts)
    rows = numpy.repeat(table[:, 0], counts) + inside
    total = int((table[:, 0] + counts).max())
    matrix = numpy.memmap(path, "<f4", "r", shape=(total, len(asked)))
    if len(rows) * 4 > total:
        scores = (matrix @ asked)[rows]
    else:
        stretches = range(0, len(rows), _GATHERED)
        scores = numpy.concatenate(
            [matrix[rows[start : start + _GATHERED]] @ asked for start in stretches]
        )
    best = numpy.argpartition(-scores, min(count, len(scores)) - 1)[:count]
    best = best[numpy.lexsort((best, -scores[best]))]
    passages = numpy.repeat(table[:, 1], counts) + inside
    return passages[best].tolist()
