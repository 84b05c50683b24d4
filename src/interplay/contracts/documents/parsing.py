"""A document -> its text. Runs as a process of its own (`python -m`), one document after the
other: whatever a document does to its parser, it does it there."""

from __future__ import annotations

import os
import re
import struct
import sys
import time
from copy import deepcopy
from importlib import import_module
from typing import Any, BinaryIO

import msgspec

from interplay.contracts.documents.sniff import Form, decode

READY = b""
"""Sent when the parser of a document is loaded: its time counts from here."""
_LIBRARIES = {"html": "trafilatura", "pdf": "pypdfium2"}
_LENGTH = struct.Struct(">I")
_NOTHING = "The page holds no readable text; it may need a browser's scripts"
_LONG = 2_000_000
"""Characters of HTML above which its main part is not looked for: that takes too long."""
_SPACES = re.compile(r"[ \t\xa0]+")
_LINES = re.compile(r"\n\s*\n\s*")


class Job(msgspec.Struct, kw_only=True):
    """One document and its limits."""

    form: Form
    body: bytes = b""
    path: str = ""
    """Where a PDF lies that is not in `body`; it is read piece by piece."""
    charset: str | None = None
    cut: bool = False
    """The body is the beginning of a longer one."""
    seconds: float
    pages: int
    characters: int


class Parsed(msgspec.Struct, kw_only=True):
    """What was read."""

    title: str = ""
    texts: list[str] = []
    truncated: bool = False
    paywall: bool = False
    """The document itself says that it is not free to read."""
    failure: str = ""
    """Why there is nothing, in a sentence."""


def parse(job: Job) -> Parsed:
    """The text of a document."""
    if job.form == "pdf":
        return _pdf(job)
    text = decode(job.body, job.charset, cut=job.cut)
    return _html(text, job) if job.form == "html" else _cut(text, job)


def _cut(text: str, job: Job, title: str = "") -> Parsed:
    short = text[: job.characters]
    return Parsed(title=title, texts=[short], truncated=len(short) < len(text))


def _html(text: str, job: Job) -> Parsed:
    html: Any = import_module("lxml.html")
    parser = html.HTMLParser(encoding="utf-8")
    try:
        tree: Any = html.document_fromstring(text.encode("utf-8", "replace"), parser=parser)
    except html.etree.ParserError:  # nothing but comments
        return Parsed(failure=_NOTHING)
    title = _title(tree)
    if _says_not_free(tree):
        return Parsed(title=title, paywall=True)
    words = _main_part(tree) if len(text) <= _LONG else ""
    words = words or _every_word(tree)
    if not words.strip():
        return Parsed(title=title, failure=_NOTHING)
    return _cut(words, job, title)


def _main_part(tree: Any) -> str:
    """What is neither menu nor margin; "" where that cannot be told."""
    import trafilatura

    try:
        found: Any = trafilatura.bare_extraction(  # pyright: ignore[reportUnknownMemberType]
            deepcopy(tree),
            include_comments=False,
            include_tables=True,
            favor_recall=True,
            with_metadata=False,
        )
    except (MemoryError, RecursionError):
        return ""
    return (found.text if found is not None else "") or ""


def _title(tree: Any) -> str:
    for path in ("//meta[@property='og:title']/@content", "//title/text()", "//h1//text()"):
        for found in tree.xpath(path):
            if words := _SPACES.sub(" ", str(found).replace("\n", " ")).strip():
                return words[:300]
    return ""


def _every_word(tree: Any) -> str:
    """All text that a browser would show, for pages without a main part."""
    for node in tree.xpath("//script|//style|//noscript|//template|//head"):
        node.drop_tree()
    lines = (_SPACES.sub(" ", str(part)).strip() for part in tree.itertext())
    return _LINES.sub("\n\n", "\n".join(line for line in lines if line))


def _says_not_free(tree: Any) -> bool:
    """schema.org isAccessibleForFree, as JSON-LD or microdata."""
    for node in tree.xpath("//*[@itemprop='isAccessibleForFree']"):
        if (
            str(node.get("content") or node.get("href") or node.text or "")
            .lower()
            .endswith("false")
        ):
            return True
    for script in tree.xpath("//script[@type='application/ld+json']"):
        try:
            found: Any = msgspec.json.decode((script.text or "").strip())
        except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
            continue
        if _not_free(found):
            return True
    return False


def _not_free(found: Any) -> bool:
    waiting = [found]
    while waiting:
        one: Any = waiting.pop()
        if isinstance(one, list):
            waiting += one  # pyright: ignore[reportUnknownArgumentType]
        elif isinstance(one, dict):
            if str(one.get("isAccessibleForFree")).lower().endswith("false"):  # pyright: ignore
                return True
            waiting += one.values()  # pyright: ignore[reportUnknownArgumentType]
    return False


def _pdf(job: Job) -> Parsed:
    pypdfium2: Any = import_module("pypdfium2")
    until = time.monotonic() + job.seconds
    try:
        document: Any = pypdfium2.PdfDocument(job.path or job.body)
    except pypdfium2.PdfiumError as error:
        locked = "password" in str(error).lower()
        why = "The PDF is locked with a password" if locked else "The PDF cannot be opened"
        return Parsed(failure=why)
    title = str(document.get_metadata_value("Title") or "")[:300]
    count, texts, left = len(document), list[str](), job.characters
    for number in range(min(count, job.pages)):
        if left <= 0 or time.monotonic() > until:
            break
        text = _page_text(document, number, pypdfium2.PdfiumError)
        texts.append(text[:left])
        left -= len(text)
    if not any(text.strip() for text in texts):
        return Parsed(title=title, failure="The PDF has no text; its pages may be images")
    return Parsed(title=title, texts=texts, truncated=len(texts) < count or left < 0)


def _page_text(document: Any, number: int, error: type[Exception]) -> str:
    try:
        page = document[number]
    except error:
        return ""  # a page that is broken leaves its number to it
    try:
        words = page.get_textpage()
        text: str = words.get_text_bounded()
        words.close()
    except error:
        text = ""
    page.close()
    return text.replace("\r\n", "\n").strip()


def confine(memory: int) -> None:
    """Leaves this process little to do harm with."""
    if sys.platform == "win32":
        return
    import resource

    os.nice(5)

    for what, most in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
    ):
        resource.setrlimit(what, (most, most))


def serve(given: BinaryIO, answers: BinaryIO) -> None:
    """Parses what comes until nothing comes any more."""
    jobs = msgspec.msgpack.Decoder(Job)
    while head := given.read(_LENGTH.size):
        job = jobs.decode(given.read(*_LENGTH.unpack(head)))
        try:
            _load(job.form)
            _send(answers, READY)
            found = parse(job)
        except Exception as error:  # noqa: BLE001 - what a hostile document leads to is no fault
            found = Parsed(failure=f"The document cannot be parsed ({type(error).__name__})")
        _send(answers, msgspec.msgpack.encode(found))


def _load(form: Form) -> None:
    if form in _LIBRARIES:
        import_module(_LIBRARIES[form])


def _send(answers: BinaryIO, frame: bytes) -> None:
    answers.write(_LENGTH.pack(len(frame)) + frame)
    answers.flush()


def main() -> None:
    """Answers on standard output, which nothing else in this process may write to."""
    confine(int(sys.argv[1]))
    with os.fdopen(os.dup(1), "wb") as answers:
        os.dup2(2, 1)
        serve(sys.stdin.buffer, answers)


if __name__ == "__main__":
    main()
