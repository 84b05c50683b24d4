"""Paths and echoes as they stand in a fault's message."""

from __future__ import annotations

import pytest

from interplay.wire.fault import at, got, short, show


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ((), ""),
        (("tools", 0, "parameters"), "tools[0].parameters"),
        ((0, "a"), "[0].a"),
        (("labels", "a b"), 'labels["a b"]'),
        (("labels", "a.b"), 'labels["a.b"]'),
        (("x-y_z",), "x-y_z"),
    ],
)
def test_a_path_is_dotted_with_indexes(path: tuple[str | int, ...], text: str):
    assert show(path) == text
    assert at(path) == (f" at '{text}'" if text else "")


def test_an_echo_is_short_and_visible():
    assert short("é") == "é"
    assert short("x" * 61) == "x" * 59 + "…"
    assert short("\x1b[31m\u200b") == r"\x1b[31m\u200b"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "null"),
        (False, "boolean false"),
        ("a", "string 'a'"),
        (2.5, "number 2.5"),
        ({"a": 1}, "object"),
        ([1], "array"),
        (10**100, "number beyond 128 bits"),
    ],
)
def test_a_value_is_named_by_kind(value: object, words: str):
    assert got(value) == words
