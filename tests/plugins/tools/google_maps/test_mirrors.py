"""Servers that answer the same: who is asked, how often, and what is kept."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from interplay.contracts.failure import Refused, Unavailable
from interplay.plugins.tools.google_maps import Config
from interplay.plugins.tools.google_maps.mirrors import Kept, Mirrors
from interplay.testing.local_web import LocalWeb, Page


@pytest.fixture
async def web() -> AsyncIterator[LocalWeb]:
    async with LocalWeb() as web:
        web.on("/a/x", Page(body=b"[1]"))
        web.on("/b/x", Page(body=b"[2]"))
        yield web


async def asked(web: LocalWeb, *times: dict[str, str], urls: Any = None, **config: Any) -> Any:
    given = {"pace": 0.0, **config}
    kept = Kept(given.get("cache_seconds", 60.0), given.get("cache_entries", 10))
    mirrors = Mirrors("S", urls or [web.url("/a"), web.url("/b/")], Config(**given), kept)
    try:
        return [await mirrors.ask("/x", list[int], params) for params in times]
    finally:
        await mirrors.close()


async def test_the_first_server_is_asked_and_says_who_asks(web: LocalWeb) -> None:
    said = {"user_agent": "Interplay (ops@example.com)", "language": "de"}
    assert await asked(web, {"q": "1"}, **said) == [[1]]
    (request,) = web.requests
    assert request.target == "/a/x?q=1"
    assert request.headers["user-agent"] == "Interplay (ops@example.com)"
    assert request.headers["accept-language"] == "de"


@pytest.mark.parametrize("page", [Page(status=500), Page(status=403), Page(body=b"<html>")])
async def test_a_server_that_fails_is_followed_by_the_next(web: LocalWeb, page: Page) -> None:
    web.on("/a/x", page)
    assert await asked(web, {}) == [[2]]


async def test_when_all_fail_the_first_says_why(web: LocalWeb) -> None:
    web.on("/a/x", Page(status=503))
    web.on("/b/x", Page(status=400))
    with pytest.raises(Unavailable, match="503"):
        await asked(web, {})


async def test_without_an_address_nothing_is_asked(web: LocalWeb) -> None:
    mirrors = Mirrors("S", "", Config(), Kept(1.0, 1))
    assert not mirrors
    with pytest.raises(Refused, match="No S is configured"):
        await mirrors.ask("/x", list[int], {})


async def test_answers_are_given_again_and_the_oldest_make_room(web: LocalWeb) -> None:
    one, two, three = ({"q": n} for n in "123")
    await asked(web, one, one, two, two, three, one, cache_entries=2)
    assert [request.target[-1] for request in web.requests] == ["1", "2", "3", "1"]


async def test_old_answers_and_failures_are_not_given_again(web: LocalWeb) -> None:
    await asked(web, {}, {}, cache_seconds=0.0)
    assert len(web.requests) == 2
    web.on("/a/x", Page(status=500), Page(body=b"[1]"))
    kept = Kept(60.0, 10)
    mirrors = Mirrors("S", web.url("/a"), Config(pace=0.0), kept)
    with pytest.raises(Unavailable):
        await mirrors.ask("/x", list[int], {})
    assert await mirrors.ask("/x", list[int], {}) == [1]
    await mirrors.close()


async def test_requests_to_one_server_keep_their_distance(web: LocalWeb) -> None:
    mirrors = Mirrors("S", web.url("/a"), Config(pace=0.2), Kept(0.0, 1))
    start = time.monotonic()
    await asyncio.gather(*(mirrors.ask("/x", list[int], {"q": n}) for n in "123"))
    assert time.monotonic() - start >= 0.39
    await mirrors.close()


def test_public_servers_are_asked_once_a_second_unless_told_otherwise() -> None:
    assert Config().pace == 1.0
