"""The reader: an address in, a page or a reason out."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Callable
from typing import Any

import pytest

from interplay.contracts.egress import Guard
from interplay.contracts.failure import NotInstalled
from interplay.contracts.reader import Page as Read
from interplay.contracts.registry import load
from interplay.plugins.readers.http import reader as module
from interplay.plugins.readers.http.config import Config
from interplay.plugins.readers.http.reader import HttpReader
from interplay.testing.local_web import LocalWeb, Page
from interplay.testing.script import Hold
from tests.contracts.documents.test_parsing import ARTICLE
from tests.plugins.readers.http.conftest import pdf

PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)


def test_it_is_found_by_its_name():
    assert load("interplay.readers", "http") is HttpReader


def test_without_its_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "_NEEDED", ("brotli", "no_such_module"))
    nothing: Any = None
    with pytest.raises(NotInstalled, match=r"needs no_such_module.*interplay\[web\]"):
        HttpReader(Config(), nothing)


async def test_a_page_is_read(web: LocalWeb, reader: HttpReader):
    web.redirect("/a", "/b")
    web.text("/b", ARTICLE)
    page = await reader.read(web.url("/a#part"))
    assert (page.status, page.title, page.content_type) == (
        "success",
        "Rome, the city",
        "text/html",
    )
    assert (page.url, page.final_url) == (web.url("/a"), web.url("/b"))
    assert "capital of Italy" in page.text


async def test_texts_pdfs_and_images_are_told_by_their_bytes(web: LocalWeb, reader: HttpReader):
    wrong = {"content-type": "text/html"}
    text = await reader.read(web.text("/t", "# Head\n\nwords", "text/markdown"))
    assert (text.texts, text.content_type) == (["# Head\n\nwords"], "text/markdown")
    paged = await reader.read(web.on("/p", Page(headers=wrong, body=pdf("one", "two"))))
    assert (paged.texts, paged.content_type) == (["one", "two"], "application/pdf")
    image = await reader.read(web.on("/i", Page(headers=wrong, body=PNG)))
    assert (image.status, image.texts) == ("success", [])
    assert [(one.data, one.mime_type) for one in image.pictures] == [(PNG, "image/png")]


@pytest.mark.parametrize(
    ("page", "status", "says"),
    [
        (Page(status=402, body=b"pay"), "paywall", "402"),
        (Page(status=403, body=b"<p>Subscribe to continue reading"), "paywall", "403"),
        (Page(status=401, body=b'{"isAccessibleForFree": false}'), "paywall", "401"),
        (Page(status=403, body=b"<p>Just a moment..."), "error", "does not let this server"),
        (Page(status=404, body=ARTICLE.encode()), "error", "no such page"),
        (Page(status=429), "error", "too often"),
        (Page(status=503, headers={"retry-after": "9"}), "error", "too often"),
        (Page(status=500, body=ARTICLE.encode()), "error", "500"),
        (Page(status=304), "error", "304"),
        (Page(body=b""), "error", "nothing"),
        (Page(body=b"PK\x03\x04" + bytes(99)), "error", "application/zip cannot be read"),
        (Page(headers={"content-type": "video/mp4"}, body=bytes(99)), "error", "video/mp4"),
        (Page(body=b"<html><div id=app></div><script>x</script>"), "error", "no readable text"),
        (Page(body=b"%PDF-1.4 nonsense"), "error", "cannot be opened"),
    ],
)
async def test_what_cannot_be_read_says_why(
    web: LocalWeb, reader: HttpReader, page: Page, status: str, says: str
):
    found = await reader.read(web.on("/a", page))
    assert found.status == status
    assert says in found.reason
    assert (found.texts, found.pictures) == ([], [])


async def test_a_page_that_says_it_is_not_free_is_a_paywall(web: LocalWeb, reader: HttpReader):
    mark = '<meta itemprop="isAccessibleForFree" content="False"><h1>'
    page = await reader.read(web.text("/a", ARTICLE.replace("<h1>", mark)))
    assert (page.status, page.texts) == ("paywall", [])


async def test_addresses_inside_the_network_are_unsafe(web: LocalWeb, made: Any):
    reader = made(Guard())
    web.text("/", "secret")
    for url in (web.url("/"), "http://169.254.169.254/", "http://[::ffff:7f00:1]/", "file:///etc"):
        page = await reader.read(url)
        assert (page.status, page.texts, page.url) == ("unsafe", [], url)
        assert page.reason
    assert web.requests == []


async def test_a_redirect_inwards_is_unsafe(web: LocalWeb, reader: HttpReader):
    page = await reader.read(web.redirect("/a", "http://169.254.169.254/latest/meta-data/"))
    assert page.status == "unsafe"
    assert "link-local" in page.reason


async def test_what_raises_inside_python_raises_nothing_here(reader: HttpReader):
    for url in ("http://[", "\ud800", "http://a\ud800.example/", "http://x:99999/", "\0", " "):
        assert (await reader.read(url)).status in ("unsafe", "error")


async def test_a_host_that_sends_a_byte_now_and_then_is_left(web: LocalWeb, made: Any):
    web.on("/a", Page(chunks=[b"<p>a", Hold(hold="never")]))
    web.on("/b", Page(never=True))
    reader = made(seconds=0.2)
    for path in ("/a", "/b"):
        page = await reader.read(web.url(path))
        assert (page.status, page.reason) == ("error", "There was no whole answer within 0.2 s.")


async def test_a_bomb_is_cut_and_read_as_far_as_it_goes(web: LocalWeb, made: Any):
    bomb = gzip.compress(b"word " * 10_000_000)
    web.on("/a", Page(headers={"content-encoding": "gzip"}, body=bomb))
    page = await made(max_bytes=50_000).read(web.url("/a"))
    assert (page.status, len(page.text), page.truncated) == ("success", 50_000, True)


async def test_large_pdfs_and_images_are_refused_whole(web: LocalWeb, made: Any):
    reader = made(max_bytes=2_000, picture_bytes=50)
    web.on("/p", Page(body=pdf(*["words"] * 50)))
    web.on("/i", Page(body=PNG))
    assert "larger than 2000 bytes" in (await reader.read(web.url("/p"))).reason
    assert "larger than 50 bytes" in (await reader.read(web.url("/i"))).reason


async def test_a_pdf_of_3000_pages_is_cut(web: LocalWeb, reader: HttpReader):
    web.on("/a", Page(body=pdf(*["words"] * 3_000)))
    page = await reader.read(web.url("/a"))
    assert (page.status, len(page.texts), page.truncated) == ("success", 500, True)


async def test_robots_txt_is_obeyed_on_every_hop_and_asked_once(web: LocalWeb, made: Any):
    web.text("/robots.txt", "User-agent: Interplay\nDisallow: /no")
    web.text("/yes", "words", "text/plain")
    web.redirect("/turn", "/no/page")
    web.text("/no/page", "words")
    reader = made(robots=True)
    assert (await reader.read(web.url("/yes"))).status == "success"
    for path in ("/no/page", "/turn"):
        page = await reader.read(web.url(path))
        assert (page.status, page.texts) == ("error", [])
        assert "robots.txt" in page.reason
    assert [request.target for request in web.requests] == ["/robots.txt", "/yes", "/turn"]


async def test_robots_txt_that_leads_inwards_or_fails_allows_nothing(web: LocalWeb, made: Any):
    web.redirect("/robots.txt", "http://10.0.0.1/robots.txt")
    web.text("/a", "words")
    page = await made(robots=True).read(web.url("/a"))
    assert "robots.txt" in page.reason
    assert [request.target for request in web.requests] == ["/robots.txt"]


async def test_a_page_is_read_once_in_a_while(web: LocalWeb, made: Any):
    web.text("/a", "words", "text/plain")
    reader: HttpReader = made()
    first = await reader.read(web.url("/a"))
    first.texts.append("changed by its caller")
    assert (await reader.read(web.url("/a"))).texts == ["words"]
    assert len(web.requests) == 1
    never: HttpReader = made(cache_seconds=0)
    for _ in range(2):
        assert (await never.read(web.url("/a"))).texts == ["words"]
    assert len(web.requests) == 3


def test_the_cache_stays_within_its_bytes_and_time():
    cache = module._Cache(60, 10_000)
    for number in range(9):
        cache.put(Read(url=str(number), status="success", texts=["x" * 3_000]))
    kept = [number for number in range(9) if cache.get(str(number))]
    assert kept == [6, 7, 8]
    cache.put(Read(url="8", status="success", texts=["y"]))
    cache.put(Read(url="large", status="success", texts=["x" * 9_000]))
    assert [number for number in range(9) if cache.get(str(number))] == [6, 7, 8]
    assert cache._bytes < 10_000
    old = module._Cache(-1, 10_000)
    old.put(Read(url="a", status="success"))
    assert old.get("a") is None
    assert old._bytes == 0


async def test_many_pages_are_read_side_by_side(
    web: LocalWeb, made: Callable[..., HttpReader]
) -> None:
    for number in range(20):
        web.text(f"/{number}", f"words {number}", "text/plain")
    reader = made()
    async with asyncio.timeout(30):
        pages = await asyncio.gather(*(reader.read(web.url(f"/{n}")) for n in range(20)))
    assert [page.text for page in pages] == [f"words {number}" for number in range(20)]


async def test_no_more_documents_are_held_at_a_time_than_allowed(web: LocalWeb, made: Any):
    for path in ("/a", "/b"):
        web.on(path, Page(chunks=[b"wo", Hold(hold=path), b"rds"]))
    reader = made(documents=1)
    reads = [asyncio.create_task(reader.read(web.url(path))) for path in ("/a", "/b")]
    await web.gate("/a").reached()
    assert [request.target for request in web.requests] == ["/a"]
    web.gate("/a").open()
    web.gate("/b").open()
    async with asyncio.timeout(60):
        assert [(await read).text for read in reads] == ["words", "words"]
