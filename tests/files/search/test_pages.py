"""Documents as they lie in parts become pages; a PDF is read elsewhere, and harms nobody."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from interplay.contracts.documents.parsers import Parsers
from interplay.contracts.failure import NotInstalled
from interplay.contracts.records import Records
from interplay.files.faults import Unusable
from interplay.files.parts import Parts
from interplay.files.rows import Part, Rows
from interplay.files.search import pages as module
from interplay.files.search.pages import Pages
from interplay.plugins.blobs.files import FileBlobs
from tests.files.search.pdf import bomb, pdf

PDF = "application/pdf"


@pytest.fixture
def parts(tmp_path: Path) -> Parts:
    records: Records = None  # type: ignore[assignment] # no row is read here
    return Parts(FileBlobs(tmp_path / "files"), Rows(records, lambda: 0.0))


@pytest.fixture
async def made(parts: Parts) -> AsyncGenerator[Callable[..., Pages]]:
    async with AsyncExitStack() as stack:

        def make(memory: int = 1 << 30, seconds: float = 120.0) -> Pages:
            pages = Pages(parts, Parsers(1, memory), seconds)
            stack.push_async_callback(pages.close)
            return pages

        yield make


async def laid(parts: Parts, data: bytes, stretch: int = 1 << 16) -> list[Part]:
    return [await parts.put(data[at : at + stretch]) for at in range(0, len(data), stretch)]


async def test_a_pdf_in_several_parts_has_its_pages(made: Any, parts: Parts) -> None:
    source = await laid(parts, pdf("first page", "second page"), stretch=100)
    assert await made().read(source, PDF) == [(1, "first page"), (2, "second page")]
    assert await made().read(source, "text/plain") == [(1, "first page"), (2, "second page")]


async def test_a_text_in_several_parts_is_put_together(made: Any, parts: Parts) -> None:
    source = await laid(parts, "eins, zwölf".encode(), stretch=8)
    assert await made().read(source, "text/plain") == [(None, "eins, zwölf")]


async def test_a_pdf_of_three_thousand_pages_is_read_and_never_whole_in_memory(
    made: Any, parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = pdf(*(f"page {n}" for n in range(3_000)))
    source = await laid(parts, whole)
    sent: list[int] = []
    parse = Parsers.parse

    async def watched(self: Parsers, job: Any) -> Any:
        sent.append(len(job.body))
        assert os.stat(job.path).st_size == len(whole)
        return await parse(self, job)

    monkeypatch.setattr(Parsers, "parse", watched)
    found = await made(memory=400 * 1024 * 1024).read(source, PDF)
    assert (len(found), found[-1]) == (3_000, (3_000, "page 2999"))
    assert sent == [0]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"%PDF-1.7 broken", "cannot be opened"),
        (pdf("x").replace(b"/Kids [4 0 R]", b"/Kids [2 0 R]"), "no text"),
        (bomb(), "The (PDF|document)"),
        (pdf("(" * 200_000), "The "),
    ],
    ids=["broken", "its own page", "a bomb", "open strings"],
)
async def test_a_hostile_pdf_is_refused_and_the_next_one_read(
    made: Any, parts: Parts, data: bytes, says: str
) -> None:
    pages = made(memory=256 * 1024 * 1024, seconds=20.0)
    with pytest.raises(Unusable, match=says):
        await pages.read(await laid(parts, data), PDF)
    assert await pages.read(await laid(parts, pdf("fine")), PDF) == [(1, "fine")]


async def test_a_pdf_that_ends_its_process_is_refused(
    made: Any, parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages = made()
    await pages.read(await laid(parts, pdf("fine")), PDF)
    (parser,) = pages._parsers._idle
    os.kill(parser._process.pid, signal.SIGKILL)
    with pytest.raises(Unusable, match="broke its parser"):
        await pages.read(await laid(parts, pdf("fine")), PDF)
    assert await pages.read(await laid(parts, pdf("fine")), PDF) == [(1, "fine")]


async def test_what_takes_too_long_or_holds_too_much_is_refused_not_cut(
    made: Any, parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_CHARACTERS", 10)
    with pytest.raises(Unusable, match="more than 10 characters"):
        await made().read(await laid(parts, pdf("123456789", "123456789")), PDF)


async def test_without_the_extra_it_says_what_to_install(
    made: Any, parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pypdfium2", None)
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    with pytest.raises(NotInstalled, match=r"interplay\[search\]"):
        await made().read(await laid(parts, pdf("x")), PDF)
