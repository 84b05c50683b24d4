"""Marks in a text -> annotations: which statement, which bytes, and what is no mark."""

from __future__ import annotations

from typing import Any

import pytest

from interplay.contracts import shown
from interplay.interactions.citations import Sources
from interplay.wire.content import FileCitation, TextContent, URLCitation
from interplay.wire.steps import GoogleSearchResultStep, Step, ThoughtStep, UserInputStep


def result(*numbers: int, site: str = "a", id: str = "c") -> Step:
    named = {n: URLCitation(title=f"T{n}", url=f"https://{site}.example/{n}") for n in numbers}
    return GoogleSearchResultStep(id, [], signature=shown.sign([TextContent("x")], named))


def spans(text: str, *numbers: int) -> list[tuple[str, str]]:
    """The bytes of each annotation as text, and where it leads."""
    found: list[Any] = Sources([result(*(numbers or (1, 2, 3)))]).cited(text)
    raw = text.encode()
    return [
        (raw[one.start_index : one.end_index].decode(), one.url.rpartition("/")[2]) for one in found
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Rome is in Italy [1].", [("Rome is in Italy", "1")]),
        ("Rome is in Italy. [1]", [("Rome is in Italy.", "1")]),
        ("Rome is in Italy[1]. It is old [2].", [("Rome is in Italy", "1"), ("It is old", "2")]),
        ("Hello. Rome is old! [2] Yes.", [("Rome is old!", "2")]),
        ("Rome is old [1], and it is big [2].", [("Rome is old", "1"), ("and it is big", "2")]),
        ("Rome is old [1][2].", [("Rome is old", "1"), ("Rome is old", "2")]),
        ("Rome is old [1], [3].", [("Rome is old", "1"), ("Rome is old", "3")]),
        ("Rome is old [1, 3; 1].", [("Rome is old", "1"), ("Rome is old", "3")]),
        ("It has 2.8 million people [1].", [("It has 2.8 million people", "1")]),
        ("One.\n\n- **Rome** is old [1]\n2. Bonn [2]", [("**Rome** is old", "1"), ("Bonn", "2")]),
        ("Größe: 5 m, 日本は国。東京は都市 [1]。", [("東京は都市", "1")]),
        ("👍🏽 is a sign [2] é", [("👍🏽 is a sign", "2")]),
        ("Rome [1](https://a.example/1) is old.", [("Rome", "1")]),
    ],
)
def test_a_mark_annotates_the_statement_in_front_of_it(
    text: str, expected: list[tuple[str, str]]
) -> None:
    assert spans(text) == expected


def test_offsets_are_bytes_and_the_end_is_exclusive() -> None:
    (one,) = Sources([result(1)]).cited("Äöü. Größe ist ß [1].")
    assert (one.start_index, one.end_index) == (8, 8 + len("Größe ist ß".encode()))
    assert one == URLCitation(start_index=8, end_index=22, title="T1", url="https://a.example/1")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Rome is in Italy.",
        "Rome [9].",
        "Rome [x] and [] and [1",
        "[1] alone",
        "Sources:\n[1] T1 https://a.example/1\n[2]: https://a.example/2\n",
        "Rome [1](https://evil.example/).",
        "`row[1]` and ``` x [2]\n",
        "```python\nrow = rows [1]\nprint(row [2])\n```",
        '{"rows": ["Rome", [1]]}',
        " [1]",
        "... [1]",
    ],
)
def test_what_is_no_mark_annotates_nothing(text: str) -> None:
    assert spans(text) == []


def test_the_last_source_of_a_number_is_meant_and_lists_may_grow() -> None:
    steps: list[Step] = [UserInputStep(), ThoughtStep(signature="EoUC"), result(1, 2)]
    sources = Sources([], steps)
    assert sources.last == 2
    steps.append(result(2, 7, site="b"))
    assert sources.last == 7
    found: list[Any] = sources.cited("A [1] b [2] c [7].")
    assert [one.url for one in found] == [
        "https://a.example/1",
        "https://b.example/2",
        "https://b.example/7",
    ]


def test_without_sources_nothing_is_cited() -> None:
    assert Sources([UserInputStep()]).last == 0
    assert Sources().cited("Rome [1].") == []


def test_files_are_cited_as_files() -> None:
    step = GoogleSearchResultStep(
        "c", [], signature=shown.sign([], {4: FileCitation(file_name="a.pdf", page_number=2)})
    )
    (one,) = Sources([step]).cited("So it is [4].")
    assert one == FileCitation(file_name="a.pdf", page_number=2, start_index=0, end_index=8)


@pytest.mark.parametrize("text", ["[1]" * 30_000, "a [1] " * 30_000, "[" * 100_000, "`" * 99_999])
def test_a_text_full_of_marks_takes_no_longer_than_its_length(text: str) -> None:
    assert len(Sources([result(1)]).cited(text)) <= 30_000
