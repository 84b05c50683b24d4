"""Documents of each kind, cut into passages."""

from __future__ import annotations

import io
import zipfile

import pytest

from interplay.files.faults import Unusable
from interplay.files.search.passages import pages_of, passages_of
from interplay.files.search.rows import Chunking

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


def docx(inside: str, head: str = "") -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", f"{head}<w:document {_W}>{inside}</w:document>")
    return packed.getvalue()


def test_html_gives_its_text_alone() -> None:
    html = b"<html><style>a{}</style><p>One &amp; two</p><script>no()</script><p>three</p>"
    ((_, text),) = pages_of(html, "text/html; charset=utf-8")
    assert text.split() == ["One", "&", "two", "three"]


def test_a_docx_gives_its_paragraphs() -> None:
    made = docx("<w:p><w:r><w:t>One</w:t></w:r></w:p><w:p><w:r><w:t>two</w:t></w:r></w:p>")
    ((_, text),) = pages_of(made, DOCX)
    assert text.split("\n") == ["", "One", "two"]


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"\xff\xfe\x00", "text/plain"),
        (b"a\0b", "text/plain"),
        (b"PK\x03\x04 broken", DOCX),
        (docx("<w:p>", ""), DOCX),
        (docx("", '<!DOCTYPE x [<!ENTITY a "b">]>'), DOCX),
        (docx("<w:t>" + "0" * 70_000_000 + "</w:t>"), DOCX),
    ],
    ids=["bytes", "zero", "zip", "xml", "entities", "bomb"],
)
def test_what_cannot_be_read_is_refused(data: bytes, kind: str) -> None:
    with pytest.raises(Unusable):
        pages_of(data, kind)


def test_passages_overlap_and_lose_no_word() -> None:
    words = [f"w{number}" for number in range(95)]
    found = passages_of([(None, " ".join(words))], Chunking(20, 5))
    assert all(len(passage.text.split()) <= 20 for passage in found)
    assert list(dict.fromkeys(word for one in found for word in one.text.split())) == words
    assert found[1].text.split()[0] == "w15"
    assert found[-1].text.split()[-1] == "w94"


def test_no_passage_reaches_over_a_page_and_nothing_gives_none() -> None:
    found = passages_of([(1, "a b c"), (2, "  "), (3, "d")], Chunking(2, 0))
    assert [(one.page, one.text) for one in found] == [(1, "a b"), (1, "c"), (3, "d")]


def test_a_word_without_end_is_cut() -> None:
    found = passages_of([(None, "x" * 100_000)], Chunking(10, 0))
    assert max(len(one.text) for one in found) <= 800
