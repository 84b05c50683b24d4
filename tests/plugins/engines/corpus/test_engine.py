"""The corpus engine: it looks again, survives a broken index, and says what is wrong."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from interplay.contracts.engine import Query
from interplay.contracts.failure import Unavailable
from interplay.plugins.engines.corpus import Corpus, CorpusConfig
from tests.engines import Around


@pytest.fixture
async def made(tmp_path: Path) -> AsyncIterator[Callable[..., Corpus]]:
    (tmp_path / "pages").mkdir()
    corpora: list[Corpus] = []

    def make(**config: Any) -> Corpus:
        folder = config.pop("folder", str(tmp_path / "pages"))
        corpora.append(Corpus(CorpusConfig(folder=folder, **config), Around(tmp_path)))
        return corpora[-1]

    yield make
    for corpus in corpora:
        await corpus.close()


async def urls(corpus: Corpus, text: str) -> list[str]:
    return [hit.url for hit in await corpus.search(Query(text=text))]


async def test_a_hit_has_the_address_of_its_file(made: Any, tmp_path: Path) -> None:
    (tmp_path / "pages" / "große datei.md").write_text("# Äpfel\n\napples  are\nround")
    (hit,) = await made().search(Query(text="apples"))
    assert hit.url == "corpus:gro%C3%9Fe%20datei.md"
    assert hit.title == "Äpfel"
    assert hit.snippet.endswith("apples are round")
    (hit,) = await made(base_url="https://docs.example/v1/").search(Query(text="apples"))
    assert hit.url == "https://docs.example/v1/gro%C3%9Fe%20datei.md"


async def test_it_looks_again_when_the_last_look_is_old(made: Any, tmp_path: Path) -> None:
    eager, lazy = made(look_again_seconds=0), made(look_again_seconds=1_000)
    assert await urls(eager, "apples") == await urls(lazy, "apples") == []
    (tmp_path / "pages" / "a.txt").write_text("apples")
    assert await urls(lazy, "apples") == []
    assert await urls(eager, "apples") == ["corpus:a.txt"]


async def test_searches_at_once_share_one_look(made: Any, tmp_path: Path) -> None:
    (tmp_path / "pages" / "a.txt").write_text("apples")
    corpus = made()
    found = await asyncio.gather(*(urls(corpus, "apples") for _ in range(20)))
    assert found == [["corpus:a.txt"]] * 20


async def test_a_search_that_goes_away_does_not_end_the_look(made: Any, tmp_path: Path) -> None:
    (tmp_path / "pages" / "a.txt").write_text("apples")
    corpus = made()
    first = asyncio.create_task(urls(corpus, "apples"))
    second = asyncio.create_task(urls(corpus, "apples"))
    await asyncio.sleep(0)
    first.cancel()
    async with asyncio.timeout(60):
        assert await second == ["corpus:a.txt"]


async def test_a_broken_index_is_made_anew(made: Any, tmp_path: Path) -> None:
    (tmp_path / "pages" / "a.txt").write_text("apples")
    first = made()
    await urls(first, "apples")
    await first.close()
    (file,) = (tmp_path / "corpus").glob("*.sqlite")
    file.write_bytes(b"this is no database at all, " * 1_000)
    assert await urls(made(), "apples") == ["corpus:a.txt"]


async def test_a_folder_that_is_not_there_is_told_without_its_name(made: Any) -> None:
    corpus = made(folder="/nowhere/secret")
    with pytest.raises(Unavailable) as told:
        await corpus.search(Query(text="x"))
    assert "secret" not in told.value.message
