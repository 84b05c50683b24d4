"""The tables of the dispatcher and of DBOS, made where they are missing."""

from __future__ import annotations

import asyncio

from interplay.contracts.store import StoreUnusable
from interplay.plugins.dispatchers.dbos.link import Link, pg


async def make_tables(link: Link) -> None:
    """Makes what is missing, one process at a time. Raises StoreUnusable, StoreAway.

    A process that works has DBOS renew its tables to its own version besides, when it starts.
    """
    ours, theirs = (await link.fetch("there"))[0]
    try:
        if not theirs:
            await asyncio.to_thread(_theirs, link.url)
        if not ours:
            await link.script("tables")
    except pg.PostgresError as error:
        raise StoreUnusable(f"The tables of the dispatcher cannot be made: {error}") from error


def _theirs(url: str) -> None:
    from interplay.plugins.dispatchers.dbos.engine import migrate

    migrate(url)
