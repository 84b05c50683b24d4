"""The corpus engine: a folder of documents, searched by their words."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import ClassVar, TypeVar
from urllib.parse import quote

import msgspec

from interplay.contracts.engine import Hit, Query
from interplay.contracts.failure import Unavailable
from interplay.contracts.surroundings import Surroundings
from interplay.plugins.engines.corpus.index import Index, Looked

log = logging.getLogger("interplay.engines.corpus")
_T = TypeVar("_T")


class CorpusConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The fields of its table in settings."""

    folder: str
    """Where the documents lie: txt, md, html, rst, and pdf where pypdfium2 is installed. Hidden
    files and links are left out."""
    base_url: str = ""
    """Where the same files can be read on the web; empty: their address is `corpus:path`."""
    look_again_seconds: float = 30.0
    """A search that comes so long after the last look at the folder looks again first."""
    file_bytes: int = 16 * 1024 * 1024
    """Larger files are left out."""
    files: int = 100_000
    """How many are read at most."""


class Corpus:
    """Finds documents of one folder. The index lies among what can be made again."""

    Config: ClassVar[type[msgspec.Struct]] = CorpusConfig
    kinds = frozenset({"web"})

    def __init__(self, config: CorpusConfig, surroundings: Surroundings) -> None:
        folder = Path(config.folder).expanduser().absolute()
        name = hashlib.blake2b(str(folder).encode(), digest_size=8).hexdigest()
        self._config = config
        self._index = Index(
            folder,
            surroundings.cache("corpus") / f"{name}.sqlite",
            file_bytes=config.file_bytes,
            most=config.files,
        )
        # SQLite works beside the event loop, one thing at a time.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="corpus")
        self._looking: asyncio.Task[None] | None = None
        self._looked_at: float | None = None
        self._closed = False

    async def search(self, query: Query) -> list[Hit]:
        """The best pages by BM25; the language of a query means nothing here."""
        await self._look()
        found = await self._beside(lambda: self._index.search(query.text, query.count))
        base = self._config.base_url
        return [
            Hit(
                title=page.title,
                url=f"{base.rstrip('/')}/{quote(page.path)}"
                if base
                else f"corpus:{quote(page.path)}",
                snippet=" ".join(page.snippet.split()),
            )
            for page in found
        ]

    async def close(self) -> None:
        """Waits for a look under way, and lets go of the index."""
        if self._closed:
            return
        self._closed = True
        if self._looking is not None:
            await asyncio.gather(self._looking, return_exceptions=True)
        await asyncio.get_running_loop().run_in_executor(self._thread, self._index.close)
        self._thread.shutdown()

    async def _look(self) -> None:
        now = asyncio.get_running_loop().time()
        if self._looked_at is not None and now - self._looked_at < self._config.look_again_seconds:
            return
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look_once(now))
        # Who asked may go away; the others still wait for this look.
        await asyncio.shield(self._looking)

    async def _look_once(self, now: float) -> None:
        looked = await self._beside(self._index.look)
        self._looked_at = now
        if looked != Looked():
            log.info("corpus: %s", looked)

    async def _beside(self, make: Callable[[], _T]) -> _T:
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._thread, self._tried, make)
        except OSError as error:
            word = error.strerror or type(error).__name__
            raise Unavailable(f"The folder of the corpus cannot be read ({word}).") from error
        except sqlite3.Error as error:
            raise Unavailable(f"The index of the corpus cannot be used ({error}).") from error

    def _tried(self, make: Callable[[], _T]) -> _T:
        """Once more with a new index when the old one is broken: it can be made again."""
        try:
            return make()
        except sqlite3.OperationalError:
            raise  # locked, or no space: that is no broken file
        except sqlite3.DatabaseError as error:
            log.warning("the index of the corpus is made anew: %s", error)
            self._index.forget()
            self._index.look()
            return make()
