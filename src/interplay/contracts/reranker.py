"""What a reranker promises: it reads a question together with each passage."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class Reranker(Protocol):
    """One model. Registered in the entry-point group `interplay.rerankers`; built with an
    instance of its `Config` (msgspec struct, unknown fields forbidden) and a Surroundings."""

    name: str

    async def scores(self, query: str, texts: Sequence[str]) -> list[float]:
        """How well each text answers the query; only their order means something. Raises
        interplay.contracts.failure.Failure."""
        ...

    async def close(self) -> None:
        """Lets go of the model."""
        ...
