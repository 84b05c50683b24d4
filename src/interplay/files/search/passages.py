"""A document's bytes -> its pages -> passages of some words each."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from html.parser import HTMLParser
from xml.etree.ElementTree import ParseError, fromstring

import msgspec

from interplay.files.faults import Unusable
from interplay.files.search.rows import Chunking

Page = tuple[int | None, str]
"""Its number from 1, None where there are no pages, and its text."""

_TEXT_LIMIT = 64 * 1024 * 1024
_WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"


class Passage(msgspec.Struct):
    """A stretch of a document; `page` is where it begins."""

    text: str
    page: int | None = None


def pages_of(data: bytes, mime_type: str) -> list[Page]:
    """The text of a document that is no PDF. Raises Unusable."""
    kind = mime_type.split(";")[0].strip().lower()
    if kind.endswith("wordprocessingml.document"):
        return [(None, _docx(data))]
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Unusable(
            f"A document of the kind {mime_type[:80]} that is no text in UTF-8 cannot be indexed;"
            " PDF, DOCX, HTML, Markdown and plain text can."
        ) from None
    if "\0" in text:
        raise Unusable("The document holds zero bytes: it is no text.")
    if kind in ("text/html", "application/xhtml+xml"):
        reader = _Html()
        reader.feed(text)
        reader.close()
        text = "".join(reader.found)
    return [(None, text)]


def _docx(data: bytes) -> str:
    try:
        with (
            zipfile.ZipFile(io.BytesIO(data)) as archive,
            archive.open("word/document.xml") as part,
        ):
            xml = part.read(_TEXT_LIMIT + 1)
    except (zipfile.BadZipFile, KeyError, RuntimeError, NotImplementedError, EOFError) as error:
        raise Unusable(f"The DOCX cannot be read: {error}") from error
    if len(xml) > _TEXT_LIMIT:
        raise Unusable(f"The DOCX unpacks to more than {_TEXT_LIMIT} bytes.")
    if b"<!DOCTYPE" in xml or b"<!ENTITY" in xml:
        raise Unusable("The DOCX declares entities, which no word processor does.")
    try:
        whole = fromstring(xml)
    except ParseError as error:
        raise Unusable(f"The DOCX cannot be read: {error}") from error
    words: list[str] = []
    for element in whole.iter():
        if element.tag == f"{_WORD}t":
            words.append(element.text or "")
        elif element.tag in (f"{_WORD}p", f"{_WORD}br"):
            words.append("\n")
        elif element.tag == f"{_WORD}tab":
            words.append("\t")
    return "".join(words)


class _Html(HTMLParser):
    _BLOCKS = frozenset(
        (
            *("p", "div", "br", "li", "tr", "h1", "h2", "h3", "h4", "h5", "h6"),
            *("section", "article", "pre", "table", "dt", "dd"),
        )
    )
    _SILENT = frozenset(("script", "style", "template", "noscript"))

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A block begins on a line of its own; what is no text is passed over."""
        self._silent += tag in self._SILENT
        if tag in self._BLOCKS:
            self.found.append("\n")

    def handle_endtag(self, tag: str) -> None:
        """See handle_starttag."""
        if tag in self._SILENT and self._silent:
            self._silent -= 1

    def handle_data(self, data: str) -> None:
        """Text."""
        if not self._silent:
            self.found.append(data)


def passages_of(pages: list[Page], chunking: Chunking) -> list[Passage]:
    """Cuts pages into passages; none reaches over the end of a page, so each has one number."""
    found: list[Passage] = []
    for number, text in pages:
        found += [Passage(piece, number) for piece in _pieces(text, chunking)]
    return found


def _pieces(text: str, chunking: Chunking) -> Iterator[str]:
    words = [match.span() for match in re.finditer(r"\S{1,80}", text)]
    step = max(1, chunking.size - chunking.overlap)
    for start in range(0, len(words), step):
        last = min(start + chunking.size, len(words))
        yield text[words[start][0] : words[last - 1][1]]
        if last == len(words):
            return
