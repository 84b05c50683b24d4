"""The reader of pages: address in, readable page out, whatever is at the address."""

from __future__ import annotations

import asyncio
import re
import time
from collections import OrderedDict
from importlib.util import find_spec
from typing import Literal

import msgspec

from interplay.contracts.documents.parsers import Parsers
from interplay.contracts.documents.parsing import Job
from interplay.contracts.documents.sniff import Sniffed, sniff
from interplay.contracts.egress import EgressRefused, Place, Unresolvable
from interplay.contracts.failure import NotInstalled
from interplay.contracts.reader import Page, Picture
from interplay.contracts.surroundings import Surroundings
from interplay.plugins.readers.http.config import Config
from interplay.plugins.readers.http.fetching import Fetched, Fetcher, Unreachable
from interplay.plugins.readers.http.robots import MOST_BYTES, Robots

_NEEDED = ("trafilatura", "pypdfium2", "brotli")
_PAYS = re.compile(
    rb"isAccessibleForFree|paywall|subscribe (?:now )?to (?:continue|read|unlock)|"
    rb"subscribers? only|for subscribers|already a subscriber|(?:log|sign) in to (?:continue|read)",
    re.IGNORECASE,
)


class HttpReader:
    """http and https through the guard. Raises NotInstalled when it is built without the extra
    `web`."""

    Config = Config

    def __init__(self, config: Config, surroundings: Surroundings) -> None:
        missing = [name for name in _NEEDED if find_spec(name) is None]
        if missing:
            raise NotInstalled(
                f"Reading web pages needs {' and '.join(missing)}:"
                " install it with pip install 'interplay[web]'."
            )
        self._config, self._guard = config, surroundings.guard
        self._fetcher = Fetcher(config, self._guard)
        self._robots = Robots(config.user_agent.partition("/")[0], self._ask)
        self._places = asyncio.Semaphore(config.documents)
        self._parsers = Parsers(config.parsers, config.parse_memory)
        self._cache = _Cache(config.cache_seconds, config.cache_bytes)

    async def read(self, url: str) -> Page:
        """The page, or one that says why there is none."""
        url = url.encode("utf-8", "replace").decode().partition("#")[0]
        known = self._cache.get(url)
        if known is not None:
            return known
        async with self._places:
            page = await self._read(url)
        if page.status == "success":
            self._cache.put(page)
        return page

    async def _read(self, url: str) -> Page:
        try:
            async with asyncio.timeout(self._config.seconds):
                found = await self._fetcher.get(url, self._config.max_bytes, self._permit)
        except EgressRefused as error:
            return Page(url=url, status="unsafe", reason=f"{error}.")
        except (Unreachable, Unresolvable) as error:
            return Page(url=url, status="error", reason=f"{error}.")
        except TimeoutError:
            within = f"There was no whole answer within {self._config.seconds:g} s."
            return Page(url=url, status="error", reason=within)
        return await self._page(url, found)

    async def close(self) -> None:
        """Lets go of connections and processes."""
        await self._fetcher.close()
        await self._parsers.close()

    async def _permit(self, place: Place) -> None:
        if self._config.robots and not await self._robots.allow(place):
            raise Unreachable(f"The robots.txt of '{place.host[:80]}' does not allow this address")

    async def _ask(self, url: str) -> tuple[int, bytes]:
        try:
            found = await self._fetcher.get(url, MOST_BYTES)
        except (EgressRefused, Unreachable, Unresolvable):
            return 503, b""
        return found.status, found.body

    async def _page(self, url: str, found: Fetched) -> Page:
        what = sniff(found.body, found.content_type)
        page = Page(url=url, status="error", final_url=found.place.url, content_type=what.mime_type)
        if not 200 <= found.status < 300:
            page.status, page.reason = _denied(found)
        elif what.form == "empty":
            page.reason = "The address answered with nothing."
        elif what.form == "other":
            page.reason = f"A document of type {what.mime_type} cannot be read."
        elif found.cut and what.form in ("pdf", "image"):
            page.reason = f"The document is larger than {self._config.max_bytes} bytes, or cut off."
        elif what.form == "image":
            self._picture(page, found)
        else:
            await self._parsed(page, found, what)
        return page

    def _picture(self, page: Page, found: Fetched) -> None:
        if len(found.body) > self._config.picture_bytes:
            page.reason = f"The image is larger than {self._config.picture_bytes} bytes."
            return
        page.status = "success"
        page.pictures = [Picture(data=found.body, mime_type=page.content_type)]

    async def _parsed(self, page: Page, found: Fetched, what: Sniffed) -> None:
        config = self._config
        parsed = await self._parsers.parse(
            Job(
                form=what.form,
                body=found.body,
                charset=what.charset,
                cut=found.cut,
                seconds=config.parse_seconds,
                pages=config.pages,
                characters=config.characters,
            )
        )
        page.title, page.texts = parsed.title, parsed.texts
        page.truncated = parsed.truncated or found.cut
        if parsed.paywall:
            page.status, page.reason = "paywall", "The page says that it is not free to read."
        elif parsed.failure:
            page.reason = f"{parsed.failure}."
        else:
            page.status = "success"


def _denied(found: Fetched) -> tuple[Literal["error", "paywall"], str]:
    """What an answer that is no page means."""
    status = found.status
    if status == 402 or (status in (401, 403) and _PAYS.search(found.body)):
        return "paywall", f"The page is for those who pay (HTTP status {status})."
    if status in (401, 403, 407):
        return "error", f"The host does not let this server read the page (HTTP status {status})."
    if status in (404, 410):
        return "error", f"There is no such page (HTTP status {status})."
    if status == 429 or (status == 503 and found.retry_after):
        return "error", f"The host is asked too often just now (HTTP status {status})."
    return "error", f"The host answered with HTTP status {status}."


class _Cache:
    """Pages that were read lately, by address."""

    def __init__(self, seconds: float, most: int) -> None:
        self._seconds, self._most = seconds, most
        self._pages: OrderedDict[str, tuple[float, bytes]] = OrderedDict()
        self._bytes = 0

    def get(self, url: str) -> Page | None:
        """The page, its caller's own."""
        kept = self._pages.get(url)
        if kept is None:
            return None
        if kept[0] <= time.monotonic():
            self._drop(url)
            return None
        self._pages.move_to_end(url)
        return msgspec.msgpack.decode(kept[1], type=Page)

    def put(self, page: Page) -> None:
        """Keeps a page, unless it would push out all others."""
        if not self._seconds:
            return
        data = msgspec.msgpack.encode(page)
        self._drop(page.url)
        if len(data) * 2 > self._most:
            return
        self._pages[page.url] = (time.monotonic() + self._seconds, data)
        self._bytes += len(data)
        while self._bytes > self._most:
            self._drop(next(iter(self._pages)))

    def _drop(self, url: str) -> None:
        kept = self._pages.pop(url, None)
        if kept is not None:
            self._bytes -= len(kept[1])
