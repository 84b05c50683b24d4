"""The shipped engine suite over every built-in engine; services are doubles on loopback."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ddgs.engines.duckduckgo import Duckduckgo

from interplay.plugins.engines.brave import Brave, BraveConfig
from interplay.plugins.engines.corpus import Corpus, CorpusConfig
from interplay.plugins.engines.ddgs import Ddgs, DdgsConfig
from interplay.plugins.engines.exa import Exa, ExaConfig
from interplay.plugins.engines.parallel import Parallel, ParallelConfig
from interplay.plugins.engines.searxng import Searxng, SearxngConfig
from interplay.plugins.engines.tavily import Tavily, TavilyConfig
from interplay.testing.contracts.engine import EngineContract
from interplay.testing.local_web import LocalWeb
from tests import engines
from tests.engines import Around, Finds, hit


class Rome(EngineContract):
    """What all of them are asked."""

    patience = 10.0

    @pytest.fixture
    def text(self) -> str:
        return "rome"

    @pytest.fixture
    async def web(self, monkeypatch: pytest.MonkeyPatch) -> Any:
        monkeypatch.setenv("THE_KEY", "secret")
        async with LocalWeb() as web:
            yield web


class TestCorpus(Rome):
    """A folder."""

    @pytest.fixture
    async def engine(self, tmp_path: Path) -> Any:
        pages = tmp_path / "pages"
        pages.mkdir()
        for n in (1, 2, 3):
            (pages / f"rome-{n}.md").write_text(f"# Rome {n}\n\nRome is the capital of Italy.\n")
        corpus = Corpus(CorpusConfig(folder=str(pages)), Around(tmp_path))
        yield corpus
        await corpus.close()


class TestSearxng(Rome):
    """SearXNG."""

    @pytest.fixture
    async def engine(self, web: LocalWeb, tmp_path: Path) -> Any:
        engine = Searxng(SearxngConfig(url=engines.searxng(web)), Around(tmp_path))
        yield engine
        await engine.close()


class TestBrave(Rome):
    """Brave."""

    @pytest.fixture
    async def engine(self, web: LocalWeb, tmp_path: Path) -> Any:
        config = BraveConfig(url=engines.brave(web), api_key_env="THE_KEY")
        engine = Brave(config, Around(tmp_path))
        yield engine
        await engine.close()


class TestTavily(Rome):
    """Tavily."""

    @pytest.fixture
    async def engine(self, web: LocalWeb, tmp_path: Path) -> Any:
        config = TavilyConfig(url=engines.tavily(web), api_key_env="THE_KEY")
        engine = Tavily(config, Around(tmp_path))
        yield engine
        await engine.close()


class TestExa(Rome):
    """Exa."""

    @pytest.fixture
    async def engine(self, web: LocalWeb, tmp_path: Path) -> Any:
        config = ExaConfig(url=engines.exa(web), api_key_env="THE_KEY")
        engine = Exa(config, Around(tmp_path))
        yield engine
        await engine.close()


class TestParallel(Rome):
    """Parallel."""

    @pytest.fixture
    async def engine(self, web: LocalWeb, tmp_path: Path) -> Any:
        config = ParallelConfig(url=engines.parallel(web), api_key_env="THE_KEY")
        engine = Parallel(config, Around(tmp_path))
        yield engine
        await engine.close()


class WebDdgs(Ddgs):
    """Without images, whose site takes a token of its own."""

    kinds = frozenset({"web"})


class TestDdgs(Rome):
    """The package itself, its site on loopback."""

    @pytest.fixture
    async def engine(self, web: LocalWeb, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
        monkeypatch.setattr(Duckduckgo, "search_url", engines.duckduckgo(web))
        engine = WebDdgs(DdgsConfig(backend="duckduckgo"), Around(tmp_path))
        yield engine
        await engine.close()


async def test_the_suite_catches_too_many_hits() -> None:
    with pytest.raises(AssertionError):
        await EngineContract().test_no_more_hits_come_than_were_wanted(
            Finds([hit("a"), hit("b")]), "x"
        )


async def test_the_suite_catches_an_image_without_its_address() -> None:
    with pytest.raises(AssertionError):
        await EngineContract().test_every_hit_has_a_title_and_an_address(
            Finds([hit("a"), hit("b")]), "x"
        )


async def test_the_suite_catches_faults_that_are_no_failures() -> None:
    with pytest.raises(KeyError):
        await EngineContract().test_a_query_of_signs_breaks_nothing(Finds(KeyError("web")))
