"""The slash commands of `interplay chat`."""

from __future__ import annotations

import difflib
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

from interplay.cli.chains import chain_to, texts_of
from interplay.cli.plain import objects
from interplay.cli.talk import Talk, names_of_models
from interplay.cli.terminal import Paint, clean, short, width

NAMES = {
    "/branch": "[N]     go on after exchange N; without N: after the one before the last",
    "/resume": "[ID]    take up an earlier conversation; without ID: choose from the latest",
    "/model": "[NAME]  talk to another model; without NAME: list them",
    "/system": "[TEXT]  set the system instruction; - clears it; without TEXT: show it",
    "/history": "        show the conversation",
    "/new": "        start a new conversation",
    "/thoughts": "        show or hide thoughts",
    "/save": "[FILE]  write the conversation to a file (.json: the whole interactions)",
    "/help": "        this list",
    "/quit": "        leave; Ctrl-D does too",
}
_LATEST = 10


class Commands:
    """Runs slash commands on a conversation and says what came of them."""

    def __init__(self, talk: Talk, out: TextIO) -> None:
        self._talk, self._out, self._paint = talk, out, Paint(out)
        self._offered: list[str] = []

    def run(self, line: str) -> bool:
        """Runs one; answers whether the user wants to leave. Raises what the client raises."""
        name, _, rest = line.strip().partition(" ")
        name = {"/exit": "/quit", "/q": "/quit", "/?": "/help"}.get(name, name)
        if name == "/quit":
            return True
        commands: dict[str, Callable[[str], None]] = {
            "/branch": self._branch,
            "/resume": self._resume,
            "/model": self._model,
            "/system": self._system,
            "/history": lambda _: self.history(),
            "/new": self._new,
            "/thoughts": self._thoughts,
            "/save": self._save,
            "/help": self._help,
        }
        if name in commands:
            commands[name](rest.strip())
            return False
        near = difflib.get_close_matches(name, NAMES, n=1)
        hint = f"Did you mean {near[0]}?" if near else "/help lists them."
        self.say(f"There is no {name}. {hint} A blank before the slash sends it as text.", "yellow")
        return False

    def say(self, line: str, style: str = "dim") -> None:
        """One line to the user."""
        self._out.write(self._paint(style, line) + "\n")
        self._out.flush()

    def history(self) -> None:
        """The conversation so far, numbered as /branch wants it."""
        for number, exchange in enumerate(self._talk.exchanges, start=1):
            self.say(f"{number}> {clean(exchange.asked)}", "bold green")
            self._out.write(clean(exchange.answered).rstrip("\n") + "\n")
        if not self._talk.exchanges:
            self.say("Nothing has been said yet.")
        self._out.flush()

    def _branch(self, rest: str) -> None:
        count = len(self._talk.exchanges)
        try:
            number = int(rest) if rest else max(0, count - 1)
            self._talk.branch(number)
        except (ValueError, IndexError):
            self.say(f"/branch wants a number from 0 to {count}; /history shows them.", "yellow")
            return
        after = f"after exchange {number}" if number else "from the start"
        self.say(f"Going on {after}. What was said beyond it stays on the server.")

    def _resume(self, rest: str) -> None:
        if not rest:
            self._offer()
            return
        id = rest
        if rest.isdigit() and 1 <= int(rest) <= len(self._offered):
            id = self._offered[int(rest) - 1]
        self._talk.resume(id)
        self.history()
        self.say(f"Going on with {self._talk.model}.")

    def _offer(self) -> None:
        page = self._talk.api.get("interactions", {"page_size": _LATEST})
        self._offered = [str(row["id"]) for row in objects(page.get("interactions"))]
        for number, id in enumerate(self._offered, start=1):
            found = self._talk.api.get(f"interactions/{id}")
            asked = texts_of(found, "user_input") or "(no text)"
            head = f"{number:3}  {str(found.get('created'))[:16].replace('T', ' ')}  "
            self.say(head + short(asked, max(10, width() - len(head))))
        what = "/resume NUMBER takes one up." if self._offered else "There is none yet."
        self.say(what)

    def _model(self, rest: str) -> None:
        if not rest:
            for name in names_of_models(self._talk.api):
                mark = "*" if name == self._talk.model else " "
                self.say(f" {mark} {clean(name)}")
            return
        there = names_of_models(self._talk.api)
        self._talk.model = rest
        known = rest in there or any("*" in name for name in there)
        self.say(f"Talking to {rest}." if known else f"Talking to {rest}; it is not listed here.")

    def _system(self, rest: str) -> None:
        if rest:
            system = None if rest == "-" else rest
            self._talk.given = self._talk.given._replace(system=system)
        self.say(f"System instruction: {clean(self._talk.given.system or 'none')}")

    def _new(self, _: str) -> None:
        self._talk.branch(0)
        self.say("A new conversation.")

    def _thoughts(self, _: str) -> None:
        shown = not self._talk.given.thoughts
        self._talk.given = self._talk.given._replace(thoughts=shown)
        self.say(f"Thoughts are {'shown' if shown else 'hidden'}.")

    def _save(self, rest: str) -> None:
        if self._talk.tip is None:
            self.say("Nothing has been said yet.")
            return
        path = Path(rest or time.strftime("interplay-%Y%m%d-%H%M%S.md")).expanduser()
        if path.suffix == ".json":
            found = chain_to(self._talk.api, self._talk.tip)
            text = json.dumps(found, indent=2, ensure_ascii=False) + "\n"
        else:
            text = self._markdown()
        try:
            with path.open("x", encoding="utf-8") as file:
                file.write(text)
        except FileExistsError:
            self.say(f"{path} is there already; name another file.", "yellow")
        except OSError as error:
            self.say(f"{path} cannot be written: {error.strerror}", "red")
        else:
            self.say(f"Saved to {path}.")

    def _markdown(self) -> str:
        parts = [f"# Conversation with {self._talk.model}\n"]
        if self._talk.given.system:
            parts.append(f"System instruction: {self._talk.given.system}\n")
        for exchange in self._talk.exchanges:
            asked = "\n".join(f"> {line}" for line in exchange.asked.split("\n"))
            parts.append(f"{asked}\n\n{exchange.answered.strip()}\n\n<!-- {exchange.id} -->\n")
        return "\n".join(parts)

    def _help(self, _: str) -> None:
        for name, line in NAMES.items():
            self.say(f"{name:10}{line}")
        self.say("A line that ends with a backslash goes on in the next.")
