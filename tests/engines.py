"""Search engines for tests: doubles of services on loopback, and what a plugin is lent."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from interplay.contracts.egress import Guard
from interplay.contracts.engine import Hit, Query
from interplay.testing.local_web import LocalWeb, Page

JSON = {"content-type": "application/json"}


def answer(body: Any, status: int = 200, **headers: str) -> Page:
    """A page of JSON."""
    return Page(status=status, headers={**JSON, **headers}, body=json.dumps(body).encode())


class Around:
    """What engines and the search tool are lent."""

    records: Any = None
    blobs: Any = None

    def __init__(self, folder: Path, *engines: Any, guard: Guard | None = None) -> None:
        self.guard = guard or Guard()
        self._folder, self._engines = folder, engines

    def folder(self, name: str) -> Path:
        return self.cache(name)

    def cache(self, name: str) -> Path:
        (self._folder / name).mkdir(parents=True, exist_ok=True)
        return self._folder / name

    def engines(self) -> tuple[Any, ...]:
        return self._engines

    def reader(self) -> Any:
        raise AssertionError("nothing here reads pages")


class Finds:
    """An engine that finds what it was given: hits, an exception to be raised, or a callable."""

    def __init__(self, *answers: Any, kinds: tuple[str, ...] = ("web", "image")) -> None:
        self.kinds = frozenset(kinds)
        self.queries: list[Query] = []
        self._answers = [*answers]

    async def search(self, query: Query) -> list[Hit]:
        self.queries.append(query)
        given = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(given, BaseException):
            raise given
        return await given(query) if callable(given) else given

    async def close(self) -> None:
        """Nothing is held."""


def hit(name: str, snippet: str = "", **fields: Any) -> Hit:
    """A hit at https://NAME.example/."""
    return Hit(title=name, url=f"https://{name}.example/", snippet=snippet, **fields)


def searxng(web: LocalWeb) -> str:
    """The JSON form of SearXNG, as its documentation and a real instance have it."""
    results = [
        {
            "url": f"https://rome.example/{n}",
            "title": f"Rome {n}",
            "content": "Rome is the capital of Italy.",
            "engine": "x",
            "parsed_url": ["https", "rome.example", f"/{n}", "", "", ""],
            "template": "default.html",
            "engines": ["x"],
            "positions": [n],
            "score": 1.0,
            "category": "general",
            "img_src": f"https://rome.example/{n}.png",
            "thumbnail_src": "",
        }
        for n in (1, 2, 3)
    ]
    body = {
        "query": "rome",
        "number_of_results": 0,
        "results": results,
        "answers": [],
        "corrections": [],
        "infoboxes": [],
        "suggestions": [],
        "unresponsive_engines": [["y", "timeout"]],
    }
    web.on("/search", answer(body))
    return web.url("")


def brave(web: LocalWeb) -> str:
    """Brave's two searches."""
    results = [
        {
            "title": f"Rome {n}",
            "url": f"https://rome.example/{n}",
            "is_source_local": False,
            "description": "Rome is the capital of Italy.",
            "profile": {"name": "Rome"},
            "language": "en",
            "family_friendly": True,
        }
        for n in (1, 2, 3)
    ]
    images = [
        {
            "type": "image_result",
            "title": f"Rome {n}",
            "url": f"https://rome.example/{n}",
            "source": "rome.example",
            "thumbnail": {"src": f"https://imgs.example/{n}"},
            "properties": {"url": f"https://rome.example/{n}.png", "placeholder": "x"},
        }
        for n in (1, 2, 3)
    ]
    body = {"type": "search", "query": {}, "web": {"type": "search", "results": results}}
    web.on("/res/v1/web/search", answer(body))
    web.on("/res/v1/images/search", answer({"type": "images", "results": images}))
    return web.url("")


def tavily(web: LocalWeb) -> str:
    """Tavily's search."""
    results = [
        {
            "url": f"https://rome.example/{n}",
            "title": f"Rome {n}",
            "content": "Rome is the capital of Italy.",
            "score": 0.9,
            "raw_content": None,
        }
        for n in (1, 2, 3)
    ]
    body = {"query": "rome", "answer": None, "images": [], "results": results}
    web.on("/search", answer({**body, "response_time": 0.5}))
    return web.url("")


def exa(web: LocalWeb) -> str:
    """Exa's search."""
    results = [
        {
            "id": f"https://rome.example/{n}",
            "title": f"Rome {n}",
            "url": f"https://rome.example/{n}",
            "publishedDate": None,
            "author": None,
            "text": "Rome is the capital of Italy.",
        }
        for n in (1, 2, 3)
    ]
    web.on(
        "/search", answer({"requestId": "r", "resolvedSearchType": "neural", "results": results})
    )
    return web.url("")


def parallel(web: LocalWeb) -> str:
    """Parallel's search."""
    results = [
        {
            "url": f"https://rome.example/{n}",
            "title": f"Rome {n}",
            "publish_date": "2026-01-15",
            "excerpts": ["Rome is the capital of Italy.", f"It has {n} hills."],
        }
        for n in (1, 2, 3)
    ]
    body = {"search_id": "search_1", "session_id": "s", "results": results, "usage": []}
    web.on("/v1/search", answer({**body, "warnings": None}))
    return web.url("")


def duckduckgo(web: LocalWeb) -> str:
    """The page of results that the package ddgs reads."""
    items = "".join(
        f'<div class="links_main result__body"><h2><a href="https://rome{n}.example/">Rome {n}</a>'
        f'</h2><a href="https://rome{n}.example/">Rome is the capital of Italy, {n}.</a></div>'
        for n in (1, 2, 3)
    )
    return web.text("/html/", f"<html><body>{items}</body></html>")
