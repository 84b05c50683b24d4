"""Vectors in a file: written at their rows, and the nearest found."""

from __future__ import annotations

import random
import struct
from pathlib import Path

from interplay.files.search.vectors import Block, Vectors, halved, holds, nearest, write

DIMS = 3


def packed(*rows: tuple[float, ...]) -> bytes:
    return b"".join(struct.pack(f"<{DIMS}f", *row) for row in rows)


def some(*rows: tuple[float, ...]) -> Vectors:
    return Vectors(embedder="e", dims=DIMS, halves=halved(packed(*rows)))


def test_rows_are_found_where_they_were_put(tmp_path: Path) -> None:
    path = tmp_path / "v"
    write(path, 0, some((1, 0, 0), (0, 1, 0)))
    write(path, 5, some((0, 0, 1)))
    assert holds(path, 6, DIMS)
    assert not holds(path, 7, DIMS)
    assert not holds(tmp_path / "w", 1, DIMS)
    blocks = [Block(0, 10, 2), Block(5, 70, 1)]
    assert nearest(path, blocks, packed((0, 0.1, 1)), 2) == [70, 11]
    assert nearest(path, [blocks[0]], packed((0, 0, 1)), 9) == [10, 11]
    assert nearest(path, [], packed((0, 0, 1)), 9) == []


def test_few_of_many_are_looked_at_like_all(tmp_path: Path) -> None:
    chance = random.Random(1)
    rows = [tuple(chance.uniform(-1, 1) for _ in range(DIMS)) for _ in range(400)]
    path = tmp_path / "v"
    write(path, 0, some(*rows))
    asked = rows[7]
    whole = nearest(path, [Block(0, 0, 400)], packed(asked), 400)
    few = nearest(path, [Block(0, 0, 20), Block(300, 300, 10)], packed(asked), 5)
    allowed = {*range(20), *range(300, 310)}
    assert few == [one for one in whole if one in allowed][:5]


def test_half_the_bytes_are_kept() -> None:
    made = some((0.25, 0.5, -1), (0, 0, 1))
    assert (len(made.halves), made.count) == (12, 2)
