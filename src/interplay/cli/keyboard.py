"""Lines from the keyboard: prompts, editing, a history that stays, continuation lines."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from interplay.cli.terminal import Paint, asked_by_a_person

_HISTORY_LINES = 2_000


class Keyboard:
    """Reads what the user types; from a pipe it reads lines without prompting."""

    def __init__(self, completions: list[str]) -> None:
        self._paint = Paint(sys.stdout)
        self._person = asked_by_a_person()
        self._history = _history_file()
        if self._person:
            self._prepare(completions)

    def line(self, prompt: str) -> str | None:
        """One entry, without its line break; None at the end of input.

        A backslash at the end of a line goes on with the next. KeyboardInterrupt comes through.
        """
        parts: list[str] = []
        while True:
            try:
                part = input(self._paint.prompt("bold cyan", prompt) if self._person else "")
            except EOFError:
                return "\n".join(parts) if parts else None
            if not part.endswith("\\"):
                return "\n".join([*parts, part])
            parts.append(part[:-1])
            prompt = "… "

    def keep_history(self) -> str | None:
        """Writes the history for the next time; answers why when that fails."""
        if not self._person:
            return None
        try:
            import readline

            self._history.parent.mkdir(parents=True, exist_ok=True)
            readline.set_history_length(_HISTORY_LINES)
            self._history.touch(mode=0o600)
            readline.write_history_file(self._history)
        except ImportError:
            return None
        except OSError as error:
            return f"{self._history} cannot be written: {error.strerror}"
        return None

    def _prepare(self, completions: list[str]) -> None:
        try:
            import readline
        except ImportError:
            return  # a Python built without it still reads lines
        if self._history.is_file() and os.access(self._history, os.R_OK):
            readline.read_history_file(self._history)

        def complete(text: str, state: int) -> str | None:
            fitting = [name for name in completions if name.startswith(text)] if text else []
            return f"{fitting[state]} " if state < len(fitting) else None

        readline.set_completer_delims(" ")
        readline.set_completer(complete)
        readline.parse_and_bind("tab: complete")


def _history_file() -> Path:
    state = os.environ.get("XDG_STATE_HOME") or "~/.local/state"
    return Path(state).expanduser() / "interplay" / "chat_history"
