"""What files say: titles, words, and files that are not what their name says."""

from __future__ import annotations

import sys
from pathlib import PurePath

import pypdfium2 as pdfium
import pytest

from interplay.contracts.failure import NotInstalled
from interplay.plugins.engines.corpus.texts import Text, Unreadable, text_of


def read(name: str, text: str) -> Text:
    return text_of(PurePath(name), text.encode())


def test_a_page_of_html_is_its_title_and_its_words() -> None:
    found = read(
        "a.html",
        "<!doctype html><html><head><title>On &amp; off\n x</title><style>p{}</style></head>"
        "<body><nav>menu</nav><!-- not <b>this</b> --><h1>Head</h1><p>One<br>two &euro;</p>"
        "<script>if (a<b) alert('no')</script><p>three</body></html>",
    )
    assert found.title == "On & off x"
    assert found.body.split() == ["Head", "One", "two", "€", "three"]


@pytest.mark.parametrize(
    "raw", ["<script " * 50_000, "<!--" * 50_000, "<" * 200_000, "<p>" * 50_000 + "<style>x"]
)
def test_broken_markup_takes_no_longer_than_its_length(raw: str) -> None:
    assert isinstance(read("a.html", raw).body, str)


def test_markdown_has_its_first_heading_or_its_front_matter_as_title() -> None:
    found = read("a.md", "intro\n\n# The *head* #\n\nSee [here](https://a/b) and ![pic](c.png).\n")
    assert found.title == "The *head*"
    assert "See here and pic." in found.body
    found = read("a.md", '---\ntitle: "From front"\ntags: [x]\n---\n# Other\n\nwords\n')
    assert found.title == "From front"
    assert "tags" not in found.body


def test_rst_has_its_first_underlined_line_as_title() -> None:
    assert read("a.rst", "====\nMain\n====\n\ntext\n").title == "Main"
    assert read("a.rst", "no head\nat all\n").title == "a"


def test_plain_text_is_named_by_its_file() -> None:
    assert read("two_words-more.txt", "x y").title == "two words more"


def test_bytes_under_a_text_name_are_unreadable() -> None:
    with pytest.raises(Unreadable):
        text_of(PurePath("a.txt"), b"ab\0cd")


def test_letters_that_are_no_utf8_are_replaced() -> None:
    assert text_of(PurePath("a.txt"), b"caf\xe9 x").body == "caf� x"


def test_a_pdf_is_its_text() -> None:
    found = text_of(PurePath("a.pdf"), PDF)
    assert "Hello corpus" in found.body
    assert found.title == "a"


def test_a_broken_pdf_is_unreadable() -> None:
    with pytest.raises(Unreadable):
        text_of(PurePath("a.pdf"), b"%PDF-1.4 no more")


def test_pdf_without_its_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    assert pdfium is not None
    monkeypatch.setitem(sys.modules, "pypdfium2", None)
    with pytest.raises(NotInstalled, match=r"interplay\[web\]"):
        text_of(PurePath("a.pdf"), PDF)


PDF = b"""%PDF-1.4
1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj
2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj
3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 200]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>endobj
4 0 obj<</Length 48>>stream
BT /F 12 Tf 20 100 Td (Hello corpus pages) Tj ET
endstream endobj
5 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>endobj
trailer<</Root 1 0 R>>
"""  # noqa: E501
