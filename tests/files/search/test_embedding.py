"""Vectors come to documents: at once, later, again for another embedder, and after a failure."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from interplay.contracts.failure import Unavailable
from interplay.files.search import embedding as module
from interplay.files.search.rows import DocumentRow
from interplay.testing.scripted_embedder import ScriptedEmbedder, ScriptedEmbedderConfig
from tests.files.search.shelf import LongestFirst, Shelf, shelf

CATS, SHIPS = ["cat", "kitten", "pet"], ["ship", "boat", "vessel"]


def scripted(*meanings: list[str], name: str = "one") -> ScriptedEmbedder:
    given = list(meanings) or [CATS, SHIPS]
    return ScriptedEmbedder(ScriptedEmbedderConfig(meanings=given, name=name))


async def kept(at: Shelf, title: str) -> DocumentRow:
    row = await at.rows.get(DocumentRow, f"s/{title}")
    assert row is not None
    return row


async def titles(at: Shelf, text: str, count: int = 1) -> list[str]:
    return [one.title for one in await at.library.search("", [at.name], text, count=count)]


async def filled(at: Shelf) -> None:
    await at.put("a", b"A kitten sleeps.")
    await at.put("b", b"The boat leaves at six.")


async def test_a_small_document_has_its_vectors_when_it_is_active(tmp_path: Path) -> None:
    embedder = scripted()
    async with shelf(tmp_path, embedder) as at:
        await filled(at)
        assert (await kept(at, "a")).embedded("one", 3)
        assert await titles(at, "pet") == ["a"]
        assert await titles(at, "vessel") == ["b"]
        assert [kind for kind, _ in embedder.embedded] == ["passage"] * 2 + ["query"] * 2
        assert {part[0] for part in (await kept(at, "a")).kept.vectors} <= await at.rows.living()


async def test_a_large_document_is_found_by_words_until_its_job_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_AT_ONCE", 0)
    monkeypatch.setattr(module, "_STRETCH", 2)
    embedder = scripted()
    async with shelf(tmp_path, embedder) as at:
        await at.put("a", b"word " * 900 + b"kitten")
        row = await kept(at, "a")
        assert (row.record.state, row.kept.vectors) == ("STATE_ACTIVE", [])
        assert await titles(at, "pet") == []
        assert await titles(at, "kitten") == ["a"]
        assert at.embedding is not None
        assert await at.embedding.embed("s/a") is None
        row = await kept(at, "a")
        assert row.embedded("one", 3)
        assert len(row.kept.vectors) == -(-row.kept.passages // 2)
        (found,) = await at.library.search("", [at.name], "pet", count=1)
        assert "kitten" in found.text
        done = len(embedder.embedded)
        await at.embedding.embed("s/a")
        assert len(embedder.embedded) == done


async def test_what_broke_off_is_gone_on_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_AT_ONCE", 0)
    monkeypatch.setattr(module, "_STRETCH", 1)
    embedder = scripted()
    async with shelf(tmp_path, embedder) as at:
        await at.put("a", b"word " * 900)
        assert at.embedding is not None
        embed, calls = embedder.embed, list[int]()

        async def breaking(texts: Any, kind: Any) -> bytes:
            calls.append(len(texts))
            if len(calls) == 3:
                raise Unavailable("It is away.", retry_after=7.0)
            return await embed(texts, kind)

        monkeypatch.setattr(embedder, "embed", breaking)
        again = await at.embedding.embed("s/a")
        assert again == pytest.approx(time.time() + 7, abs=6)
        assert len((await kept(at, "a")).kept.vectors) == 2
        assert await at.embedding.embed("s/a") is None
        row = await kept(at, "a")
        assert row.embedded("one", 3)
        assert len(calls) == row.kept.passages + 1


async def test_another_embedder_embeds_again_and_nothing_is_mixed(tmp_path: Path) -> None:
    async with shelf(tmp_path, scripted()) as at:
        await filled(at)
        assert await titles(at, "pet") == ["a"]
    other = scripted(SHIPS, CATS, ["other"], name="two")
    async with shelf(tmp_path, other) as at:
        assert await titles(at, "pet") == []
        assert await titles(at, "kitten") == ["a"]
        assert at.embedding is not None
        await at.embedding.sweep()
        assert await at.embedding._dispatcher.waiting("embed") == 2
        for id in ("s/a", "s/b"):
            await at.embedding.embed(id)
        assert (await kept(at, "a")).embedded("two", 4)
        assert await titles(at, "pet") == ["a"]
        await at.embedding.sweep()
        assert await at.embedding._dispatcher.waiting("embed") == 2


async def test_documents_indexed_without_an_embedder_get_their_vectors_later(
    tmp_path: Path,
) -> None:
    async with shelf(tmp_path) as at:
        await filled(at)
        assert await titles(at, "pet") == []
    async with shelf(tmp_path, scripted()) as at:
        assert at.embedding is not None
        await at.embedding.sweep()
        assert await at.embedding._dispatcher.waiting("embed") == 2
        await at.embedding.embed("s/a")
        assert await titles(at, "pet") == ["a"]
    async with shelf(tmp_path) as at:
        assert await titles(at, "pet") == []
        assert await titles(at, "boat") == ["b"]


async def test_an_embedder_that_fails_keeps_no_document_from_being_found_by_words(
    tmp_path: Path,
) -> None:
    embedder = scripted()
    embedder.failure = Unavailable("It is away.")
    async with shelf(tmp_path, embedder) as at:
        await filled(at)
        assert (await kept(at, "a")).record.state == "STATE_ACTIVE"
        assert await titles(at, "kitten") == ["a"]
        assert at.embedding is not None
        assert await at.embedding._dispatcher.waiting("embed") == 2
        assert await at.embedding.embed("s/a") == pytest.approx(time.time() + 60, abs=30)
        embedder.failure = None
        await at.embedding.embed("s/a")
        assert await titles(at, "pet") == ["a"]
        embedder.failure = Unavailable("It is away.")
        with pytest.raises(Unavailable):
            await titles(at, "pet")


async def test_a_document_that_went_or_failed_gets_none(tmp_path: Path) -> None:
    async with shelf(tmp_path, scripted()) as at:
        await at.put("a", b"\xff\xfe\x00")
        assert at.embedding is not None
        assert await at.embedding.embed("s/a") is None
        assert await at.embedding.embed("s/nobody") is None
        assert (await kept(at, "a")).kept.vectors == []


async def test_a_reranker_has_the_last_word(tmp_path: Path) -> None:
    async with shelf(tmp_path, scripted(), LongestFirst()) as at:
        for title in ("x", "xx", "xxx"):
            await at.put(title, f"{title} kitten".encode())
        assert await titles(at, "x kitten", 2) == ["xxx", "xx"]


async def test_filters_hold_for_vectors_too(tmp_path: Path) -> None:
    async with shelf(tmp_path, scripted()) as at:
        await filled(at)
        found = await at.library.search("", [at.name], "pet", count=9, filter="n = 1")
        assert found == []
