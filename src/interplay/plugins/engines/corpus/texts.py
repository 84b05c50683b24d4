"""Files -> titles and words to search."""

from __future__ import annotations

import html
import re
from itertools import pairwise
from pathlib import PurePath
from typing import Any

import msgspec

from interplay.contracts.failure import NotInstalled


class Unreadable(Exception):
    """This file holds no words that can be read; the message says why."""


class Text(msgspec.Struct):
    """What a file says."""

    title: str
    body: str


PLAIN = frozenset({".txt", ".text"})
MARKDOWN = frozenset({".md", ".markdown"})
HTML = frozenset({".html", ".htm", ".xhtml"})
RST = frozenset({".rst"})
PDF = frozenset({".pdf"})
KNOWN = PLAIN | MARKDOWN | HTML | RST | PDF

_LONGEST_TITLE = 200
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9:-]*)[^<>]*>|<[!?][^<>]*>")
_UNSEEN = frozenset({"script", "style", "noscript", "template", "svg", "nav", "head"})
_HEADING = re.compile(r"(?m)^#{1,2}[ \t]+([^\n]+)$")
_FRONT_TITLE = re.compile(r"(?m)^title:[ \t]*(\S[^\n]*)$")
_UNDERLINE = re.compile(r"([=\-~^*#\"'`+.:_])\1{2,}[ \t]*$")
_LINK = re.compile(r"!?\[([^\[\]\n]*)\]\([^()\n]*\)")


def text_of(path: PurePath, data: bytes) -> Text:
    """What a file of one of the KNOWN kinds says. Raises Unreadable, NotInstalled."""
    kind = path.suffix.lower()
    if kind in PDF:
        found = _pdf(data)
    else:
        if b"\0" in data[:4_096]:
            raise Unreadable("it is no text")
        raw = data.decode("utf-8-sig", "replace")
        if kind in HTML:
            found = _html(raw)
        elif kind in MARKDOWN:
            found = _markdown(raw)
        elif kind in RST:
            found = _rst(raw)
        else:
            found = Text("", raw)
    title = " ".join(found.title.split())[:_LONGEST_TITLE]
    return Text(title or path.stem.replace("_", " ").replace("-", " "), found.body)


def _html(raw: str) -> Text:
    """In one pass, whatever the markup is like: what is never closed costs no more than its
    length."""
    raw = _without_comments(raw)
    parts: list[str] = []
    title: list[str] = []
    at, unseen, in_title = 0, "", False
    for tag in _TAG.finditer(raw):
        between = raw[at : tag.start()]
        at = tag.end()
        if in_title:
            title.append(between)
        elif not unseen:
            parts.append(between)
        closing, name = bool(tag[1]), (tag[2] or "").lower()
        if name == "title":
            in_title = not closing and not title
        elif name in _UNSEEN:
            if closing and name == unseen:
                unseen = ""
            elif not closing and not unseen and not tag[0].endswith("/>"):
                unseen = name
        elif name == "body":
            unseen = ""
    if not unseen and not in_title:
        parts.append(raw[at:])
    return Text(html.unescape("".join(title)), html.unescape(" ".join(parts)))


def _without_comments(raw: str) -> str:
    parts: list[str] = []
    at = 0
    while (start := raw.find("<!--", at)) >= 0:
        parts.append(raw[at:start])
        end = raw.find("-->", start)
        if end < 0:
            return "".join(parts)
        at = end + 3
    return "".join([*parts, raw[at:]])


def _markdown(raw: str) -> Text:
    title = ""
    if raw.startswith("---\n") and (end := raw.find("\n---", 4)) > 0:
        front, raw = raw[4:end], raw[end + 4 :]
        found = _FRONT_TITLE.search(front)
        title = found[1].strip().strip("\"'") if found else ""
    if not title:
        found = _HEADING.search(raw)
        title = found[1].strip(" #\t") if found else ""
    return Text(title, _LINK.sub(r"\1", raw))


def _rst(raw: str) -> Text:
    lines = raw.splitlines()
    for above, below in pairwise(lines[:201]):
        if above.strip() and _UNDERLINE.match(below) and not _UNDERLINE.match(above):
            return Text(above.strip(), raw)
    return Text("", raw)


def _pdf(data: bytes) -> Text:
    try:
        import pypdfium2  # pyright: ignore[reportMissingTypeStubs]
    except ImportError as error:
        raise NotInstalled("Reading PDF needs pypdfium2: pip install 'interplay[web]'") from error
    pdfium: Any = pypdfium2
    try:
        document = pdfium.PdfDocument(data)
        try:
            title: str = document.get_metadata_value("Title")
            pages: list[str] = []
            for page in document:
                text_page = page.get_textpage()
                pages.append(text_page.get_text_bounded())
                text_page.close()
                page.close()
        finally:
            document.close()
    except pdfium.PdfiumError as error:
        raise Unreadable("it is no PDF that can be read") from error
    return Text(title, "\n".join(pages))
