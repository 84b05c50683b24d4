"""Filters over metadata, right ones and wrong ones."""

from __future__ import annotations

import pytest

from interplay.files.faults import Unusable
from interplay.files.search.filters import metadata_of, parsed
from interplay.wire.search_store import CustomMetadata, StringList

GIVEN = {"author": "Kant", "year": 1781.0, "tags": ["reason", "critique"]}


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ('author = "Kant"', True),
        ("author = 'Kant' AND year >= 1781", True),
        ("author=Kant AND year<1781", False),
        ('author != "Hume"', True),
        ('author:"kan"', True),
        ('tags:"reason"', True),
        ('tags:"rea"', False),
        ('NOT tags:"reason"', False),
        ("-year = 1781", False),
        ("year = -5 OR year = 1781", True),
        ('author = "Hume" AND year = 1 OR year = 1781', False),
        ('(author = "Hume" AND year = 1) OR year = 1781', True),
        ("NOT (year > 2000)", True),
        ("missing = 1", False),
        ("NOT missing = 1", True),
        ('year = "1781"', False),
        ("year > 1700.5", True),
        ("", True),
    ],
)
def test_a_filter_holds_or_not(text: str, holds: bool) -> None:
    assert parsed(text)(GIVEN) is holds


@pytest.mark.parametrize(
    "text",
    [
        *("author", "author =", "= 3", "(year = 1", "year = 1)", "year ~ 1", 'author = "open'),
        *("a = 1 b = 2", "AND", "(" * 40 + "a=1" + ")" * 40, "a = 1 AND " * 600 + "a = 1"),
    ],
)
def test_what_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(Unusable, match="metadata_filter"):
        parsed(text)


def test_metadata_of_the_wire_is_a_plain_object() -> None:
    given = [
        CustomMetadata("a", string_value="x"),
        CustomMetadata("b", numeric_value=0.0),
        CustomMetadata("c", string_list_value=StringList(["y"])),
    ]
    assert metadata_of(given) == {"a": "x", "b": 0.0, "c": ["y"]}
