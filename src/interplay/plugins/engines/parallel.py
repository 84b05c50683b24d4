"""Parallel, by key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import msgspec

from interplay.contracts.engine import Hit, Query
from interplay.contracts.failure import Refused
from interplay.contracts.surroundings import Surroundings
from interplay.contracts.web_service import WebService, key_from

_URL = "https://api.parallel.ai"
_MOST = 40
_SETTINGS = {
    "max_results": "max_results",
    "source_policy": "source_policy",
    "fetch_policy": "fetch_policy",
    "excerpts": "excerpt_settings",
}
"""Fields of the beta, which callers still write, and where they stand in `advanced_settings`."""


class ParallelConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The fields of its table in settings."""

    api_key_env: str = "PARALLEL_API_KEY"
    """The environment variable that holds the key."""
    url: str = ""
    """Another address that speaks this API; empty for Parallel's own."""
    mode: Literal["turbo", "fast", "basic", "advanced"] = "basic"
    """How much it does for a search; more is slower."""
    snippet_chars: int = 600
    """Excerpts of each page that are asked for."""
    seconds: float = 20.0
    """One search."""
    pace: float = 0.0
    """Seconds between searches."""
    answer_bytes: int = 4 * 1024 * 1024
    """One answer."""


class _Result(msgspec.Struct):
    url: str
    title: str | None = None
    excerpts: list[str] = []


class _Answer(msgspec.Struct):
    results: list[_Result]


class Parallel:
    """The search of Parallel's API. It takes no language: a query says it by its words."""

    Config: ClassVar[type[msgspec.Struct]] = ParallelConfig
    kinds = frozenset({"web"})

    def __init__(self, config: ParallelConfig, surroundings: Surroundings) -> None:
        self._config = config
        self._service = WebService(
            "Parallel",
            config.url or _URL,
            guard=None if config.url else surroundings.guard,
            seconds=config.seconds,
            answer_bytes=config.answer_bytes,
            pace=config.pace,
            told={402: "Parallel: the credit of this key is used up."},
        )

    async def search(self, query: Query) -> list[Hit]:
        """The best results, each with what of it answers the query."""
        return await self.search_as(query, key_from(self._config.api_key_env, "Parallel"), {})

    async def search_as(self, query: Query, key: str, custom: Mapping[str, Any]) -> list[Hit]:
        """See KeyedEngine; `custom` are fields of Parallel's search, of today's or of its beta."""
        count = min(query.count, _MOST)
        settings: dict[str, Any] = {
            "max_results": count,
            "excerpt_settings": {"max_chars_per_result": self._config.snippet_chars},
        }
        settings |= {own: custom[name] for name, own in _SETTINGS.items() if name in custom}
        own: Any = custom.get("advanced_settings") or {}
        if not isinstance(own, dict):
            raise Refused("Parallel: 'advanced_settings' is an object.")
        body: dict[str, Any] = {
            "mode": self._config.mode,
            **{name: value for name, value in custom.items() if name not in _SETTINGS},
            "advanced_settings": {**settings, **own},
            "search_queries": [query.text],
        }
        answer = await self._service.ask(
            "/v1/search", _Answer, body=body, headers={"x-api-key": key}
        )
        asked = "max_results" in custom or "max_results" in own
        results = answer.results if asked else answer.results[:count]
        return [
            Hit(title=one.title or one.url, url=one.url, snippet=" … ".join(one.excerpts))
            for one in results
        ]

    async def close(self) -> None:
        """Lets go of connections."""
        await self._service.close()
