"""SearXNG: a metasearch engine of one's own, asked for JSON."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import msgspec

from interplay.contracts.engine import Hit, Query
from interplay.contracts.failure import Unavailable
from interplay.contracts.surroundings import Surroundings
from interplay.contracts.web_service import WebService


class SearxngConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The fields of its table in settings."""

    url: str
    """Where it stands; a private address will do."""
    language: str | None = None
    """For queries that name none, such as `de`; the service's own choice when left out."""
    safesearch: Literal[0, 1, 2] | None = None
    """0 off, 1 moderate, 2 strict."""
    engines: list[str] = []
    """The engines it shall ask; those of its own settings when empty."""
    seconds: float = 10.0
    """One search."""
    pace: float = 0.0
    """Seconds between searches."""
    answer_bytes: int = 4 * 1024 * 1024
    """One answer."""


class _Result(msgspec.Struct):
    url: str
    title: str | None = None
    content: str | None = None
    img_src: str | None = None
    thumbnail_src: str | None = None


class _Answer(msgspec.Struct):
    results: list[_Result]
    unresponsive_engines: list[Any] = []


class Searxng:
    """Asks the service's JSON form, which its settings must allow (`search.formats`)."""

    Config: ClassVar[type[msgspec.Struct]] = SearxngConfig
    kinds = frozenset({"web", "image"})

    def __init__(self, config: SearxngConfig, surroundings: Surroundings) -> None:
        self._config = config
        self._service = WebService(
            "SearXNG",
            config.url,
            seconds=config.seconds,
            answer_bytes=config.answer_bytes,
            pace=config.pace,
            told={
                403: "SearXNG refuses to answer in JSON; add `json` to `search.formats` in its"
                " settings."
            },
        )

    async def search(self, query: Query) -> list[Hit]:
        """One page of results, cut to `query.count`."""
        image, config = query.kind == "image", self._config
        params = {
            "q": query.text,
            "format": "json",
            "categories": "images" if image else "general",
        }
        if language := query.language or config.language:
            params["language"] = language
        if config.safesearch is not None:
            params["safesearch"] = str(config.safesearch)
        if config.engines:
            params["engines"] = ",".join(config.engines)
        answer = await self._service.ask("/search", _Answer, params=params)
        if not answer.results and answer.unresponsive_engines:
            raise Unavailable("None of the engines behind SearXNG answered.")
        found = [result for result in answer.results if result.img_src or not image]
        return [
            Hit(
                title=result.title or result.url,
                url=result.url,
                snippet=result.content or "",
                image_url=result.img_src if image else None,
                thumbnail_url=(result.thumbnail_src or None) if image else None,
            )
            for result in found[: query.count]
        ]

    async def close(self) -> None:
        """Lets go of connections."""
        await self._service.close()
