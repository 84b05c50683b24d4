"""What DBOS logs goes where everything goes, and not the same line many times a second."""

from __future__ import annotations

import logging
import time

EVERY = 10.0
"""Seconds in which a line of the source of DBOS is heard once."""


class Once(logging.Filter):
    """Lets a place in the source be heard once in a while."""

    def __init__(self, seconds: float = EVERY) -> None:
        super().__init__()
        self._seconds = seconds
        self._heard: dict[tuple[str, int], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        place, now = (record.module, record.lineno), time.monotonic()
        if now < self._heard.get(place, 0.0):
            return False
        self._heard[place] = now + self._seconds
        return record.module != "_outcome"  # every job that is handed back is a cancelled task


def quieten() -> None:
    """Makes DBOS log through the root logger; it would write to stderr in a form of its own."""
    logger = logging.getLogger("dbos")
    if not any(isinstance(each, Once) for each in logger.filters):
        logger.addHandler(logging.NullHandler())
        logger.addFilter(Once())
    logger.setLevel(logging.WARNING)
    logger.propagate = True
