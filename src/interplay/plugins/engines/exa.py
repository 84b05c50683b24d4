"""Exa, by key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import msgspec

from interplay.contracts.engine import Hit, Query
from interplay.contracts.surroundings import Surroundings
from interplay.contracts.web_service import WebService, key_from

_URL = "https://api.exa.ai"
_MOST = 100


class ExaConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The fields of its table in settings."""

    api_key_env: str = "EXA_API_KEY"
    """The environment variable that holds the key."""
    url: str = ""
    """Another address that speaks this API; empty for Exa's own."""
    type: Literal["auto", "fast", "neural", "keyword"] = "auto"
    """How it searches."""
    snippet_chars: int = 600
    """Text of each page that is asked for."""
    seconds: float = 15.0
    """One search."""
    pace: float = 0.0
    """Seconds between searches."""
    answer_bytes: int = 4 * 1024 * 1024
    """One answer."""


class _Result(msgspec.Struct):
    url: str
    title: str | None = None
    text: str | None = None
    highlights: list[str] = []
    summary: str | None = None

    @property
    def words(self) -> str:
        """What it says, in the form that was asked for."""
        return self.text or " … ".join(self.highlights) or self.summary or ""


class _Answer(msgspec.Struct):
    results: list[_Result]


class Exa:
    """The search of Exa's API. It takes no language: a query says it by its words."""

    Config: ClassVar[type[msgspec.Struct]] = ExaConfig
    kinds = frozenset({"web"})

    def __init__(self, config: ExaConfig, surroundings: Surroundings) -> None:
        self._config = config
        self._service = WebService(
            "Exa",
            config.url or _URL,
            guard=None if config.url else surroundings.guard,
            seconds=config.seconds,
            answer_bytes=config.answer_bytes,
            pace=config.pace,
            told={402: "Exa: the credit of this server's key is used up."},
        )

    async def search(self, query: Query) -> list[Hit]:
        """The best results, each with the beginning of its text."""
        return await self.search_as(query, key_from(self._config.api_key_env, "Exa"), {})

    async def search_as(self, query: Query, key: str, custom: Mapping[str, Any]) -> list[Hit]:
        """See KeyedEngine; `custom` are fields of Exa's search."""
        count = min(query.count, _MOST)
        body: dict[str, Any] = {
            "numResults": count,
            "type": self._config.type,
            "contents": {"text": {"maxCharacters": self._config.snippet_chars}},
            **custom,
            "query": query.text,
        }
        answer = await self._service.ask("/search", _Answer, body=body, headers={"x-api-key": key})
        results = answer.results if "numResults" in custom else answer.results[:count]
        return [
            Hit(title=result.title or result.url, url=result.url, snippet=result.words)
            for result in results
        ]

    async def close(self) -> None:
        """Lets go of connections."""
        await self._service.close()
