"""bge-small-en-v1.5: the vector of a text is that of its first token, brought to length 1."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar

import msgspec

from interplay.contracts.embedder import EmbedderFacts, Kind
from interplay.contracts.surroundings import Surroundings
from interplay.plugins.embedders.onnx.session import Session, batches

_MODEL, _DIMS, _TOKENS = "bge-small-en-v1.5", 384, 512
_QUERY = "Represent this sentence for searching relevant passages: "
"""Put before short questions; the model was trained with it. Passages stand alone."""
_AT_ONCE = 16
"""Passages given to the lane at a time; the rest is dropped when who asked goes away."""


class OnnxEmbedderConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The fields of `[files.embedder]` with `use = "onnx"`."""

    threads: Annotated[int, msgspec.Meta(ge=0)] = 0
    """Of one run; 0 takes half of the processors, four at most."""


class OnnxEmbedder:
    """English. Needs the extra `search` and `interplay models pull bge-small-en-v1.5`; raises
    NotInstalled when it is built without."""

    Config: ClassVar[type[msgspec.Struct]] = OnnxEmbedderConfig
    facts = EmbedderFacts(name=_MODEL, dims=_DIMS, tokens=_TOKENS)

    def __init__(self, config: OnnxEmbedderConfig, surroundings: Surroundings) -> None:
        self._session = Session(
            _MODEL, surroundings.cache("models").parent, config.threads, _TOKENS
        )

    async def embed(self, texts: Sequence[str], kind: Kind) -> bytes:
        """See the contract. Raises Unavailable."""
        urgent = kind == "query"
        given = [_QUERY + text for text in texts] if urgent else list(texts)
        found: list[bytes] = []
        for start in range(0, len(given), _AT_ONCE):
            some = given[start : start + _AT_ONCE]
            found.append(
                await self._session.run(lambda some=some: self._vectors(some), urgent=urgent)
            )
        return b"".join(found)

    async def close(self) -> None:
        """Lets go of the model."""
        await self._session.close()

    def _vectors(self, texts: Sequence[str]) -> bytes:
        import numpy

        encoded = self._session.tokenize(texts)
        vectors = numpy.empty((len(texts), _DIMS), numpy.dtype("<f4"))
        for batch in batches(encoded):
            states: Any = self._session.outputs([encoded[place] for place in batch])
            first = states[:, 0]
            vectors[batch] = first / numpy.linalg.norm(first, axis=1, keepdims=True)
        return vectors.tobytes()
