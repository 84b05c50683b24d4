"""The suite of embedders over every one that is built in, and over one that is wrong."""

from __future__ import annotations

import struct
from collections.abc import AsyncIterator
from typing import Any

import pytest

from interplay.testing.contracts.embedder import EmbedderContract
from interplay.testing.scripted_embedder import ScriptedEmbedder, ScriptedEmbedderConfig
from tests.plugins.embedders.models import fetched

MEANINGS = [["cat", "kitten"], ["sofa", "couch"], ["sleeps", "sleeping"], ["company", "dividend"]]


def scripted() -> ScriptedEmbedder:
    return ScriptedEmbedder(ScriptedEmbedderConfig(meanings=MEANINGS))


class TestScripted(EmbedderContract):
    @pytest.fixture
    def embedder(self) -> ScriptedEmbedder:
        return scripted()


class TestOnnx(EmbedderContract):
    @pytest.fixture
    async def embedder(self) -> AsyncIterator[Any]:
        async with fetched("embedders") as made:
            yield made


class Unequal(ScriptedEmbedder):
    """Its vectors are too long."""

    async def embed(self, texts: Any, kind: Any) -> bytes:
        raw = await super().embed(texts, kind)
        numbers = struct.unpack(f"<{len(raw) // 4}f", raw)
        return struct.pack(f"<{len(numbers)}f", *(2 * number for number in numbers))


class Backwards(ScriptedEmbedder):
    """It loses the order of texts."""

    async def embed(self, texts: Any, kind: Any) -> bytes:
        return await super().embed(list(reversed(texts)), kind)


@pytest.mark.parametrize(
    ("kind", "test"),
    [
        (Unequal, "test_every_vector_is_whole_and_of_length_one"),
        (Backwards, "test_what_means_the_same_is_nearer"),
        (Backwards, "test_many_texts_keep_their_order"),
    ],
)
async def test_what_is_wrong_is_found(kind: Any, test: str) -> None:
    wrong = kind(ScriptedEmbedderConfig(meanings=MEANINGS))
    with pytest.raises(AssertionError):
        await getattr(EmbedderContract(), test)(wrong)
