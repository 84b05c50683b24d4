"""When what is published is committed, and the ways in which a journal takes no more."""

from __future__ import annotations

import enum


class Durability(enum.Enum):
    """When an event is committed, seen from the moment it is published."""

    FIRST = "commit, then publish: a background run never shows what a crash could take back"
    BEHIND = "publish, commits follow in batches: a foreground stream"
    AT_END = "one write at the end: a foreground run nobody streams"
    NEVER = "store=false: nothing is written"


class Ended(Exception):
    """The journal takes no more events: the interaction was ended, or claimed by someone else."""


class OutputLimit(Exception):
    """The interaction has written as much as it may."""
