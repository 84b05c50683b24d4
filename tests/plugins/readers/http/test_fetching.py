"""Addresses through the guard: every disguise, every bomb, every kind of bad answer."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from collections.abc import AsyncGenerator
from typing import Any

import brotli
import pytest

from interplay.contracts.egress import EgressRefused, Guard, Unresolvable
from interplay.plugins.readers.http.config import Config
from interplay.plugins.readers.http.fetching import Fetched, Fetcher, Unreachable
from interplay.testing.local_web import LocalWeb, Page
from interplay.testing.script import Hold

MOST = 100_000
LOOPBACK = Guard(["127.0.0.1/32"])


@pytest.fixture
async def fetch(web: LocalWeb) -> AsyncGenerator[Any]:
    fetchers: list[Fetcher] = []

    async def get(url: str, guard: Guard = LOOPBACK, most: int = MOST, **fields: Any) -> Fetched:
        fetchers.append(Fetcher(Config(host_gap=0.0, **fields), guard))
        async with asyncio.timeout(60):
            return await fetchers[-1].get(url, most)

    yield get
    for fetcher in fetchers:
        await fetcher.close()


async def test_a_page_comes_with_its_type_and_says_who_asks(web: LocalWeb, fetch: Any):
    found = await fetch(web.text("/a?q=1", "words"), user_agent="Tester/2")
    assert (found.status, found.body, found.cut) == (200, b"words", False)
    assert found.content_type == "text/html; charset=utf-8"
    sent = web.requests[0].headers
    assert sent["user-agent"] == "Tester/2"
    assert not {"cookie", "authorization", "referer"} & set(sent)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "http://localhost/",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://0177.0.0.1/",
        "http://127.1/",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[::ffff:7f00:1]/",
        "http://[64:ff9b::7f00:1]/",
        "http://[fe80::1%25eth0]/",
        "http://0.0.0.0/",
        "http://10.1.2.3/",
        "http://192.168.0.1/",
        "http://172.16.0.1/",
        "http://169.254.169.254/latest/meta-data/",
        "http://100.100.100.200/",
        "http://[fd00:ec2::254]/",
        "http://user@93.184.215.14/",
        "http://93.184.215.14@127.0.0.1/",
        "http://93.184.215.14\\@127.0.0.1/",
        "http://\u0661\u0662\u0667.0.0.1/",
        "http://127\u30020\u30020\u30021/",
        "http://\u2460\u2461\u2466.0.0.1/",
        "file:///etc/passwd",
        "gopher://93.184.215.14/",
        "ftp://93.184.215.14/",
        "data:text/html,x",
        "//127.0.0.1/",
        "http:///x",
        "http://93.184.215.14:0/",
        "",
    ],
)
async def test_no_disguise_of_an_inner_address_is_fetched(web: LocalWeb, fetch: Any, url: str):
    with pytest.raises(EgressRefused):
        await fetch(url, Guard())
    redirectable = url and "127.0.0.1" not in url and not url.startswith("http:///")
    if redirectable:
        inner = web.redirect("/r", url)
        with pytest.raises((EgressRefused, Unreachable)):
            await fetch(inner)
        assert [request.target for request in web.requests] == ["/r"]


class Names:
    """A resolver whose answers change from call to call, the last one staying."""

    def __init__(self, *answers: list[str]) -> None:
        self._answers = list(answers)

    async def __call__(self, host: str, port: int) -> list[str]:
        if host == "nowhere.example":
            raise OSError
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]


async def test_a_name_that_turns_inwards_between_two_hops_is_refused(web: LocalWeb, fetch: Any):
    names = Names(["127.0.0.1"], ["10.0.0.1"])
    here = web.url("").replace("127.0.0.1", "turning.example")
    web.on("/a", Page(status=302, headers={"location": f"{here}/b", "connection": "close"}))
    web.text("/b", "secret")
    with pytest.raises(EgressRefused, match="private"):
        await fetch(f"{here}/a", Guard(["127.0.0.1/32"], resolve=names))
    assert [request.target for request in web.requests] == ["/a"]


async def test_a_name_that_leads_inwards_is_refused_before_it_is_asked(web: LocalWeb, fetch: Any):
    url = web.url("/").replace("127.0.0.1", "inside.example")
    with pytest.raises(EgressRefused, match="loopback"):
        await fetch(url, Guard(resolve=Names(["127.0.0.1"])))
    assert web.requests == []


async def test_a_name_without_an_address_is_told(fetch: Any):
    with pytest.raises(Unresolvable, match=r"nowhere\.example"):
        await fetch("http://nowhere.example/", Guard(resolve=Names([])))


async def test_redirects_are_followed_to_their_end(web: LocalWeb, fetch: Any):
    web.redirect("/a", "/b", 301)
    web.redirect("/b", "c/d?x=%20y#part", 308)
    web.text("/c/d?x=%20y", "there")
    found = await fetch(web.url("/a"))
    assert found.body == b"there"
    assert found.place.url == web.url("/c/d?x=%20y")


async def test_endless_redirects_end(web: LocalWeb, fetch: Any):
    web.redirect("/a", "/a")
    with pytest.raises(Unreachable, match="more than 3 times"):
        await fetch(web.url("/a"), redirects=3)
    assert len(web.requests) == 4


@pytest.mark.parametrize("to", ["http://[", "http://[::1", "http://a b/"])
async def test_a_redirect_to_no_address_is_told(web: LocalWeb, fetch: Any, to: str):
    web.on("/a", Page(raw=f"HTTP/1.1 302 Found\r\nLocation: {to}\r\n\r\n".encode("latin-1")))
    with pytest.raises((EgressRefused, Unreachable)):
        await fetch(web.url("/a"))


async def test_the_body_of_a_redirect_is_not_waited_for(web: LocalWeb, fetch: Any):
    web.on("/a", Page(status=302, headers={"location": "/b"}, chunks=[b"x", Hold(hold="never")]))
    web.text("/b", "there")
    assert (await fetch(web.url("/a"))).body == b"there"


def deflated(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [("gzip", gzip.compress), ("deflate", deflated), ("br", brotli.compress)],
)
async def test_bombs_are_cut_at_the_limit(web: LocalWeb, fetch: Any, encoding: str, pack: Any):
    headers = {"content-encoding": encoding}
    web.on("/small", Page(headers=headers, body=pack(b"words")))
    assert (await fetch(web.url("/small"))).body == b"words"
    web.on("/bomb", Page(headers=headers, body=pack(bytes(30_000_000))))
    found = await fetch(web.url("/bomb"))
    assert (len(found.body), found.cut) == (MOST, True)


async def test_a_body_without_end_is_cut_at_the_limit(web: LocalWeb, fetch: Any):
    web.on("/a", Page(chunks=[b"x" * 60_000, b"x" * 60_000, Hold(hold="never")]))
    found = await fetch(web.url("/a"))
    assert (len(found.body), found.cut) == (MOST, True)


async def test_a_packed_body_that_unpacks_to_nothing_is_bounded_too(web: LocalWeb, fetch: Any):
    empty = gzip.compress(b"") * 10_000
    web.on("/a", Page(headers={"content-encoding": "gzip"}, body=empty))
    found = await fetch(web.url("/a"), most=50_000)
    assert (found.body, found.cut) == (b"", True)


async def test_what_came_of_an_answer_that_broke_off_is_kept_as_cut(web: LocalWeb, fetch: Any):
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n"
    web.on("/a", Page(raw=head + b"the beginning"))
    found = await fetch(web.url("/a"))
    assert (found.body, found.cut) == (b"the beginning", True)


@pytest.mark.parametrize(
    ("page", "says"),
    [
        (Page(raw=b"SSH-2.0-OpenSSH_9.6\r\n\r\n"), "did not answer with HTTP"),
        (Page(raw=b""), "broke off"),
        (Page(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"), "broke off"),
        (Page(raw=b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000 + b"\r\n\r\n"), "HTTP"),
        (Page(headers={"content-encoding": "gzip"}, body=b"plain"), "not packed as it says"),
        (Page(headers={"content-encoding": "zstd"}, body=b"?"), "packed as 'zstd'"),
    ],
)
async def test_answers_that_are_none_are_told(web: LocalWeb, fetch: Any, page: Page, says: str):
    with pytest.raises(Unreachable, match=says):
        await fetch(web.on("/a", page))


async def test_a_port_where_nobody_listens_is_told(fetch: Any):
    async with LocalWeb() as gone:
        url = gone.url("/")
    with pytest.raises(Unreachable, match="cannot be reached"):
        await fetch(url)
