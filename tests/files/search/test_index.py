"""The index of one store: what is put in is found, what is taken out is not."""

from __future__ import annotations

import asyncio
import random
import sqlite3
import struct
import time
from contextlib import closing
from pathlib import Path

import pytest

from interplay.files.search.index import Index
from interplay.files.search.passages import Passage
from interplay.files.search.vectors import Near, Vectors, halved


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


def vectors(*places: int, by: str = "e") -> Vectors:
    """One vector for each passage, along one of four axes."""
    rows = [[float(place == axis) for axis in range(4)] for place in places]
    floats = struct.pack(f"<{4 * len(rows)}f", *(number for row in rows for number in row))
    return Vectors(embedder=by, dims=4, halves=halved(floats))


def near(place: int, by: str = "e") -> Near:
    floats = [float(place == axis) for axis in range(4)]
    return Near(embedder=by, vector=struct.pack("<4f", *floats))


def test_passages_are_found_by_their_vectors_and_by_both(index: Index) -> None:
    index.add("a", "A", {}, [Passage("red"), Passage("green")], vectors(0, 1))
    index.add("b", "B", {}, [Passage("blue")], vectors(2))
    index.add("c", "C", {}, [Passage("a word alone")])
    assert index.search("nothing", 1, None, near(1))[0].text == "green"
    assert index.search("", 1, None, near(2))[0].text == "blue"
    assert [hit.text for hit in index.search("word", 2, None, near(0))][:2] == [
        "a word alone",
        "red",
    ]
    assert [hit.document for hit in index.search("", 9, ["b", "c"], near(0))] == ["b"]
    assert index.search("", 9, [], near(0)) == []
    assert index.known() == {"a": "e", "b": "e", "c": ""}
    assert (index.embedded("e"), index.embedded("f")) == (True, False)


def test_vectors_of_another_embedder_are_never_looked_at(index: Index) -> None:
    index.add("a", "A", {}, [Passage("red")], vectors(0))
    index.add("b", "B", {}, [Passage("blue")], vectors(0, by="f"))
    assert [hit.document for hit in index.search("", 9, None, near(0))] == ["a"]
    index.add("a", "A", {}, [Passage("red")], vectors(1, by="f"))
    index.reached(1)
    assert index.search("", 9, None, near(0)) == []
    assert len(index.search("", 9, None, near(0, by="f"))) == 2
    assert len(index.search("red", 9)) == 1
    assert len(list(index._path.parent.glob("*.vectors"))) == 1


def test_room_of_documents_that_went_is_used_again(index: Index) -> None:
    for name in "abc":
        index.add(name, name, {}, [Passage(name), Passage(name)], vectors(0, 1))
    size = index._beside("e").stat().st_size
    index.remove("b")
    index.add("d", "d", {}, [Passage("d1"), Passage("d2")], vectors(2, 3))
    assert index._beside("e").stat().st_size == size
    assert index.search("", 1, None, near(3))[0].text == "d2"
    index.add("e", "e", {}, [Passage("e")], vectors(3))
    assert index._beside("e").stat().st_size > size
    assert len(index.search("", 99, None, near(0))) == 7


def test_an_index_that_lost_its_vectors_says_so_and_takes_them_again(index: Index) -> None:
    index.add("a", "A", {}, [Passage("red")], vectors(0))
    index.reached(3)
    index._beside("e").unlink()
    assert index.version() == -1
    assert index.known() == {"a": ""}
    index.add("a", "A", {}, [Passage("red")], vectors(0))
    index.reached(3)
    assert index.version() == 3
    assert index.search("", 1, None, near(0))[0].text == "red"


def test_vectors_that_do_not_fit_their_passages_are_refused(index: Index) -> None:
    with pytest.raises(ValueError, match="2 vectors for 1 passages"):
        index.add("a", "A", {}, [Passage("red")], vectors(0, 1))
    assert index.known() == {}


def test_an_index_of_an_earlier_form_is_made_again(index: Index) -> None:
    index.add("a", "A", {}, [Passage("red")])
    index.reached(5)
    with closing(sqlite3.connect(index._path)) as db:
        db.execute("DROP TABLE vectors")
        db.execute("PRAGMA user_version = 1")
    assert index.version() == -1
    assert index.known() == {}
    index.add("a", "A", {}, [Passage("red")])
    assert len(index.search("red", 9)) == 1


def test_small_words_count_where_there_are_no_others(index: Index) -> None:
    index.add("a", "A", {}, [Passage("to be or not to be"), Passage("what is a harbour")])
    assert [hit.text for hit in index.search("What is to be?", 9)] != []
    assert [hit.text for hit in index.search("What is the harbour?", 9)] == ["what is a harbour"]


def test_all_of_an_index_is_deleted(index: Index) -> None:
    index.add("a", "A", {}, [Passage("red")], vectors(0))
    index.unlink()
    assert list(index._path.parent.iterdir()) == []


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
