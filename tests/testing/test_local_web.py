"""LocalWeb answers, redirects, stalls and drops as it is told."""

import asyncio

import aiohttp
import pytest

from interplay.testing.local_web import LocalWeb, Page
from interplay.testing.script import Hold


@pytest.fixture
async def web():
    async with LocalWeb() as web:
        yield web


@pytest.fixture
async def session():
    async with aiohttp.ClientSession() as session:
        yield session


async def test_a_page_is_served_and_the_request_recorded(web, session):
    url = web.text("/a", "<p>hi</p>")
    async with session.post(url + "?q=1", data=b"body", headers={"x-a": "b"}) as answer:
        assert await answer.text() == "<p>hi</p>"
    (request,) = web.requests
    assert (request.method, request.target, request.body) == ("POST", "/a?q=1", b"body")
    assert request.headers["x-a"] == "b"


async def test_a_redirect_leads_on_and_unknown_paths_are_404(web, session):
    web.text("/b", "there")
    async with session.get(web.redirect("/a", "/b")) as answer:
        assert await answer.text() == "there"
    async with session.get(web.url("/none")) as answer:
        assert answer.status == 404


async def test_pages_of_one_path_come_in_turn(web, session):
    url = web.on("/a", Page(status=429, headers={"retry-after": "1"}), Page(body=b"ok"))
    seen = []
    for _ in range(3):
        async with session.get(url) as answer:
            seen.append(answer.status)
    assert seen == [429, 200, 200]


async def test_a_body_can_wait_at_a_gate(web, session):
    url = web.on("/slow", Page(chunks=[b"one", Hold(hold="g"), b"two"]))
    async with session.get(url) as answer:
        assert await answer.content.readexactly(3) == b"one"
        await web.gate("g").reached()
        web.gate("g").open()
        assert await answer.content.read() == b"two"


async def test_a_drop_breaks_the_body_off(web, session):
    url = web.on("/drop", Page(body=b"x" * 100, drop_after=10))
    with pytest.raises(aiohttp.ClientError):
        async with session.get(url) as answer:
            await answer.read()


async def test_a_page_that_never_answers_is_left_by_the_client(web, session):
    url = web.on("/never", Page(never=True))
    with pytest.raises(asyncio.TimeoutError):
        await session.get(url, timeout=aiohttp.ClientTimeout(total=0.05))


async def test_raw_bytes_go_out_as_they_stand(web, session):
    url = web.on("/raw", Page(raw=b"NONSENSE\r\n\r\n"))
    with pytest.raises(aiohttp.ClientError):
        await session.get(url)
