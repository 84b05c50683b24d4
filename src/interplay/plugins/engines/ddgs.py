"""DDGS: several public search sites through the package `ddgs`, without a key."""

from __future__ import annotations

import asyncio
import importlib
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar, Literal

import msgspec

from interplay.contracts.engine import Hit, Query
from interplay.contracts.failure import BadAnswer, Busy, NotInstalled, TimedOut, Unavailable
from interplay.contracts.surroundings import Surroundings

_NOTHING = "No results found"


class DdgsConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The fields of its table in settings."""

    backend: str = "auto"
    """The sites to ask, with commas, such as `duckduckgo,mojeek`; auto picks some."""
    region: str = "us-en"
    """Country and language of queries that name no language."""
    safesearch: Literal["on", "moderate", "off"] = "moderate"
    seconds: int = 10
    """How long the sites may take."""
    parallel: int = 2
    """Searches at a time; the sites shut out who asks much."""


class Ddgs:
    """For a first try: the sites it asks limit the rate hard.

    The package has connections of its own, to the sites it knows by name and to nothing that a
    caller could choose.
    """

    Config: ClassVar[type[msgspec.Struct]] = DdgsConfig
    kinds = frozenset({"web", "image"})

    def __init__(self, config: DdgsConfig, surroundings: Surroundings) -> None:
        try:
            self._package: Any = importlib.import_module("ddgs")
            self._faults: Any = importlib.import_module("ddgs.exceptions")
        except ImportError as error:
            raise NotInstalled("The engine ddgs needs: pip install 'interplay[ddgs]'") from error
        self._config = config
        self._threads = ThreadPoolExecutor(config.parallel, thread_name_prefix="ddgs")

    async def search(self, query: Query) -> list[Hit]:
        """The best results of the sites that answered."""
        loop = asyncio.get_running_loop()
        try:
            found = await loop.run_in_executor(self._threads, self._ask, query)
            return [hit for hit in (_hit(one, query.kind) for one in found) if hit][: query.count]
        except self._faults.RatelimitException as error:
            raise Busy("The sites behind ddgs have too many requests.") from error
        except self._faults.TimeoutException as error:
            raise TimedOut(
                f"The sites behind ddgs did not answer in {self._config.seconds} s."
            ) from error
        except self._faults.DDGSException as error:
            if _NOTHING in str(error):
                raise Unavailable(
                    "The sites behind ddgs gave nothing; they do not say whether there is nothing,"
                    " or whether they shut this server out."
                ) from error
            raise Unavailable("The sites behind ddgs cannot be reached.") from error
        except (AttributeError, TypeError) as error:
            raise BadAnswer("The sites behind ddgs answered with something else.") from error

    def _ask(self, query: Query) -> Any:
        client = self._package.DDGS(timeout=self._config.seconds)
        ask = client.images if query.kind == "image" else client.text
        return ask(
            query.text,
            region=_region(query.language) or self._config.region,
            safesearch=self._config.safesearch,
            max_results=query.count,
            backend=self._config.backend,
        )

    async def close(self) -> None:
        """What is under way ends by its own limit."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _region(language: str | None) -> str | None:
    """`de-AT` -> `at-de`; a language alone stands for its largest country's site."""
    if not language:
        return None
    word, _, country = language.lower().partition("-")
    country = {"": {"en": "us"}.get(word, word), "gb": "uk"}.get(country, country)
    return f"{country}-{word}"


def _hit(one: dict[str, Any], kind: str) -> Hit | None:
    if kind == "image":
        page, image = one.get("url"), one.get("image")
        if not page or not image:
            return None
        small = one.get("thumbnail") or None
        title = one.get("title") or page
        return Hit(title=title, url=page, image_url=image, thumbnail_url=small)
    page = one.get("href")
    if not page:
        return None
    return Hit(title=one.get("title") or page, url=page, snippet=one.get("body") or "")
