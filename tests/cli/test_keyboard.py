"""Lines from the keyboard and from pipes."""

import io

import pytest

from interplay.cli.keyboard import Keyboard


@pytest.fixture
def typed(monkeypatch):
    def make(text):
        monkeypatch.setattr("sys.stdin", io.StringIO(text))
        return Keyboard(["/help"])

    return make


def test_lines_come_one_by_one_until_the_end(typed, capsys):
    keyboard = typed("one\n\ntwo")
    assert [keyboard.line("> ") for _ in range(4)] == ["one", "", "two", None]
    assert capsys.readouterr().out == ""


def test_a_backslash_goes_on_in_the_next_line(typed):
    keyboard = typed("one\\\ntwo\\\n\nthree\\")
    assert [keyboard.line("> ") for _ in range(3)] == ["one\ntwo\n", "three", None]


def test_a_pipe_leaves_no_history(typed, tmp_path):
    assert typed("x\n").keep_history() is None
    assert not (tmp_path / "state").exists()
