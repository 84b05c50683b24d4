"""The index of one store: what is put in is found, what is taken out is not."""

from __future__ import annotations

import asyncio
import random
import time
from pathlib import Path

import pytest

from interplay.files.search.index import Index
from interplay.files.search.passages import Passage


@pytest.fixture
def index(tmp_path: Path) -> Index:
    return Index(tmp_path / "deep" / "s.sqlite")


def test_words_are_found_in_every_form_and_with_accents_or_without(index: Index) -> None:
    index.add("d", "Café notes", {"n": 1}, [Passage("The indexes were rebuilt.", 3)])
    for text in ("index", "REBUILDING indexed", "cafe"):
        (hit,) = index.search(text, 5)
        assert (hit.document, hit.page, hit.metadata) == ("d", 3, {"n": 1})
    assert index.search("nothing", 5) == []


def test_a_document_taken_in_twice_is_there_once_and_taken_out_is_gone(index: Index) -> None:
    for _ in range(2):
        index.add("a", "A", {}, [Passage("shared words"), Passage("more words")])
    index.add("b", "B", {}, [Passage("shared words")])
    assert len(index.search("words", 9)) == 3
    assert [hit.document for hit in index.search("words", 9, ["b"])] == ["b"]
    index.remove("a")
    index.remove("a")
    assert [hit.document for hit in index.search("words", 9)] == ["b"]
    assert index.known() == {"b": ""}


def test_it_knows_which_version_it_shows(index: Index) -> None:
    assert index.version() == -1
    index.reached(7)
    index.reached(8)
    assert index.version() == 8


async def test_many_write_at_once(index: Index) -> None:
    def add(number: int) -> None:
        index.add(f"d{number}", "t", {}, [Passage("word")])

    await asyncio.gather(*(asyncio.to_thread(add, number % 8) for number in range(24)))
    assert len(index.search("word", 99)) == 8


@pytest.mark.alone
def test_a_thousand_pages_are_taken_in_within_two_seconds_and_searched_in_no_time(
    index: Index,
) -> None:
    chance = random.Random(1)
    words = [f"w{number}" for number in range(5_000)]
    pages = [Passage(" ".join(chance.choices(words, k=200)), n) for n in range(1, 1_001)]
    begun = time.process_time()
    index.add("d", "book", {}, pages)
    assert time.process_time() - begun < 2.0
    begun = time.process_time()
    for _ in range(20):
        assert index.search("w17 w99 w4000", 10)
    assert (time.process_time() - begun) / 20 < 0.02
