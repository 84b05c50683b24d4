"""The index of a folder: what it holds after each look, and what searches find."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from interplay.plugins.engines.corpus.index import Index, Looked


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "pages").mkdir()
    return tmp_path / "pages"


@pytest.fixture
def index(tmp_path: Path, folder: Path) -> Iterator[Index]:
    index = Index(folder, tmp_path / "i.sqlite", file_bytes=100_000, most=100)
    yield index
    index.close()


def paths(index: Index, query: str, count: int = 10) -> list[str]:
    return [found.path for found in index.search(query, count)]


def test_only_what_changed_is_read_again(index: Index, folder: Path) -> None:
    (folder / "a.txt").write_text("apples")
    (folder / "sub").mkdir()
    (folder / "sub" / "b.md").write_text("# Pears\n\ngreen")
    assert index.look() == Looked(written=2)
    assert index.look() == Looked()
    (folder / "a.txt").write_text("apricots and more")
    assert index.look() == Looked(written=1)
    assert paths(index, "apples") == []
    assert paths(index, "apricots") == ["a.txt"]
    (folder / "a.txt").unlink()
    assert index.look() == Looked(removed=1)
    assert paths(index, "apricots") == []
    assert paths(index, "pears") == ["sub/b.md"]


def test_a_touched_file_with_the_same_words_is_not_written_again(
    index: Index, folder: Path
) -> None:
    (folder / "a.txt").write_text("apples")
    index.look()
    os.utime(folder / "a.txt", (1, 1))
    assert index.look() == Looked()
    assert paths(index, "apples") == ["a.txt"]


def test_a_word_in_the_title_weighs_more(index: Index, folder: Path) -> None:
    (folder / "a.md").write_text("# Fruit\n\nquince quince quince other words")
    (folder / "b.md").write_text("# Quince\n\nsomething else, and some other words")
    index.look()
    assert paths(index, "quince") == ["b.md", "a.md"]


def test_the_more_words_agree_the_better(index: Index, folder: Path) -> None:
    for n in range(20):
        (folder / f"{n}.txt").write_text(f"the usual words number {n}")
    (folder / "x.txt").write_text("the usual words about marble statues")
    index.look()
    assert paths(index, "what are the marble statues?", 1) == ["x.txt"]
    assert len(paths(index, "usual", 5)) == 5


def test_forms_of_words_accents_and_phrases(index: Index, folder: Path) -> None:
    (folder / "a.txt").write_text("A café connects rivers.")
    (folder / "b.txt").write_text("Rivers and a connecting road.")
    index.look()
    assert paths(index, "cafe") == ["a.txt"]
    assert set(paths(index, "connection")) == {"a.txt", "b.txt"}
    assert paths(index, '"connecting road"') == ["b.txt"]


@pytest.mark.parametrize(
    "query", ["", "   ", "?!", '"', "NEAR(", "title:", "* AND OR NOT", "a" * 9_999]
)
def test_no_query_is_broken(index: Index, folder: Path, query: str) -> None:
    (folder / "a.txt").write_text("apples")
    index.look()
    assert index.search(query, 10) == []


def test_the_snippet_stands_around_the_words(index: Index, folder: Path) -> None:
    (folder / "a.txt").write_text("filler " * 500 + "the needle is here " + "filler " * 500)
    index.look()
    (found,) = index.search("needle", 1)
    assert "the needle is here" in found.snippet
    assert len(found.snippet) < 600


def test_hidden_linked_large_and_unknown_files_are_left_out(
    index: Index, folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "outside.txt").write_text("secret apples")
    (folder / "link.txt").symlink_to(tmp_path / "outside.txt")
    (folder / "linked").symlink_to(tmp_path, target_is_directory=True)
    (folder / ".hidden.txt").write_text("apples")
    (folder / "large.txt").write_text("apples " * 20_000)
    (folder / "a.exe").write_text("apples")
    assert index.look() == Looked()


def test_what_cannot_be_read_is_counted_and_left_out(index: Index, folder: Path) -> None:
    (folder / "a.txt").write_bytes(b"a\0b")
    (folder / "b.pdf").write_bytes(b"%PDF nothing")
    assert index.look() == Looked(unreadable=2)


def test_it_stops_at_the_most_files(tmp_path: Path, folder: Path) -> None:
    for n in range(5):
        (folder / f"{n}.txt").write_text("apples")
    index = Index(folder, tmp_path / "few.sqlite", file_bytes=100, most=3)
    assert index.look() == Looked(written=3)
    index.close()


def test_two_users_of_one_file_agree(tmp_path: Path, folder: Path, index: Index) -> None:
    (folder / "a.txt").write_text("apples")
    other = Index(folder, tmp_path / "i.sqlite", file_bytes=100_000, most=100)
    assert index.look() == Looked(written=1)
    assert other.look() == Looked()
    assert paths(other, "apples") == ["a.txt"]
    other.close()


def test_a_forgotten_index_is_made_again(index: Index, folder: Path) -> None:
    (folder / "a.txt").write_text("apples")
    index.look()
    index.forget()
    assert index.look() == Looked(written=1)
    assert paths(index, "apples") == ["a.txt"]
