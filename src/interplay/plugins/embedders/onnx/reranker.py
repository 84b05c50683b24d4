"""ms-marco-MiniLM-L-12-v2: reads a question and a passage together and says how they fit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar

import msgspec

from interplay.contracts.surroundings import Surroundings
from interplay.plugins.embedders.onnx.session import Session, batches

_MODEL, _TOKENS = "ms-marco-minilm-l12-v2", 512


class OnnxRerankerConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The fields of `[files.reranker]` with `use = "onnx"`."""

    threads: Annotated[int, msgspec.Meta(ge=0)] = 0
    """Of one run; 0 takes half of the processors, four at most."""


class OnnxReranker:
    """English. Needs the extra `search` and `interplay models pull ms-marco-minilm-l12-v2`;
    raises NotInstalled when it is built without."""

    Config: ClassVar[type[msgspec.Struct]] = OnnxRerankerConfig
    name = _MODEL

    def __init__(self, config: OnnxRerankerConfig, surroundings: Surroundings) -> None:
        self._session = Session(
            _MODEL, surroundings.cache("models").parent, config.threads, _TOKENS
        )

    async def scores(self, query: str, texts: Sequence[str]) -> list[float]:
        """See the contract. Raises Unavailable."""
        return await self._session.run(lambda: self._scores(query, texts), urgent=True)

    async def close(self) -> None:
        """Lets go of the model."""
        await self._session.close()

    def _scores(self, query: str, texts: Sequence[str]) -> list[float]:
        encoded = self._session.tokenize([(query, text) for text in texts])
        found = [0.0] * len(texts)
        for batch in batches(encoded):
            scores = self._session.outputs([encoded[place] for place in batch])
            for place, score in zip(batch, scores[:, 0].tolist(), strict=True):
                found[place] = score
        return found
