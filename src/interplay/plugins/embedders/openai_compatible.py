"""`POST {base_url}/embeddings`, as OpenAI and most servers of models have it."""

from __future__ import annotations

import hashlib
import math
import sys
from array import array
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Annotated, Any, ClassVar

import msgspec

from interplay.contracts.embedder import EmbedderFacts, Kind
from interplay.contracts.failure import BadAnswer, NotInstalled
from interplay.contracts.surroundings import Surroundings
from interplay.contracts.web_service import WebService, key_from

_ANSWER_BYTES = 64 * 1024 * 1024


class OpenAICompatibleConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The fields of `[files.embedder]` with `use = "openai_compatible"`."""

    base_url: str
    """Up to and with `/v1`."""
    model: str
    dims: Annotated[int, msgspec.Meta(ge=1, le=16_384)]
    """Numbers in one vector of this model; an answer with others is refused."""
    tokens: Annotated[int, msgspec.Meta(ge=1)] = 512
    """What of a text the model reads."""
    api_key_env: str = ""
    """The environment variable with the key; empty for a server that asks for none."""
    query_prefix: str = ""
    """Put before questions, where the model was trained with one."""
    passage_prefix: str = ""
    """The same for passages."""
    batch: Annotated[int, msgspec.Meta(ge=1)] = 32
    """Texts in one request."""
    seconds: Annotated[float, msgspec.Meta(gt=0)] = 60.0
    """For one request."""


class _Embedding(msgspec.Struct):
    index: int
    embedding: list[float]


class _Answer(msgspec.Struct):
    data: list[_Embedding]


class OpenAICompatibleEmbedder:
    """An embedding model of another server. The server may stand in a private network: its
    address comes from the settings."""

    Config: ClassVar[type[msgspec.Struct]] = OpenAICompatibleConfig

    def __init__(self, config: OpenAICompatibleConfig, surroundings: Surroundings) -> None:
        if find_spec("numpy") is None:
            raise NotInstalled("Vectors need numpy: pip install 'interplay[search]'")
        self._config = config
        self._headers: dict[str, str] = {}
        if config.api_key_env:
            key = key_from(config.api_key_env, "The embedder")
            self._headers["authorization"] = f"Bearer {key}"
        prefixes = f"{config.query_prefix}\0{config.passage_prefix}".encode()
        mark = "" if prefixes == b"\0" else f":{hashlib.sha256(prefixes).hexdigest()[:8]}"
        self.facts = EmbedderFacts(
            name=f"{config.model}:{config.dims}{mark}", dims=config.dims, tokens=config.tokens
        )
        self._service = WebService(
            "The embedder", config.base_url, seconds=config.seconds, answer_bytes=_ANSWER_BYTES
        )

    async def embed(self, texts: Sequence[str], kind: Kind) -> bytes:
        """See the contract. Raises Busy, TimedOut, Unavailable, Refused, BadAnswer."""
        config, found = self._config, list[bytes]()
        prefix = config.query_prefix if kind == "query" else config.passage_prefix
        for start in range(0, len(texts), config.batch):
            given = [prefix + text for text in texts[start : start + config.batch]]
            body: dict[str, Any] = {"model": config.model, "input": given}
            answer = await self._service.ask(
                "/embeddings", _Answer, body=body, headers=self._headers
            )
            found += self._vectors(answer, len(given))
        return b"".join(found)

    async def close(self) -> None:
        """Lets go of connections."""
        await self._service.close()

    def _vectors(self, answer: _Answer, count: int) -> list[bytes]:
        by_place = {one.index: one.embedding for one in answer.data}
        if len(answer.data) != count or by_place.keys() != set(range(count)):
            raise BadAnswer(f"The embedder answered {len(answer.data)} vectors for {count} texts.")
        return [self._vector(by_place[place]) for place in range(count)]

    def _vector(self, numbers: list[float]) -> bytes:
        if len(numbers) != self._config.dims:
            raise BadAnswer(
                f"The embedder answered a vector of {len(numbers)} numbers, not of"
                f" {self._config.dims} (files.embedder.dims)."
            )
        length = math.sqrt(math.fsum(number * number for number in numbers))
        if not 0 < length < math.inf:
            raise BadAnswer("The embedder answered a vector without a direction.")
        vector = array("f", [number / length for number in numbers])
        if sys.byteorder == "big":
            vector.byteswap()
        return vector.tobytes()
