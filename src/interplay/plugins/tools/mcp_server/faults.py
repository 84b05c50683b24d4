"""What goes wrong between this server and a remote one, in words a caller may read."""

from __future__ import annotations

import re
import secrets

from interplay.contracts.failure import Failure, Unavailable

_MARK = re.compile(r"interplay-fault-[0-9a-f]{32}")
_KEPT = 64


class SessionLost(Unavailable):
    """The server forgot the session: nothing was done, and a new session may ask again."""


class Faults:
    """Failures on their way through the MCP package, which carries texts and no exceptions: each
    goes in as a mark that nobody else can guess and comes out as what it was."""

    def __init__(self) -> None:
        self._held: dict[str, Failure] = {}

    def mark(self, failure: Failure) -> str:
        """The mark that stands for a failure."""
        while len(self._held) >= _KEPT:
            self._held.pop(next(iter(self._held)))
        mark = f"interplay-fault-{secrets.token_hex(16)}"
        self._held[mark] = failure
        return mark

    def of(self, text: str) -> Failure | None:
        """The failure a text carries the mark of."""
        found = _MARK.search(text)
        return self._held.pop(found[0], None) if found else None


def short(text: str, longest: int = 300) -> str:
    """Words of a server in one line."""
    line = " ".join(text.split())
    return line if len(line) <= longest else f"{line[:longest]}..."
