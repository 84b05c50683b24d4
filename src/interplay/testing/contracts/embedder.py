"""What every embedder does; run it on your own: `class TestMine(EmbedderContract)`."""

from __future__ import annotations

import asyncio
import math
import struct

import pytest

from interplay.contracts.embedder import Embedder, Kind


def vectors(embedder: Embedder, raw: bytes) -> list[tuple[float, ...]]:
    """Vectors as numbers; checks that they are whole."""
    dims = embedder.facts.dims
    assert len(raw) % (4 * dims) == 0
    return list(struct.iter_unpack(f"<{dims}f", raw))


def likeness(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    """The cosine of vectors of length 1."""
    return math.fsum(a * b for a, b in zip(one, other, strict=True))


class EmbedderContract:
    """Needs a fixture `embedder`. `like` are two texts that mean about the same, `other` one that
    means something else."""

    like = ("The cat sleeps on the sofa.", "A kitten is sleeping on the couch.")
    other = "The company paid its shareholders a dividend."
    exact = 0.98
    """How alike the vectors of one text are, made alone and among others: what is computed in few
    bits depends a little on its company."""

    @pytest.fixture
    def embedder(self) -> Embedder:
        """The one under test."""
        raise NotImplementedError

    async def test_every_vector_is_whole_and_of_length_one(self, embedder: Embedder) -> None:
        """For both kinds."""
        assert embedder.facts.name
        assert embedder.facts.tokens > 0
        kinds: tuple[Kind, ...] = ("query", "passage")
        for kind in kinds:
            found = vectors(embedder, await embedder.embed([*self.like, "", self.other], kind))
            assert len(found) == 4
            for vector in found:
                assert math.hypot(*vector) == pytest.approx(1.0, abs=1e-3)

    async def test_no_text_has_no_vector(self, embedder: Embedder) -> None:
        """An empty list is fine."""
        assert await embedder.embed([], "passage") == b""

    async def test_what_means_the_same_is_nearer(self, embedder: Embedder) -> None:
        """A question too."""
        raw = await embedder.embed([*self.like, self.other], "passage")
        first, second, other = vectors(embedder, raw)
        assert likeness(first, second) > likeness(first, other) + 0.05
        (asked,) = vectors(embedder, await embedder.embed([self.like[0]], "query"))
        assert likeness(asked, second) > likeness(asked, other) + 0.05

    async def test_many_texts_keep_their_order(self, embedder: Embedder) -> None:
        """Of every length, in whatever portions they are computed."""
        texts = [f"{text} " * (1 + place % 7) for place, text in enumerate([*self.like] * 20)]
        texts.append(self.other)
        found = vectors(embedder, await embedder.embed(texts, "passage"))
        assert len(found) == len(texts)
        (alone,) = vectors(embedder, await embedder.embed([texts[8]], "passage"))
        assert likeness(found[8], alone) > self.exact
        assert likeness(found[8], alone) > likeness(found[-1], alone)

    async def test_a_text_longer_than_what_counts_is_cut(self, embedder: Embedder) -> None:
        """It is no failure."""
        long = f"{self.like[0]} " * embedder.facts.tokens
        (found,) = vectors(embedder, await embedder.embed([long], "passage"))
        assert math.hypot(*found) == pytest.approx(1.0, abs=1e-3)

    async def test_several_ask_at_once(self, embedder: Embedder) -> None:
        """Passages and questions."""
        asked = [embedder.embed([self.other], "query") for _ in range(4)]
        given = [embedder.embed([*self.like, self.other], "passage") for _ in range(2)]
        async with asyncio.timeout(60):
            found = await asyncio.gather(*asked, *given)
        assert {len(one) for one in found} == {
            4 * embedder.facts.dims,
            12 * embedder.facts.dims,
        }
