"""Tavily, by key."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import msgspec

from interplay.contracts.engine import Hit, Query
from interplay.contracts.surroundings import Surroundings
from interplay.contracts.web_service import WebService, key_from

_URL = "https://api.tavily.com"
_LONGEST, _MOST = 400, 20


class TavilyConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The fields of its table in settings."""

    api_key_env: str = "TAVILY_API_KEY"
    """The environment variable that holds the key."""
    url: str = ""
    """Another address that speaks this API; empty for Tavily's own."""
    depth: Literal["basic", "advanced"] = "basic"
    """advanced costs more and is slower."""
    seconds: float = 15.0
    """One search."""
    pace: float = 0.0
    """Seconds between searches."""
    answer_bytes: int = 4 * 1024 * 1024
    """One answer."""


class _Result(msgspec.Struct):
    url: str
    title: str | None = None
    content: str | None = None


class _Answer(msgspec.Struct):
    results: list[_Result]


class Tavily:
    """The search of Tavily's API. It takes no language: a query says it by its words."""

    Config: ClassVar[type[msgspec.Struct]] = TavilyConfig
    kinds = frozenset({"web"})

    def __init__(self, config: TavilyConfig, surroundings: Surroundings) -> None:
        self._config = config
        used_up = "Tavily: what the plan of this server's key allows is used up."
        self._service = WebService(
            "Tavily",
            config.url or _URL,
            guard=None if config.url else surroundings.guard,
            seconds=config.seconds,
            answer_bytes=config.answer_bytes,
            pace=config.pace,
            told={432: used_up, 433: used_up},
        )

    async def search(self, query: Query) -> list[Hit]:
        """The best results."""
        body: dict[str, Any] = {
            "query": query.text[:_LONGEST],
            "max_results": min(query.count, _MOST),
            "search_depth": self._config.depth,
        }
        key = key_from(self._config.api_key_env, "Tavily")
        headers = {"authorization": f"Bearer {key}"}
        answer = await self._service.ask("/search", _Answer, body=body, headers=headers)
        return [
            Hit(title=result.title or result.url, url=result.url, snippet=result.content or "")
            for result in answer.results[: query.count]
        ]

    async def close(self) -> None:
        """Lets go of connections."""
        await self._service.close()
