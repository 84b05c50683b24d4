"""A document's bytes as they lie in parts -> its pages; a PDF is read in a process of its own."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Sequence
from importlib.util import find_spec

from interplay.contracts.documents.parsers import Parsers
from interplay.contracts.documents.parsing import Job
from interplay.contracts.failure import NotInstalled
from interplay.files.faults import Unusable
from interplay.files.parts import Parts
from interplay.files.rows import Part
from interplay.files.search.passages import Page, pages_of

_CHARACTERS = 16 * 1024 * 1024
_MOST_PAGES = 1_000_000


class Pages:
    """Reads documents. A PDF lies in a file meanwhile and is never whole in memory."""

    def __init__(self, parts: Parts, parsers: Parsers, seconds: float) -> None:
        self._parts, self._parsers, self._seconds = parts, parsers, seconds

    async def read(self, source: Sequence[Part], mime_type: str) -> list[Page]:
        """The pages in their order. Raises Unusable, NotInstalled, BytesLost."""
        head = b"".join([data async for data in self._parts.read(source[:1])])
        if mime_type.partition(";")[0].strip().lower() == "application/pdf" or head[:5] == b"%PDF-":
            return await self._pdf(source)
        rest = [data async for data in self._parts.read(source[1:])]
        return await asyncio.to_thread(pages_of, b"".join([head, *rest]), mime_type)

    async def close(self) -> None:
        """Ends the processes."""
        await self._parsers.close()

    async def _pdf(self, source: Sequence[Part]) -> list[Page]:
        if find_spec("pypdfium2") is None:
            raise NotInstalled("PDF needs the extra search: pip install 'interplay[search]'")
        with tempfile.NamedTemporaryFile(prefix="interplay-", suffix=".pdf") as file:
            async for data in self._parts.read(source):
                await asyncio.to_thread(file.write, data)
            await asyncio.to_thread(file.flush)
            found = await self._parsers.parse(
                Job(
                    form="pdf",
                    path=file.name,
                    seconds=self._seconds,
                    pages=_MOST_PAGES,
                    characters=_CHARACTERS,
                )
            )
        if found.failure:
            raise Unusable(f"{found.failure}.")
        if found.truncated:
            raise Unusable(
                f"The PDF holds more than {_CHARACTERS} characters, or takes longer than"
                f" {self._seconds:g} s to be read (files.parse_seconds)."
            )
        return list(enumerate(found.texts, 1))
