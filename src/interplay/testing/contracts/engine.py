"""What every web search engine must do; see interplay.contracts.engine."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any, get_args

import pytest

from interplay.contracts.engine import Query, SearchEngine
from interplay.contracts.failure import Failure

_KINDS = frozenset(get_args(Query.__annotations__["kind"]) or ("web", "image"))


@pytest.mark.asyncio
class EngineContract:
    """Subclass it and give the fixtures `engine` and `text` (a query that has at least two hits
    for each kind of the engine)."""

    patience = 30.0
    """Seconds one search may take."""

    @pytest.fixture
    def engine(self) -> Any:
        """The engine under test; the fixture may close it once more afterwards."""
        raise NotImplementedError("Give your test class an `engine` fixture.")

    @pytest.fixture
    def text(self) -> str:
        """What to search for."""
        raise NotImplementedError("Give your test class a `text` fixture.")

    async def found(self, engine: SearchEngine, text: str, **fields: Any) -> list[Any]:
        """One search."""
        async with asyncio.timeout(self.patience):
            return await engine.search(Query(text=text, **fields))

    async def test_it_says_which_kinds_it_answers(self, engine: SearchEngine) -> None:
        """At least one, and no other than those of a query."""
        assert engine.kinds
        assert engine.kinds <= _KINDS

    async def test_every_hit_has_a_title_and_an_address(
        self, engine: SearchEngine, text: str
    ) -> None:
        """Addresses are of the web, or `corpus:`; images have one of their own."""
        for kind in sorted(engine.kinds):
            hits = await self.found(engine, text, kind=kind)
            assert len(hits) >= 2
            for hit in hits:
                assert hit.title.strip()
                assert hit.url.partition(":")[0] in {"http", "https", "corpus"}
                assert isinstance(hit.snippet, str)
                assert (hit.image_url is not None) == (kind == "image")

    async def test_no_more_hits_come_than_were_wanted(
        self, engine: SearchEngine, text: str
    ) -> None:
        """`count` is the most."""
        for kind in sorted(engine.kinds):
            assert len(await self.found(engine, text, kind=kind, count=1)) == 1

    async def test_the_same_query_finds_the_same(self, engine: SearchEngine, text: str) -> None:
        """Also side by side."""
        kind = min(engine.kinds)
        both = await asyncio.gather(*(self.found(engine, text, kind=kind) for _ in range(2)))
        assert both[0] == both[1]

    async def test_a_query_of_signs_breaks_nothing(self, engine: SearchEngine) -> None:
        """Hits, none, or a Failure; nothing else."""
        kind: Any = min(engine.kinds)
        for text in ('"', "a AND (", "*", "x" * 1_000, "größe 日本 ☃"):
            with suppress(Failure):
                assert isinstance(await self.found(engine, text, kind=kind), list)

    async def test_it_can_be_closed_twice(self, engine: SearchEngine, text: str) -> None:
        """Also after a search."""
        kind = min(engine.kinds)
        await self.found(engine, text, kind=kind)
        async with asyncio.timeout(self.patience):
            await engine.close()
            await engine.close()
