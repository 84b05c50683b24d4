"""Exa: what it is asked, and how it fails."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from interplay.contracts.engine import Query
from interplay.contracts.failure import Busy, Refused
from interplay.plugins.engines.exa import Exa, ExaConfig
from interplay.testing.local_web import LocalWeb
from tests import engines
from tests.engines import Around, answer


@pytest.fixture
async def web(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[LocalWeb]:
    monkeypatch.setenv("THE_KEY", "hush")
    async with LocalWeb() as web:
        engines.exa(web)
        yield web


async def search(web: LocalWeb, path: Path, query: Query, **config: Any) -> Any:
    config = {"api_key_env": "THE_KEY", **config}
    engine = Exa(ExaConfig(url=web.url(""), **config), Around(path))
    try:
        return await engine.search(query)
    finally:
        await engine.close()


async def test_a_search_carries_key_and_count(web: LocalWeb, tmp_path: Path) -> None:
    hits = await search(web, tmp_path, Query(text="rome", count=500), type="fast", snippet_chars=9)
    assert web.requests[0].headers["x-api-key"] == "hush"
    assert json.loads(web.requests[0].body) == {
        "query": "rome",
        "numResults": 100,
        "type": "fast",
        "contents": {"text": {"maxCharacters": 9}},
    }
    assert hits[0].title == "Rome 1"
    assert hits[0].snippet == "Rome is the capital of Italy."


async def test_a_page_without_title_or_text_is_a_hit_still(web: LocalWeb, tmp_path: Path) -> None:
    web.on("/search", answer({"results": [{"url": "https://a/", "title": None}]}))
    (hit,) = await search(web, tmp_path, Query(text="rome"))
    assert (hit.title, hit.snippet) == ("https://a/", "")


@pytest.mark.parametrize("status", [401, 402, 403])
async def test_a_bad_key_or_a_used_up_plan_is_refused_and_not_told(
    web: LocalWeb, tmp_path: Path, status: int
) -> None:
    web.on("/search", answer({"detail": "hush"}, status))
    with pytest.raises(Refused) as refused:
        await search(web, tmp_path, Query(text="rome"))
    assert "key" in refused.value.message
    assert "hush" not in refused.value.message


async def test_a_limit_is_told_as_busy(web: LocalWeb, tmp_path: Path) -> None:
    web.on("/search", answer({}, 429, **{"retry-after": "3"}))
    with pytest.raises(Busy) as busy:
        await search(web, tmp_path, Query(text="rome"))
    assert busy.value.retry_after == 3


async def test_without_a_key_nothing_is_asked(web: LocalWeb, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="NO_SUCH_KEY"):
        await search(web, tmp_path, Query(text="rome"), api_key_env="NO_SUCH_KEY")
    assert web.requests == []


async def test_a_caller_searches_with_a_key_and_fields_of_his_own(
    web: LocalWeb, tmp_path: Path
) -> None:
    engine = Exa(ExaConfig(url=web.url(""), api_key_env="NO_SUCH_KEY"), Around(tmp_path))
    custom = {"numResults": 2, "type": "keyword", "category": "news", "query": "other"}
    hits = await engine.search_as(Query(text="rome", count=1), "mine", custom)
    await engine.close()
    assert web.requests[0].headers["x-api-key"] == "mine"
    asked = json.loads(web.requests[0].body)
    assert asked["query"] == "rome"
    assert (asked["numResults"], asked["type"], asked["category"]) == (2, "keyword", "news")
    assert len(hits) == 3  # as many as came: the caller said how many


@pytest.mark.parametrize(
    ("result", "snippet"),
    [
        ({"highlights": ["a", "b"]}, "a … b"),
        ({"summary": "s"}, "s"),
        ({"text": "t", "summary": "s"}, "t"),
    ],
)
async def test_words_come_in_the_form_that_was_asked_for(
    web: LocalWeb, tmp_path: Path, result: Any, snippet: str
) -> None:
    web.on("/search", answer({"results": [{"url": "https://a/", **result}]}))
    (hit,) = await search(web, tmp_path, Query(text="rome"))
    assert hit.snippet == snippet
