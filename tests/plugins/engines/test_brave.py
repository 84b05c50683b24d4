"""Brave: what it is asked, and how it fails."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest

from interplay.contracts.engine import Query
from interplay.contracts.failure import Refused
from interplay.plugins.engines.brave import Brave, BraveConfig
from interplay.testing.local_web import LocalWeb
from tests import engines
from tests.engines import Around, answer


@pytest.fixture
async def web(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[LocalWeb]:
    monkeypatch.setenv("THE_KEY", "hush")
    async with LocalWeb() as web:
        engines.brave(web)
        yield web


async def search(web: LocalWeb, path: Path, query: Query, **config: Any) -> Any:
    config = {"api_key_env": "THE_KEY", **config}
    engine = Brave(BraveConfig(url=web.url(""), **config), Around(path))
    try:
        return await engine.search(query)
    finally:
        await engine.close()


def asked(web: LocalWeb) -> dict[str, str]:
    return dict(parse_qsl(web.requests[-1].target.partition("?")[2]))


async def test_a_web_search_carries_key_count_and_language(web: LocalWeb, tmp_path: Path) -> None:
    query = Query(text="rome", count=50, language="pt-BR")
    hits = await search(web, tmp_path, query, country="DE", safesearch="moderate")
    assert web.requests[0].headers["x-subscription-token"] == "hush"
    assert asked(web) == {
        "q": "rome",
        "count": "20",
        "search_lang": "pt-pt",
        "country": "DE",
        "safesearch": "moderate",
        "text_decorations": "false",
    }
    assert hits[0].snippet == "Rome is the capital of Italy."


async def test_a_long_query_is_cut_to_what_is_allowed(web: LocalWeb, tmp_path: Path) -> None:
    await search(web, tmp_path, Query(text="word " * 80))
    assert len(asked(web)["q"].split()) == 50
    await search(web, tmp_path, Query(text="x" * 900))
    assert len(asked(web)["q"]) == 400


async def test_images_come_with_their_addresses_and_thumbnails(
    web: LocalWeb, tmp_path: Path
) -> None:
    hits = await search(web, tmp_path, Query(text="rome", kind="image"), safesearch="moderate")
    assert hits[0].image_url == "https://rome.example/1.png"
    assert hits[0].thumbnail_url == "https://imgs.example/1"
    assert asked(web)["safesearch"] == "strict"


async def test_an_image_without_an_address_is_left_out(web: LocalWeb, tmp_path: Path) -> None:
    odd = [{"title": "a", "url": "https://a/", "properties": {"url": 5}}]
    web.on("/res/v1/images/search", answer({"results": odd}))
    assert await search(web, tmp_path, Query(text="rome", kind="image")) == []


async def test_a_web_without_results_is_empty(web: LocalWeb, tmp_path: Path) -> None:
    web.on("/res/v1/web/search", answer({"type": "search"}))
    assert await search(web, tmp_path, Query(text="rome")) == []


@pytest.mark.parametrize("status", [401, 403, 422])
async def test_a_bad_key_is_refused_and_not_told(
    web: LocalWeb, tmp_path: Path, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    web.on("/res/v1/web/search", answer({"error": "hush"}, status))
    with pytest.raises(Refused) as refused:
        await search(web, tmp_path, Query(text="rome"))
    assert "key" in refused.value.message
    assert "hush" not in refused.value.message + caplog.text


async def test_without_a_key_nothing_is_asked(web: LocalWeb, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="NO_SUCH_KEY"):
        await search(web, tmp_path, Query(text="rome"), api_key_env="NO_SUCH_KEY")
    assert web.requests == []
