"""Colour, width, and text that is safe to print."""

import io
import os
import subprocess
import sys

from interplay.cli.terminal import Paint, clean, columns, short, width


class Screen(io.StringIO):
    """An output that says it is a terminal."""

    def isatty(self):
        return True


def test_only_a_terminal_gets_colours(monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert Paint(Screen())("bold red", "x") == "\x1b[1;31mx\x1b[0m"
    assert Paint(io.StringIO())("red", "x") == "x"


def test_no_color_and_dumb_terminals_are_heeded(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")
    assert Paint(Screen())("red", "x") == "x"
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "dumb")
    assert Paint(Screen())("red", "x") == "x"


def test_a_prompt_tells_readline_what_takes_no_room(monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert Paint(Screen()).prompt("cyan", "> ") == "\x01\x1b[36m\x02> \x01\x1b[0m\x02"


def test_control_characters_become_visible_and_lines_stay():
    assert clean("a\tb\r\nc\x1b[31m\x9b\x00") == "a\tb\nc\\x1b[31m\\x9b\\x00"


def test_short_cuts_to_columns_and_counts_wide_letters_twice():
    assert short("ab\n  cd", 20) == "ab cd"
    assert short("abcdef", 4) == "abc…"
    assert short("日本語日本語", 5) == "日本…"
    assert columns("日e\u0301") == 3


def test_a_very_narrow_terminal_still_has_some_width(monkeypatch):
    monkeypatch.setenv("COLUMNS", "3")
    assert width() == 20


def test_an_encoding_without_the_letters_replaces_them():
    code = "from interplay.cli.terminal import tolerant; tolerant(); print('…é')"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        timeout=120,
    )
    assert (done.returncode, done.stdout.strip()) == (0, b"??")
