"""Parallel: what it is asked, and how it fails."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from interplay.contracts.engine import Query
from interplay.contracts.failure import BadAnswer, Busy, Refused
from interplay.plugins.engines.parallel import Parallel, ParallelConfig
from interplay.testing.local_web import LocalWeb
from tests import engines
from tests.engines import Around, answer


@pytest.fixture
async def web(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[LocalWeb]:
    monkeypatch.setenv("THE_KEY", "hush")
    async with LocalWeb() as web:
        engines.parallel(web)
        yield web


async def search(
    web: LocalWeb, path: Path, query: Query, custom: dict[str, Any] | None = None, **config: Any
) -> Any:
    config = {"api_key_env": "THE_KEY", **config}
    engine = Parallel(ParallelConfig(url=web.url(""), **config), Around(path))
    try:
        if custom is not None:
            return await engine.search_as(query, "mine", custom)
        return await engine.search(query)
    finally:
        await engine.close()


def asked(web: LocalWeb) -> Any:
    return json.loads(web.requests[0].body)


async def test_a_search_carries_key_count_and_size(web: LocalWeb, tmp_path: Path) -> None:
    query = Query(text="rome", count=500)
    hits = await search(web, tmp_path, query, mode="turbo", snippet_chars=9)
    assert web.requests[0].headers["x-api-key"] == "hush"
    assert web.requests[0].target == "/v1/search"
    assert asked(web) == {
        "search_queries": ["rome"],
        "mode": "turbo",
        "advanced_settings": {"max_results": 40, "excerpt_settings": {"max_chars_per_result": 9}},
    }
    assert hits[0].title == "Rome 1"
    assert hits[0].snippet == "Rome is the capital of Italy. … It has 1 hills."


async def test_fields_of_the_beta_stand_where_they_do_today(web: LocalWeb, tmp_path: Path) -> None:
    policy = {"include_domains": ["example.com"]}
    custom = {
        "max_results": 2,
        "source_policy": policy,
        "excerpts": {"max_chars_per_result": 50},
        "fetch_policy": {"max_age_seconds": 3600},
        "mode": "advanced",
        "objective": "history",
        "search_queries": ["other"],
    }
    hits = await search(web, tmp_path, Query(text="rome", count=1), custom)
    assert web.requests[0].headers["x-api-key"] == "mine"
    assert asked(web) == {
        "search_queries": ["rome"],
        "mode": "advanced",
        "objective": "history",
        "advanced_settings": {
            "max_results": 2,
            "source_policy": policy,
            "excerpt_settings": {"max_chars_per_result": 50},
            "fetch_policy": {"max_age_seconds": 3600},
        },
    }
    assert len(hits) == 3


async def test_fields_of_today_stand_beside_our_own(web: LocalWeb, tmp_path: Path) -> None:
    custom = {"advanced_settings": {"location": "it"}}
    hits = await search(web, tmp_path, Query(text="rome", count=1), custom)
    assert asked(web)["advanced_settings"] == {
        "max_results": 1,
        "excerpt_settings": {"max_chars_per_result": 600},
        "location": "it",
    }
    assert len(hits) == 1
    with pytest.raises(Refused, match="advanced_settings"):
        await search(web, tmp_path, Query(text="rome"), {"advanced_settings": "x"})


@pytest.mark.parametrize("status", [401, 402, 403, 422])
async def test_a_bad_key_or_request_is_refused_and_not_told(
    web: LocalWeb, tmp_path: Path, status: int
) -> None:
    web.on("/v1/search", answer({"error": {"message": "hush"}}, status))
    with pytest.raises(Refused) as refused:
        await search(web, tmp_path, Query(text="rome"))
    assert "hush" not in refused.value.message


async def test_a_limit_is_told_as_busy_and_lies_as_lies(web: LocalWeb, tmp_path: Path) -> None:
    web.on("/v1/search", answer({}, 429, **{"retry-after": "3"}))
    with pytest.raises(Busy) as busy:
        await search(web, tmp_path, Query(text="rome"))
    assert busy.value.retry_after == 3
    web.on("/v1/search", answer({"results": [{"title": "no address"}]}))
    with pytest.raises(BadAnswer):
        await search(web, tmp_path, Query(text="rome"))


async def test_without_a_key_nothing_is_asked(web: LocalWeb, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="NO_SUCH_KEY"):
        await search(web, tmp_path, Query(text="rome"), api_key_env="NO_SUCH_KEY")
    assert web.requests == []
