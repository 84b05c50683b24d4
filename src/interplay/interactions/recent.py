"""What was used lately, bounded by its weight."""

from __future__ import annotations

import time
from collections import OrderedDict
from typing import Any


class Recent:
    """Values by key; the least used go first. Only read what comes out: it is shared."""

    def __init__(self, most: int) -> None:
        self._most, self._weight = most, 0
        self._kept: OrderedDict[str, tuple[Any, int, float | None]] = OrderedDict()

    def get(self, key: str) -> Any:
        """The value; None when it is not there any more."""
        kept = self._kept.get(key)
        if kept is None:
            return None
        if kept[2] is not None and kept[2] <= time.monotonic():
            self._drop(key)
            return None
        self._kept.move_to_end(key)
        return kept[0]

    def put(self, key: str, value: Any, weight: int, seconds: float | None = None) -> None:
        """Keeps a value, for so many seconds at most; one that would push out all others is not
        kept."""
        self._drop(key)
        if weight > self._most:
            return
        until = time.monotonic() + seconds if seconds is not None else None
        self._kept[key] = (value, weight, until)
        self._weight += weight
        while self._weight > self._most:
            self._drop(next(iter(self._kept)))

    def _drop(self, key: str) -> None:
        kept = self._kept.pop(key, None)
        if kept is not None:
            self._weight -= kept[1]
