"""Bringing the database up to date, while other processes use it.

Each script of `migrations` is applied once, in the order of the numbers. `pre` scripts are safe
while processes of the version before still run: the first new process applies them when it opens
the store. `post` scripts take away what only older versions needed; they wait for `interplay
admin migrate`, except in a new database, which has no older users.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NamedTuple

from interplay.contracts.store import StoreUnusable
from interplay.contracts.transfer import Phase
from interplay.plugins.stores.postgres.faults import NewerSchema, place
from interplay.plugins.stores.postgres.link import transaction

OLDEST_SERVER = 15
_LOCK = 0x496E746572706C61
"""Held by the process that changes the schema, until its transaction ends."""
# Read from the tables of the catalogue: what a session remembers of names may be older than a lock.
_IS_THERE = """
SELECT EXISTS (
  SELECT 1 FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname = 'interplay' AND c.relname = 'migrations'
)"""
_APPLIED = "SELECT number, name, phase FROM interplay.migrations"
_BEGINNING = """
CREATE SCHEMA IF NOT EXISTS interplay;
CREATE TABLE IF NOT EXISTS interplay.migrations (
  number integer PRIMARY KEY,
  name text NOT NULL,
  phase text NOT NULL,
  applied timestamptz NOT NULL DEFAULT now()
)"""


class Script(NamedTuple):
    """One migration."""

    number: int
    phase: Phase
    name: str
    sql: str


def scripts(folder: Path | None = None) -> list[Script]:
    """The migrations of a folder (of this package), in their order."""
    found: list[Script] = []
    for path in (folder or Path(__file__).parent / "migrations").glob("*.sql"):
        parts = re.fullmatch(r"(\d{4})_(pre|post)_(\w+)", path.stem)
        if parts is not None:
            phase: Phase = "pre" if parts[2] == "pre" else "post"
            found.append(Script(int(parts[1]), phase, path.stem, path.read_text("utf-8")))
    return sorted(found)


async def bring_up_to_date(
    connection: Any, url: str, known: list[Script], phases: tuple[Phase, ...] = ("pre",)
) -> list[str]:
    """Applies what is missing, all of it or nothing; the names of what was applied.

    Raises NewerSchema, and StoreUnusable for a server that is too old or not in UTF-8.
    """
    await _check_server(connection, url)
    if await _missing(connection, url, known, phases) == []:
        return []
    async with transaction(connection):
        await connection.execute("SET LOCAL statement_timeout = 0")
        await connection.fetch("SELECT pg_advisory_xact_lock($1)", _LOCK)
        missing = await _missing(connection, url, known, phases)
        if missing is None and "pre" not in phases:
            raise StoreUnusable(f"The database {place(url)} is empty: nothing is to be taken away.")
        if missing is None:
            await connection.execute(_BEGINNING)
            missing = known
        for script in missing:
            await connection.execute(script.sql)
            await connection.execute(
                "INSERT INTO interplay.migrations (number, name, phase) VALUES ($1, $2, $3)",
                script.number,
                script.name,
                script.phase,
            )
        return [script.name for script in missing]


async def _missing(
    connection: Any, url: str, known: list[Script], phases: tuple[Phase, ...]
) -> list[Script] | None:
    """What is to be applied; None when the database is new."""
    if not await connection.fetchval(_IS_THERE):
        return None
    rows = await connection.fetch(_APPLIED)
    applied = {row[0] for row in rows}
    numbers = {script.number for script in known}
    newer = [name for number, name, phase in rows if phase == "post" and number not in numbers]
    if newer:
        raise NewerSchema(place(url), sorted(newer))
    missing = [script for script in known if script.number not in applied]
    kept = [one for one in missing if one.phase not in phases]
    late = [one for one in missing if one.phase in phases and kept and one.number > kept[0].number]
    if late:
        # A script may build on those before it.
        way = "run `interplay admin migrate`" + (" --pre" if kept[0].phase == "pre" else "")
        raise StoreUnusable(
            f"The database {place(url)} lacks {kept[0].name}, which comes before {late[0].name}."
            f" First {way}; for a `post` script every process of an older version must be stopped."
        )
    return [one for one in missing if one.phase in phases]


async def _check_server(connection: Any, url: str) -> None:
    version: int = connection.get_server_version().major
    if version < OLDEST_SERVER:
        raise StoreUnusable(
            f"The database {place(url)} is PostgreSQL {version}; {OLDEST_SERVER} or newer is"
            " needed."
        )
    encoding = await connection.fetchval("SHOW server_encoding")
    if encoding != "UTF8":
        raise StoreUnusable(
            f"The database {place(url)} holds its texts as {encoding}. Create one with"
            " ENCODING 'UTF8'."
        )
