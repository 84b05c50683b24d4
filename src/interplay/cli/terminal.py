"""What the commands know about the terminal: colour, width, and text that is safe to print."""

from __future__ import annotations

import os
import re
import shutil
import sys
import unicodedata
from typing import TextIO

_STYLES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class Paint:
    """Colours for one output: plain text unless it is a terminal that wants colours."""

    def __init__(self, out: TextIO) -> None:
        self.live = out.isatty()
        self.on = self.live and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"

    def __call__(self, style: str, text: str) -> str:
        """`text` in a style of _STYLES, or in several ("bold red")."""
        if not self.on or not text:
            return text
        codes = ";".join(_STYLES[name] for name in style.split())
        return f"\x1b[{codes}m{text}\x1b[0m"

    def prompt(self, style: str, text: str) -> str:
        """The same for a prompt: readline is told which characters take no room."""
        painted = self(style, text)
        return re.sub(r"(\x1b\[[0-9;]*m)", "\x01\\1\x02", painted)


def clean(text: str) -> str:
    """Text of others without what could steer a terminal: control characters, but for line
    breaks and tabs, become visible."""
    return _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text.replace("\r\n", "\n"))


def width() -> int:
    """Columns there are to write in; 80 where nobody knows."""
    return max(20, shutil.get_terminal_size().columns)


def columns(text: str) -> int:
    """Columns a text takes: wide characters take two, combining ones none."""
    total = 0
    for letter in text:
        if unicodedata.combining(letter):
            continue
        total += 2 if unicodedata.east_asian_width(letter) in "WF" else 1
    return total


def short(text: str, room: int) -> str:
    """The text on one line, cut to `room` columns with an ellipsis."""
    line = " ".join(clean(text).split())
    if columns(line) <= room:
        return line
    kept: list[str] = []
    used = 0
    for letter in line:
        used += columns(letter)
        if used > room - 1:
            break
        kept.append(letter)
    return "".join(kept) + "…"


def tolerant() -> None:
    """Lets stdout and stderr replace what their encoding cannot hold instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")


def silence() -> None:
    """After a broken pipe: what is still buffered for stdout goes nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def asked_by_a_person() -> bool:
    """Whether someone sits at the keyboard, not a file or a pipe."""
    return sys.stdin is not None and sys.stdin.isatty()
