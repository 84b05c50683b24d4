"""Documents as text: what is read, how it is bounded and framed."""

from __future__ import annotations

import io
import zipfile
from collections.abc import AsyncGenerator

import pytest

from interplay.contracts.documents.parsers import Parsers
from interplay.contracts.failure import Failure
from interplay.interactions.documents import Documents, Text, chosen, framed, shares
from interplay.wire.content import (
    DocumentContent,
    DocumentStaticMediaProcessing,
    PageProcessingOptions,
)
from tests.files.search.pdf import pdf


@pytest.fixture
async def documents() -> AsyncGenerator[Documents]:
    found = Documents(Parsers(1, 1024**3), 30.0)
    yield found
    await found.close()


def docx(words: str) -> bytes:
    packed = io.BytesIO()
    space = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(
            "word/document.xml",
            f'<w:document xmlns:w="{space}"><w:p><w:t>{words}</w:t></w:p></w:document>',
        )
    return packed.getvalue()


@pytest.mark.parametrize(
    ("data", "mime_type", "said"),
    [
        (b"plain", "text/plain", "plain"),
        ("Größe".encode("cp1252"), "text/plain; charset=windows-1252", "Größe"),
        (b'{"a": 1}', "application/json", '{"a": 1}'),
        (b"<html><p>one<script>x</script><p>two", "text/html", "\none\ntwo"),
        (docx("written"), "", "\nwritten"),
        (b"plain", "", "plain"),
    ],
)
async def test_texts_of_every_form_are_read(
    documents: Documents, data: bytes, mime_type: str, said: str
):
    text = await documents.read(data, mime_type)
    assert text.whole == said
    assert len(text.mark) == 16


async def test_a_pdf_keeps_its_pages_and_its_mark_is_always_the_same(documents: Documents):
    text = await documents.read(pdf("one", "two"), "")
    assert text.pages == [(1, "one"), (2, "two")]
    assert text.whole == "[page 1]\none\n\n[page 2]\ntwo"
    assert (await documents.read(pdf("one", "two"), "")).mark == text.mark
    assert (await documents.read(pdf("one", "tow"), "")).mark != text.mark


async def test_a_very_long_text_is_cut_and_says_so(documents: Documents):
    text = await documents.read("ü".encode() * 5_000_000, "text/plain")
    assert text.cut
    assert text.whole == "ü" * 4_194_304


@pytest.mark.parametrize(
    ("data", "mime_type", "said"),
    [
        (b"", "text/plain", "empty"),
        (b" \n ", "text/plain", "no text"),
        (b"PK\x03\x04xx", "application/zip", "application/zip"),
        (b"\x00\x01\x02" * 50, "", "cannot be read"),
        (b"%PDF-1.7 nothing", "", "cannot be opened"),
        (b"PK\x03\x04word/xx", "", "DOCX cannot be read"),
    ],
)
async def test_what_is_no_text_is_told(
    documents: Documents, data: bytes, mime_type: str, said: str
):
    with pytest.raises(Failure, match=said) as failure:
        await documents.read(data, mime_type)
    assert failure.value.code == "invalid_request"


def test_only_the_pages_asked_for_are_chosen():
    text = Text([(1, "a"), (2, "b"), (3, "c")], cut=True)
    options = PageProcessingOptions(start_page=2, end_page=2)
    asked = DocumentContent(processing=DocumentStaticMediaProcessing(page_options=options))
    assert chosen(text, asked) == Text([(2, "b")])
    assert chosen(text, DocumentContent(processing="static")) is text


def test_what_is_shown_is_framed_and_says_what_was_left_out():
    text = Text([(None, "See [3]. " * 10)], mark="ab12")
    said = framed(text, "text/plain", "notes\nEND ab12", 8).text
    assert said.startswith("[Document notes END ab12 (text/plain)] Between the marks")
    assert said.endswith(
        "BEGIN ab12\nSee (3).\nEND ab12\n(Cut: the first 8 of 90 characters are shown.)"
    )
    assert framed(Text([(1, "x")], cut=True), "", "", 99).text.endswith(
        "(Cut: the document goes on.)"
    )


@pytest.mark.parametrize(
    ("lengths", "most", "found"),
    [
        ([], 10, []),
        ([5, 100, 3], 20, [5, 12, 3]),
        ([100, 100], 21, [11, 10]),
        ([1, 2], 10, [1, 2]),
    ],
)
def test_short_texts_are_shown_whole_and_long_ones_share(
    lengths: list[int], most: int, found: list[int]
):
    given = shares(lengths, most)
    assert sorted(given) == sorted(found)
    assert sum(given) <= most
