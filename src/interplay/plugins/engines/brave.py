"""Brave Search, by key."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import msgspec

from interplay.contracts.engine import Hit, Query
from interplay.contracts.surroundings import Surroundings
from interplay.contracts.web_service import WebService, key_from

_URL = "https://api.search.brave.com"
_LONGEST, _MOST_WORDS, _MOST = 400, 50, 20
_LANGUAGES = {"ja": "jp", "pt": "pt-pt", "zh": "zh-hans"}


class BraveConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The fields of its table in settings."""

    api_key_env: str = "BRAVE_API_KEY"
    """The environment variable that holds the key."""
    url: str = ""
    """Another address that speaks this API; empty for Brave's own."""
    country: str | None = None
    """Two letters, such as DE."""
    safesearch: Literal["off", "moderate", "strict"] | None = None
    """Left out: Brave's own choice."""
    seconds: float = 10.0
    """One search."""
    pace: float = 0.0
    """Seconds between searches; the plan bought says how many a second are allowed."""
    answer_bytes: int = 4 * 1024 * 1024
    """One answer."""


class _Result(msgspec.Struct):
    title: str
    url: str
    description: str | None = None
    thumbnail: dict[str, Any] | None = None
    properties: dict[str, Any] | None = None


class _Results(msgspec.Struct):
    results: list[_Result] = []


class _WebAnswer(msgspec.Struct):
    web: _Results | None = None


class Brave:
    """The web and the image search of Brave's API."""

    Config: ClassVar[type[msgspec.Struct]] = BraveConfig
    kinds = frozenset({"web", "image"})

    def __init__(self, config: BraveConfig, surroundings: Surroundings) -> None:
        self._config = config
        self._service = WebService(
            "Brave",
            config.url or _URL,
            guard=None if config.url else surroundings.guard,
            seconds=config.seconds,
            answer_bytes=config.answer_bytes,
            pace=config.pace,
            told={422: "Brave refuses the query, or this server's key."},
        )

    async def search(self, query: Query) -> list[Hit]:
        """One page of results."""
        text = " ".join(query.text.split()[:_MOST_WORDS])[:_LONGEST]
        params = {"q": text, "count": str(min(query.count, _MOST))}
        if query.language:
            language = query.language.partition("-")[0].lower()
            params["search_lang"] = _LANGUAGES.get(language, language)
        config = self._config
        if config.country:
            params["country"] = config.country
        if config.safesearch:
            params["safesearch"] = config.safesearch
        headers = {"x-subscription-token": key_from(config.api_key_env, "Brave")}
        if query.kind == "image":
            if params.get("safesearch") == "moderate":
                params["safesearch"] = "strict"  # images know only off and strict
            found = await self._service.ask(
                "/res/v1/images/search", _Results, params=params, headers=headers
            )
            hits = [_image(result) for result in found.results]
            return [hit for hit in hits if hit.image_url][: query.count]
        params["text_decorations"] = "false"
        answer = await self._service.ask(
            "/res/v1/web/search", _WebAnswer, params=params, headers=headers
        )
        results = answer.web.results if answer.web else []
        return [
            Hit(title=result.title, url=result.url, snippet=result.description or "")
            for result in results[: query.count]
        ]

    async def close(self) -> None:
        """Lets go of connections."""
        await self._service.close()


def _image(result: _Result) -> Hit:
    image = (result.properties or {}).get("url")
    small = (result.thumbnail or {}).get("src")
    return Hit(
        title=result.title,
        url=result.url,
        image_url=image if isinstance(image, str) else None,
        thumbnail_url=small if isinstance(small, str) else None,
    )
