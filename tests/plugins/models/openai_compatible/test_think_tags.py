"""Thoughts between marks are told from text."""

import pytest

from tests.plugins.models.openai_compatible.test_reader import read
from tests.plugins.models.openai_compatible.upstream import text

TAGS = {"think_tags": ("<think>", "</think>")}


@pytest.mark.parametrize("size", [1, 2, 5, 100])
def test_thoughts_between_marks_are_told_from_text_however_they_are_cut(size: int):
    words = "<think>\nis 2 < 3 ?\n</think>\n\nyes <b>2</b>"
    parts = [text(words[at : at + size]) for at in range(0, len(words), size)]
    found = read(*parts, **TAGS)
    assert found.thought == "is 2 < 3 ?\n"
    assert found.text == "yes <b>2</b>"


def test_a_mark_that_never_comes_whole_is_text():
    assert read(text("a <thi"), **TAGS).text == "a <thi"


def test_an_answer_that_begins_inside_a_thought_is_split_at_the_closing_mark():
    found = read(text("hm</think>yes"), starts_in_thought=True, **TAGS)
    assert (found.thought, found.text) == ("hm", "yes")


def test_marks_are_text_where_nobody_asked_for_them():
    assert read(text("<think>x</think>")).text == "<think>x</think>"
