"""A web on loopback and a reader that may reach it."""

from __future__ import annotations

import io
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack
from typing import Any

import pypdfium2
import pytest

from interplay.contracts.egress import Guard
from interplay.plugins.readers.http.config import Config
from interplay.plugins.readers.http.reader import HttpReader
from interplay.testing.local_web import LocalWeb


class Lends:
    """As much of a server as a reader needs."""

    def __init__(self, guard: Guard) -> None:
        self.guard = guard


@pytest.fixture
async def web() -> AsyncGenerator[LocalWeb]:
    async with LocalWeb() as web:
        yield web


@pytest.fixture
async def made(web: LocalWeb) -> AsyncGenerator[Callable[..., HttpReader]]:
    """`reader = made(seconds=1)`: loopback is allowed unless a guard is given."""
    async with AsyncExitStack() as stack:

        def make(guard: Guard | None = None, **fields: Any) -> HttpReader:
            given = {"host_gap": 0.0, "robots": False, **fields}
            lent: Any = Lends(guard or Guard(["127.0.0.0/8"]))
            reader = HttpReader(Config(**given), lent)
            stack.push_async_callback(reader.close)
            return reader

        yield make


@pytest.fixture
def reader(made: Callable[..., HttpReader]) -> HttpReader:
    return made()


def pdf(*texts: str) -> bytes:
    """A PDF with these words on its pages."""
    count = len(texts)
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Count %d /Kids [%b] >>"
        % (count, b" ".join(b"%d 0 R" % (4 + 2 * n) for n in range(count))),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for number, text in enumerate(texts):
        words = b"BT /F1 12 Tf 20 100 Td (%b) Tj ET" % text.encode("latin-1")
        objects += [
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 200] /Contents %d 0 R"
            b" /Resources << /Font << /F1 3 0 R >> >> >>" % (5 + 2 * number),
            b"<< /Length %d >>\nstream\n%b\nendstream" % (len(words), words),
        ]
    out, places = bytearray(b"%PDF-1.4\n"), list[int]()
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF" % (len(objects) + 1, start)
    return bytes(out)


def scan(pages: int) -> bytes:
    """A PDF whose pages hold no text."""
    document, written = pypdfium2.PdfDocument.new(), io.BytesIO()
    for _ in range(pages):
        document.new_page(200, 200)
    document.save(written)
    return written.getvalue()
