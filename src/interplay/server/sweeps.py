"""Looks, again and again, for what a crash forgot."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from interplay.contracts.store import StoreUnavailable

log = logging.getLogger("interplay.server")


async def sweeping(name: str, sweep: Callable[[], Awaitable[object]], seconds: float) -> None:
    """Calls `sweep` every so many seconds until it is cancelled, whatever goes wrong meanwhile."""
    while True:
        await asyncio.sleep(seconds)
        try:
            await sweep()
        except StoreUnavailable as error:
            log.warning("overdue %s wait: %s", name, error)
        except Exception:
            # A fault here must not end it: what a crash left would be lost from then on.
            log.exception("looking for overdue %s failed", name)
