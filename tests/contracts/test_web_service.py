"""A service of the settings: what is asked, what is refused, which fault is told."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qs

import pytest

from interplay.contracts.egress import EgressRefused, Guard
from interplay.contracts.failure import BadAnswer, Busy, Refused, TimedOut, Unavailable
from interplay.contracts.web_service import OneHost, WebService, key_from
from interplay.testing.local_web import LocalWeb, Page
from tests.engines import answer


@pytest.fixture
async def web() -> AsyncIterator[LocalWeb]:
    async with LocalWeb() as web:
        yield web


async def asked(web: LocalWeb, *pages: Page, kind: Any = dict, **given: Any) -> Any:
    web.on("/x", *pages)
    service = WebService("Finder", web.url(""), **given)
    try:
        return await service.ask("/x", kind, params={"q": "a&b=ö"})
    finally:
        await service.close()


async def test_questions_and_bodies_arrive_as_they_were_meant(web: LocalWeb) -> None:
    assert await asked(web, answer({"a": 1})) == {"a": 1}
    assert parse_qs(web.requests[0].target.partition("?")[2]) == {"q": ["a&b=ö"]}
    service = WebService("Finder", web.url("/"))
    assert await service.ask("/x", dict, body={"q": "ö"}, headers={"k": "v"}) == {"a": 1}
    await service.close()
    assert web.requests[1].method == "POST"
    assert web.requests[1].body.decode() == '{"q":"ö"}'
    assert web.requests[1].headers["k"] == "v"


@pytest.mark.parametrize(
    ("status", "failure"),
    [
        (401, Refused),
        (403, Refused),
        (400, Refused),
        (408, TimedOut),
        (500, Unavailable),
        (502, Unavailable),
        (504, TimedOut),
    ],
)
async def test_each_status_is_a_failure_of_its_own(
    web: LocalWeb, status: int, failure: type[Exception]
) -> None:
    with pytest.raises(failure, match="Finder"):
        await asked(web, answer({"why": "the secret"}, status))


async def test_a_status_can_have_a_sentence_of_its_own(web: LocalWeb) -> None:
    with pytest.raises(Refused, match="switch it on"):
        await asked(web, answer({}, 403), told={403: "switch it on"})


async def test_a_busy_service_is_left_alone_as_long_as_it_asks_for(web: LocalWeb) -> None:
    web.on("/x", answer({}, 429, **{"retry-after": "7"}), answer({"a": 1}))
    service = WebService("Finder", web.url(""))
    with pytest.raises(Busy) as first:
        await service.ask("/x", dict)
    assert first.value.retry_after == 7
    with pytest.raises(Busy) as second:
        await service.ask("/x", dict)
    assert 6 < (second.value.retry_after or 0) <= 7
    assert len(web.requests) == 1
    await service.close()


@pytest.mark.parametrize(
    ("header", "low", "high"),
    [
        ("0", 0, 0),
        ("soon", None, None),
        ("", None, None),
        ("nan", None, None),
        ("999999999", 3600, 3600),
        ("-5", 0, 0),
        pytest.param(
            format_datetime(datetime.now(UTC) + timedelta(hours=5), usegmt=True),
            3600,
            3600,
            id="a date",
        ),
    ],
)
async def test_a_pause_is_read_in_both_forms_and_bounded(
    web: LocalWeb, header: str, low: float | None, high: float | None
) -> None:
    with pytest.raises(Busy) as busy:
        await asked(web, answer({}, 429, **{"retry-after": header}))
    pause = busy.value.retry_after
    assert pause == low == high


async def test_a_service_that_hangs_is_given_up(web: LocalWeb) -> None:
    with pytest.raises(TimedOut, match=r"0\.1 s"):
        await asked(web, Page(never=True), seconds=0.1)


@pytest.mark.parametrize(
    "page",
    [
        Page(body=b"<html>not json</html>"),
        Page(body=b"\xff\xfe"),
        Page(body=b"[" * 100_000),
        Page(body=b"[1]"),
        Page(body=b" " * 2_000_000),
        Page(headers={"content-encoding": "gzip"}, body=gzip.compress(b" " * 20_000_000)),
        Page(chunks=[b" " * 600_000] * 3),
    ],
)
async def test_what_is_too_large_or_no_answer_is_a_bad_answer(web: LocalWeb, page: Page) -> None:
    with pytest.raises(BadAnswer):
        await asked(web, page, answer_bytes=1_000_000)


async def test_a_torn_answer_or_nobody_there_is_unavailable(web: LocalWeb) -> None:
    with pytest.raises(Unavailable):
        await asked(web, Page(body=b'{"a": 1}', drop_after=3))
    service = WebService("Finder", "http://127.0.0.1:1")
    with pytest.raises(Unavailable):
        await service.ask("/x", dict)
    await service.close()


async def test_redirects_are_not_followed(web: LocalWeb) -> None:
    web.text("/other", "{}")
    web.redirect("/x", "/other")
    with pytest.raises(BadAnswer, match="302"):
        await asked(web, Page(status=302, headers={"location": "/other"}))
    assert len(web.requests) == 1


async def test_requests_keep_their_pace(web: LocalWeb) -> None:
    web.on("/x", answer({}))
    service = WebService("Finder", web.url(""), pace=0.1)
    loop = asyncio.get_running_loop()
    start = loop.time()
    await asyncio.gather(*(service.ask("/x", dict) for _ in range(3)))
    assert loop.time() - start >= 0.2
    await service.close()


async def test_a_private_address_is_reached_only_where_the_settings_name_it(web: LocalWeb) -> None:
    with pytest.raises(Refused, match="loopback"):
        await asked(web, answer({}), guard=Guard())
    assert web.requests == []
    assert await asked(web, answer({})) == {}


async def test_one_host_permits_no_other() -> None:
    async def resolve(host: str, port: int) -> list[str]:
        return ["10.0.0.7"]

    guard = OneHost("http://finder.internal:8080/base", resolve=resolve)
    assert (await guard.pin("http://finder.internal/x")).addresses == ["10.0.0.7"]
    for url in ("http://other.internal/", "http://127.0.0.1/", "http://localhost/"):
        with pytest.raises(EgressRefused):
            await guard.pin(url)
    with pytest.raises(EgressRefused):
        await guard.addresses("169.254.169.254", 80)
    with pytest.raises(EgressRefused):
        OneHost("file:///etc/passwd")


async def test_an_address_that_is_none_is_refused(web: LocalWeb) -> None:
    service = WebService("Finder", "ftp://x")
    with pytest.raises(Refused, match="Finder"):
        await service.ask("/x", dict)


def test_a_key_comes_from_the_environment_and_is_never_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FINDER_KEY", " k \n")
    assert key_from("FINDER_KEY", "Finder") == "k"
    monkeypatch.setenv("FINDER_KEY", " ")
    with pytest.raises(Refused, match="FINDER_KEY"):
        key_from("FINDER_KEY", "Finder")
