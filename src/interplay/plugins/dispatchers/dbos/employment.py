"""A dispatcher that works joins DBOS in this process, or starts it; the last one ends it."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Collection
from importlib import import_module
from typing import TYPE_CHECKING

from interplay.contracts.store import StoreAway, StoreUnusable

if TYPE_CHECKING:
    from interplay.plugins.dispatchers.dbos.engine import Engine, Taker

_log = logging.getLogger("interplay.dispatch")


async def employ(url: str, taker: Taker, kinds: Collection[str]) -> Engine:
    """Has DBOS bring work to a dispatcher; waits until the database is there for that."""
    await asyncio.to_thread(_imported)
    from interplay.plugins.dispatchers.dbos.engine import Engine

    pause = 0.1
    while True:
        try:
            if Engine.here is None:
                await Engine(url, taker.executor).start(kinds)
            if Engine.here is not None:
                engine = Engine.here
                try:
                    await engine.add(taker, kinds)
                except BaseException:
                    if not engine.takers:
                        await engine.stop()
                    raise
                return engine
        except (StoreAway, StoreUnusable) as error:
            _log.warning("DBOS does not run yet: %s", error)
        except Exception:  # noqa: BLE001 - nothing would be done here ever again
            _log.exception("DBOS does not run yet")
        await asyncio.sleep(pause)
        pause = min(2 * pause, 2.0)


async def dismiss(engine: Engine, taker: Taker) -> None:
    """Takes a dispatcher from DBOS. DBOS ends with the one it runs under: its name counts as dead
    then. Who else works here in this process is employed anew, under another name."""
    engine.takers.remove(taker)
    if engine.executor == taker.executor or not engine.takers:
        await engine.stop()
        for other in engine.takers:
            other.dismissed()


def engine_here() -> Engine | None:
    """DBOS in this process, where it runs; without importing it."""
    module = sys.modules.get("interplay.plugins.dispatchers.dbos.engine")
    return module.Engine.here if module is not None else None


def _imported() -> None:
    """Imports DBOS, which takes a second, beside the event loop."""
    import_module("interplay.plugins.dispatchers.dbos.engine")
