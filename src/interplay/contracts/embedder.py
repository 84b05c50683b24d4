"""What an embedder promises: texts become vectors, and near vectors are near meanings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

import msgspec

Kind = Literal["query", "passage"]


class EmbedderFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What stands beside vectors that are kept."""

    name: str
    """Another one whenever the same text would get a vector that cannot be compared: texts are
    embedded again then."""
    dims: int
    tokens: int
    """What of a text counts; the rest is cut off."""


class Embedder(Protocol):
    """One model. Registered in the entry-point group `interplay.embedders`; built with an
    instance of its `Config` (msgspec struct, unknown fields forbidden) and a Surroundings."""

    facts: EmbedderFacts

    async def embed(self, texts: Sequence[str], kind: Kind) -> bytes:
        """One vector after the other: `dims` little-endian float32 each, of length 1.

        Any number of texts; the event loop stays free, and a query does not wait for passages.
        Raises interplay.contracts.failure.Failure.
        """
        ...

    async def close(self) -> None:
        """Lets go of the model."""
        ...
