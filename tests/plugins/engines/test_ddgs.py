"""DDGS: the package itself with its site on loopback, and what its faults mean."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
from ddgs.ddgs import DDGS
from ddgs.engines.duckduckgo import Duckduckgo
from ddgs.exceptions import DDGSException, RatelimitException, TimeoutException

from interplay.contracts.engine import Query
from interplay.contracts.failure import BadAnswer, Busy, NotInstalled, TimedOut, Unavailable
from interplay.plugins.engines.ddgs import Ddgs, DdgsConfig
from interplay.testing.local_web import LocalWeb, Page
from tests import engines
from tests.engines import Around


@pytest.fixture
async def web(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[LocalWeb]:
    async with LocalWeb() as web:
        monkeypatch.setattr(Duckduckgo, "search_url", engines.duckduckgo(web))
        yield web


async def search(path: Path, query: Query, **config: Any) -> Any:
    engine = Ddgs(DdgsConfig(backend="duckduckgo", **config), Around(path))
    try:
        return await engine.search(query)
    finally:
        await engine.close()


@pytest.mark.parametrize(
    ("language", "region"),
    [(None, "us-en"), ("en", "us-en"), ("de", "de-de"), ("de-AT", "at-de"), ("en-GB", "uk-en")],
)
async def test_a_search_asks_the_site_for_the_region_of_its_language(
    web: LocalWeb, tmp_path: Path, language: str | None, region: str
) -> None:
    hits = await search(tmp_path, Query(text="rome", count=2, language=language))
    assert dict(parse_qsl(web.requests[0].body.decode()))["l"] == region
    assert {hit.url for hit in hits} <= {f"https://rome{n}.example/" for n in (1, 2, 3)}
    assert hits[0].snippet.startswith("Rome is the capital")


@pytest.mark.parametrize("page", [Page(status=202), Page(body=b"<html></html>")])
async def test_a_site_that_gives_nothing_is_no_empty_answer(
    web: LocalWeb, tmp_path: Path, page: Page
) -> None:
    web.on("/html/", page)
    with pytest.raises(Unavailable):
        await search(tmp_path, Query(text="rome"))


async def test_a_site_that_hangs_is_given_up(web: LocalWeb, tmp_path: Path) -> None:
    web.on("/html/", Page(never=True))
    with pytest.raises((TimedOut, Unavailable)):
        await search(tmp_path, Query(text="rome"), seconds=1)


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (RatelimitException("202"), Busy),
        (TimeoutException("x"), TimedOut),
        (DDGSException("x"), Unavailable),
        (TypeError("x"), BadAnswer),
    ],
)
async def test_its_faults_are_failures_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, failure: type[Exception]
) -> None:
    def broken(self: DDGS, query: str, **given: Any) -> Any:
        raise error

    monkeypatch.setattr(DDGS, "text", broken)
    with pytest.raises(failure):
        await search(tmp_path, Query(text="rome"))


async def test_images_need_both_addresses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def images(self: DDGS, query: str, **given: Any) -> Any:
        whole = {"title": "a", "url": "https://a/", "image": "https://a/i", "thumbnail": ""}
        return [whole, {"title": "b", "image": "https://b/i"}]

    monkeypatch.setattr(DDGS, "images", images)
    (hit,) = await search(tmp_path, Query(text="rome", kind="image"))
    assert (hit.url, hit.image_url, hit.thumbnail_url) == ("https://a/", "https://a/i", None)


def test_without_the_package_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ddgs", None)
    with pytest.raises(NotInstalled, match=r"interplay\[ddgs\]"):
        Ddgs(DdgsConfig(), Around(tmp_path))
