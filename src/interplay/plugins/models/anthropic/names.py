"""Names and ids as the API takes them: letters, digits, '_' and '-'."""

from __future__ import annotations

import hashlib
import re

_LONGEST = 64
_OTHERS = re.compile(r"[^A-Za-z0-9_-]")


def fitting(name: str) -> str:
    """The name itself where the API takes it, else one made of it that no other name has."""
    if name and len(name) <= _LONGEST and not _OTHERS.search(name):
        return name
    mark = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{_OTHERS.sub('_', name)[: _LONGEST - 9]}_{mark}"


class Ids:
    """Ids of the calls of one conversation: fitting, and no two the same."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def new(self, id: str) -> str:
        """The id under which the server sees a call; the same one twice would mix up results."""
        unique, again = fitting(id), 1
        while unique in self._taken:
            again += 1
            unique = fitting(f"{id}_{again}")
        self._taken.add(unique)
        return unique
