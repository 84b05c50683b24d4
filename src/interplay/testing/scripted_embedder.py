"""An embedder whose meanings are given: words of one group mean the same, all others nothing."""

from __future__ import annotations

import math
import re
import sys
from array import array
from collections.abc import Sequence
from typing import Any, ClassVar

import msgspec

from interplay.contracts.embedder import EmbedderFacts, Kind
from interplay.contracts.failure import Failure


class ScriptedEmbedderConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[files.embedder]` with `use = "interplay.testing.scripted_embedder:ScriptedEmbedder"`."""

    meanings: list[list[str]] = []
    """Groups of words in lower case; a text's vector says which groups it has words of."""
    name: str = "scripted"


class ScriptedEmbedder:
    """Needs nothing, and the same text has the same vector at every process."""

    Config: ClassVar[type[msgspec.Struct]] = ScriptedEmbedderConfig

    def __init__(
        self, config: ScriptedEmbedderConfig | None = None, surroundings: Any = None
    ) -> None:
        chosen = config or ScriptedEmbedderConfig()
        self._axes = {word: axis for axis, group in enumerate(chosen.meanings, 1) for word in group}
        self.facts = EmbedderFacts(name=chosen.name, dims=len(chosen.meanings) + 1, tokens=512)
        self.failure: Failure | None = None
        """What the next calls raise, where it is set."""
        self.embedded: list[tuple[Kind, list[str]]] = []
        """What it was asked for."""

    async def embed(self, texts: Sequence[str], kind: Kind) -> bytes:
        """See the contract."""
        if self.failure is not None:
            raise self.failure
        self.embedded.append((kind, list(texts)))
        return b"".join(self._vector(text) for text in texts)

    async def close(self) -> None:
        """Nothing is held."""

    def _vector(self, text: str) -> bytes:
        numbers = [0.0] * self.facts.dims
        numbers[0] = 0.1  # a text without any meaning has a direction too
        for word in re.findall(r"\w+", text.lower()):
            if word in self._axes:
                numbers[self._axes[word]] = 1.0
        length = math.hypot(*numbers)
        vector = array("f", [number / length for number in numbers])
        if sys.byteorder == "big":
            vector.byteswap()
        return vector.tobytes()
