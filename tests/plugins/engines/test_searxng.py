"""SearXNG: what it is asked, what it answers, how it fails."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest

from interplay.contracts.engine import Query
from interplay.contracts.failure import BadAnswer, Busy, Refused, Unavailable
from interplay.plugins.engines.searxng import Searxng, SearxngConfig
from interplay.testing.local_web import LocalWeb
from tests import engines
from tests.engines import Around, answer


@pytest.fixture
async def web() -> AsyncIterator[LocalWeb]:
    async with LocalWeb() as web:
        engines.searxng(web)
        yield web


async def search(web: LocalWeb, path: Path, query: Query, **config: Any) -> Any:
    engine = Searxng(SearxngConfig(url=web.url("/"), **config), Around(path))
    try:
        return await engine.search(query)
    finally:
        await engine.close()


async def test_a_web_search_asks_the_general_category(web: LocalWeb, tmp_path: Path) -> None:
    hits = await search(web, tmp_path, Query(text="roma & ö", count=2))
    asked = dict(parse_qsl(web.requests[0].target.partition("?")[2]))
    assert asked == {"q": "roma & ö", "format": "json", "categories": "general"}
    assert [hit.url for hit in hits] == ["https://rome.example/1", "https://rome.example/2"]
    assert hits[0].snippet == "Rome is the capital of Italy."
    assert hits[0].image_url is None


async def test_an_image_search_has_the_addresses_of_images(web: LocalWeb, tmp_path: Path) -> None:
    hits = await search(web, tmp_path, Query(text="rome", kind="image"))
    assert "categories=images" in web.requests[0].target
    assert hits[0].image_url == "https://rome.example/1.png"
    assert hits[0].thumbnail_url is None


async def test_settings_and_query_say_language_safety_and_engines(
    web: LocalWeb, tmp_path: Path
) -> None:
    given = {"language": "de", "safesearch": 2, "engines": ["a", "b"]}
    await search(web, tmp_path, Query(text="x"), **given)
    await search(web, tmp_path, Query(text="x", language="fr"), **given)
    asked = [dict(parse_qsl(r.target.partition("?")[2])) for r in web.requests]
    assert [one["language"] for one in asked] == ["de", "fr"]
    assert asked[0]["safesearch"] == "2"
    assert asked[0]["engines"] == "a,b"


async def test_nothing_because_its_engines_were_silent_is_a_failure(
    web: LocalWeb, tmp_path: Path
) -> None:
    web.on("/search", answer({"results": [], "unresponsive_engines": [["x", "timeout"]]}))
    with pytest.raises(Unavailable, match="behind SearXNG"):
        await search(web, tmp_path, Query(text="x"))


async def test_nothing_found_is_no_failure(web: LocalWeb, tmp_path: Path) -> None:
    web.on("/search", answer({"results": [], "unresponsive_engines": []}))
    assert await search(web, tmp_path, Query(text="x")) == []


async def test_a_service_without_json_says_what_to_switch_on(web: LocalWeb, tmp_path: Path) -> None:
    web.on("/search", answer({}, 403))
    with pytest.raises(Refused, match=r"search\.formats"):
        await search(web, tmp_path, Query(text="x"))


async def test_a_limit_is_told_as_busy(web: LocalWeb, tmp_path: Path) -> None:
    web.on("/search", answer({}, 429))
    with pytest.raises(Busy):
        await search(web, tmp_path, Query(text="x"))


@pytest.mark.parametrize("body", [{}, {"results": [{"title": "no address"}]}, {"results": "x"}, []])
async def test_another_form_is_a_bad_answer(web: LocalWeb, tmp_path: Path, body: Any) -> None:
    web.on("/search", answer(body))
    with pytest.raises(BadAnswer):
        await search(web, tmp_path, Query(text="x"))
