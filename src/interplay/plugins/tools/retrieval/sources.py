"""Where retrieval finds: search engines of callers' own keys, and this server's search stores."""

from __future__ import annotations

from typing import Any, cast
from urllib.parse import urlsplit

import msgspec

from interplay.contracts import registry, shown
from interplay.contracts.engine import Hit, KeyedEngine, Query
from interplay.contracts.failure import NotInstalled, Refused
from interplay.contracts.library import Passage
from interplay.contracts.surroundings import Surroundings
from interplay.contracts.web_service import key_from
from interplay.plugins.tools.retrieval.config import Config
from interplay.plugins.tools.retrieval.declared import stores_of
from interplay.wire.content import FileCitation, URLCitation
from interplay.wire.tools import Retrieval, RetrievalType

_LONGEST_TITLE, _LONGEST_URL = 200, 2_048


class Found(msgspec.Struct, kw_only=True):
    """One result: what the model reads of it, and what is cited by it."""

    head: str
    text: str
    source: URLCitation | FileCitation


class Sources:
    """The services a declaration may name."""

    def __init__(self, config: Config, surroundings: Surroundings) -> None:
        self._config, self._surroundings = config, surroundings

    def check(self, type_: RetrievalType, declaration: Retrieval) -> None:
        """Raises Refused for what is missing, NotInstalled without the engine."""
        if type_ == "rag_store":
            self._stores(declaration)
        else:
            self._access(type_, declaration)
            self._engine(type_)

    async def search(
        self, type_: RetrievalType, declaration: Retrieval, owner: str, text: str
    ) -> list[Found]:
        """What one query finds. Raises Failure."""
        if type_ == "rag_store":
            stores = self._stores(declaration)
            passages = await self._surroundings.library().search(
                owner, stores.names, text, count=stores.count, filter=stores.filter
            )
            return [_of_passage(passage) for passage in passages]
        key, custom = self._access(type_, declaration)
        # One for each search: what a service says of one caller's key is none of another's.
        engine = self._engine(type_)
        try:
            query = Query(text=text, count=self._config.hits)
            hits = await engine.search_as(query, key, custom)
        finally:
            await engine.close()
        fit = [hit for hit in hits if _fit(hit.url)]
        return [_of_hit(hit) for hit in fit[: self._config.most_hits]]

    def _stores(self, declaration: Retrieval) -> Any:
        config = declaration.rag_store_config
        assert config is not None, "asked only where it is given"
        return stores_of(config, self._config.hits, self._config.most_hits)

    def _access(self, type_: RetrievalType, declaration: Retrieval) -> tuple[str, dict[str, Any]]:
        if type_ == "exa_ai_search":
            given = declaration.exa_ai_search_config
            assert given is not None, "asked only where it is given"
            if not given.api_key.strip():
                raise Refused("'exa_ai_search_config' needs an 'api_key'.")
            return _key(given.api_key), given.custom_config or {}
        config = declaration.parallel_ai_search_config
        assert config is not None, "asked only where it is given"
        if config.api_key and config.api_key.strip():
            return _key(config.api_key), config.custom_config or {}
        try:
            key = key_from(self._config.parallel_key_env, "Parallel")
        except Refused as refused:
            raise Refused(
                f"'parallel_ai_search_config' needs an 'api_key'. {refused.message}"
            ) from refused
        return key, config.custom_config or {}

    def _engine(self, type_: RetrievalType) -> KeyedEngine:
        name, url = {
            "exa_ai_search": ("exa", self._config.exa_url),
            "parallel_ai_search": ("parallel", self._config.parallel_url),
        }[type_]
        try:
            kind: Any = registry.load("interplay.engines", name)
        except (registry.UnknownPlugin, ImportError) as error:
            raise NotInstalled(f"The engine '{name}' cannot be loaded: {error}") from error
        seconds, chars = self._config.seconds, self._config.hit_chars
        config = kind.Config(url=url, seconds=seconds, snippet_chars=chars)
        return cast(KeyedEngine, kind(config, self._surroundings))


def _key(key: str) -> str:
    """A key as a header may carry it. Raises Refused."""
    key = key.strip()
    if not key.isascii() or not key.isprintable():
        raise Refused("An 'api_key' has letters, digits and signs of ASCII only.")
    return key


def _fit(url: str) -> bool:
    if not url or len(url) > _LONGEST_URL or any(not c.isprintable() or c == " " for c in url):
        return False
    try:
        return urlsplit(url).scheme in ("http", "https")
    except ValueError:
        return False


def _of_hit(hit: Hit) -> Found:
    title = shown.line(hit.title, _LONGEST_TITLE) or hit.url[:_LONGEST_TITLE]
    return Found(
        head=f"{title}\n    {shown.address(hit.url)}",
        text=hit.snippet,
        source=URLCitation(title=title, url=hit.url),
    )


def _of_passage(passage: Passage) -> Found:
    page = f", page {passage.page}" if passage.page is not None else ""
    return Found(
        head=f"{shown.line(passage.title, _LONGEST_TITLE)}{page}",
        text=passage.text,
        source=FileCitation(
            file_name=passage.title,
            document_uri=passage.document,
            page_number=passage.page,
            source=passage.store,
            custom_metadata=passage.metadata or None,
        ),
    )
