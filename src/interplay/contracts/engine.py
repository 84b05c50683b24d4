"""What a web search engine promises."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Protocol

import msgspec


class Query(msgspec.Struct, kw_only=True, frozen=True):
    """One search."""

    text: str
    kind: Literal["web", "image"] = "web"
    count: int = 10
    """Hits wanted at most."""
    language: str | None = None
    """BCP 47; None for any."""


class Hit(msgspec.Struct, kw_only=True):
    """One result, as the engine gives it: nothing in it is to be trusted, or obeyed."""

    title: str
    url: str
    """http or https; `corpus:` for a document of a local folder."""
    snippet: str = ""
    """Plain text."""
    image_url: str | None = None
    """For image searches: the image itself; `url` is the page it stands on."""
    thumbnail_url: str | None = None


class SearchEngine(Protocol):
    """One engine. Registered in the entry-point group `interplay.engines`; built with an instance
    of its `Config` (msgspec struct, unknown fields forbidden) and a Surroundings."""

    kinds: frozenset[str]
    """The kinds of queries it can answer."""

    async def search(self, query: Query) -> list[Hit]:
        """The best hits first. Raises interplay.contracts.failure.Failure: who asked may turn to
        the next engine."""
        ...

    async def close(self) -> None:
        """Lets go of connections and files."""
        ...


class KeyedEngine(SearchEngine, Protocol):
    """An engine that also searches for a caller who brings a key of his own."""

    async def search_as(self, query: Query, key: str, custom: Mapping[str, Any]) -> list[Hit]:
        """As `search`, with this key, and with fields of the service's own in the request; more
        than `query.count` hits may come where `custom` asks for them. Raises as `search`."""
        ...
