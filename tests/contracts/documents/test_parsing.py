"""Documents become text, hostile ones as well."""

from __future__ import annotations

import io
import json
import re
import struct
from typing import Any

import msgspec
import pytest

from interplay.contracts.documents.parsing import READY, Job, Parsed, parse, serve
from tests.plugins.readers.http.conftest import pdf, scan

ARTICLE = """<!doctype html><html><head><title> Rome,
 the city </title><script>var hidden = "no words"</script></head><body>
<nav><a href="/">Home</a><a href="/x">Contact us</a></nav>
<article><h1>Rome</h1><p>Rome is the capital of Italy, and it was not built in a day, as everybody
knows who has ever been there for more than an afternoon.</p><p>The river Tiber flows through the
city from the north to the south, under bridges that are two thousand years old.</p>
<table><tr><th>Year</th><th>People</th></tr><tr><td>2024</td><td>2.7 million</td></tr></table>
</article><footer>Imprint</footer></body></html>"""


def read(body: str | bytes, form: Any = "html", **fields: Any) -> Parsed:
    data = body.encode() if isinstance(body, str) else body
    limits: dict[str, Any] = {"seconds": 20.0, "pages": 500, "characters": 100_000, **fields}
    return parse(Job(form=form, body=data, charset=fields.pop("charset", None), **limits))


def test_the_main_part_of_a_page_is_read_with_its_title_and_tables():
    found = read(ARTICLE)
    assert found.title == "Rome, the city"
    text = found.texts[0]
    assert "capital of Italy" in text
    assert "2.7 million" in text
    assert "hidden" not in text
    assert "Contact us" not in text
    assert found == Parsed(title=found.title, texts=found.texts)


def test_a_page_without_a_main_part_gives_every_word():
    page = "<p>short</p><style>p {}</style><script>x()</script>"
    assert read(page).texts == ["short"]


def test_a_page_too_long_to_look_for_its_main_part_is_read_whole():
    body = "<p>First.</p>" + "<p>word word</p>" * 140_000
    found = read(body, characters=1_000)
    assert found.texts[0].startswith("First.")
    assert (len(found.texts[0]), found.truncated) == (1_000, True)


@pytest.mark.parametrize(
    "page",
    [
        "<html></html>",
        "<!-- nothing -->",
        "<script>render()</script>",
        "<html><head><title>App</title></head><body><div id=app></div></body></html>",
        "<div>" * 300_000,
        "<a" * 300_000,
    ],
)
def test_a_page_without_words_is_told(page: str):
    found = read(page)
    assert "no readable text" in found.failure
    assert found.texts == []


def test_broken_markup_is_read_as_far_as_it_goes():
    page = "<?xml version='1.0' encoding='latin-1'?><html><body \x01><p>Größe &#0;&#xD800; 5<b>"
    assert "Größe" in read(page).texts[0]


def ld(value: Any) -> str:
    script = f'<script type="application/ld+json">{json.dumps(value)}</script>'
    return ARTICLE.replace("<script>", script + "<script>", 1)


@pytest.mark.parametrize(
    "page",
    [
        ld({"@type": "NewsArticle", "isAccessibleForFree": False}),
        ld([{"@graph": [{"isAccessibleForFree": "False"}]}]),
        ld({"hasPart": {"isAccessibleForFree": "http://schema.org/False", "cssSelector": ".p"}}),
        ARTICLE.replace("<h1>", '<meta itemprop="isAccessibleForFree" content="False"><h1>'),
    ],
)
def test_a_page_that_says_it_is_not_free_is_a_paywall(page: str):
    found = read(page)
    assert found.paywall
    assert found.texts == []


@pytest.mark.parametrize(
    "page",
    [
        ld({"isAccessibleForFree": True}),
        ld({"isAccessibleForFree": None}),
        ARTICLE.replace(
            "<script>", '<script type="application/ld+json">{not json</script><script>'
        ),
        ARTICLE.replace(
            "<script>", '<script type="application/ld+json">' + "[" * 9_999 + "</script><script>"
        ),
    ],
)
def test_a_page_that_does_not_say_so_is_free(page: str):
    assert "capital of Italy" in read(page).texts[0]


def test_a_text_is_left_as_it_is_and_cut_at_its_limit():
    found = read("# Title\n\n* a  b\n", "text")
    assert found == Parsed(texts=["# Title\n\n* a  b\n"])
    assert read("abcdef", "text", characters=3) == Parsed(texts=["abc"], truncated=True)


def test_a_pdf_gives_the_text_of_each_page():
    found = read(pdf("First page", "", "Third page"), "pdf")
    assert found.texts == ["First page", "", "Third page"]
    assert not found.truncated


def test_a_pdf_is_cut_at_its_pages_characters_and_time():
    body = pdf(*["ten chars."] * 3_000)
    for limit in ({"pages": 7}, {"characters": 65}, {"seconds": 0.05}):
        found = read(body, "pdf", **limit)
        assert 0 < len(found.texts) < 3_000
        assert found.truncated
        assert not found.failure
    assert len(read(body, "pdf", pages=7).texts) == 7
    assert sum(len(text) for text in read(body, "pdf", characters=65).texts) == 65


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (scan(3), "has no text"),
        (b"%PDF-1.7 nonsense", "cannot be opened"),
        (pdf("words")[:300], "has no text|cannot be opened"),
    ],
)
def test_a_pdf_that_cannot_be_read_is_told(body: bytes, says: str):
    assert re.search(says, read(body, "pdf").failure)


def frames(raw: bytes) -> list[bytes]:
    found: list[bytes] = []
    while raw:
        (length,) = struct.unpack(">I", raw[:4])
        found.append(raw[4 : 4 + length])
        raw = raw[4 + length :]
    return found


def test_one_document_follows_the_other_and_a_fault_of_one_ends_none():
    jobs = [
        Job(form="text", body=b"a", charset=None, seconds=1, pages=1, characters=9),
        Job(form="text", body=b"b", charset="no-such", seconds=1, pages=1, characters=9),
        Job(form="text", body=b"\xff", charset="no-such", seconds=1, pages=1, characters=9),
        Job(form="text", body=b"c", charset=None, seconds=1, pages=1, characters=9),
    ]
    sent = b"".join(struct.pack(">I", len(raw)) + raw for raw in map(msgspec.msgpack.encode, jobs))
    answers = io.BytesIO()
    serve(io.BytesIO(sent), answers)
    got = frames(answers.getvalue())
    assert got[::2] == [READY] * 4
    parsed = [msgspec.msgpack.decode(raw, type=Parsed) for raw in got[1::2]]
    assert [one.texts for one in parsed] == [["a"], ["b"], [], ["c"]]
    assert "LookupError" in parsed[2].failure
