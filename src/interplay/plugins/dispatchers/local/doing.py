"""A job that is being done here."""

from __future__ import annotations

import asyncio


class Doing:
    """Its task, and whether it was told to stop: then nothing more is said of it to the store."""

    def __init__(self) -> None:
        self.task: asyncio.Task[None] | None = None
        self.stopped = False

    def stop(self) -> None:
        """Cancels it, once."""
        if not self.stopped and self.task is not None:
            self.stopped = True
            self.task.cancel()
