"""`interplay admin`: bring a database up to date, move a data folder into one."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from interplay.contracts.transfer import Phase
    from interplay.settings import Settings

_MIGRATE_EPILOG = """\b
Examples:
  interplay admin migrate --database postgresql://user:secret@db/interplay
  interplay admin migrate --pre        before the first process of a new version
  interplay admin migrate --post       after the last process of the old one

\b
Exit codes: 0 it is up to date; 1 it could not be done, the message says why; 2 a setting is
wrong.
"""
_COPY_EPILOG = """\b
Examples:
  interplay admin copy --from ./data --to postgresql://user:secret@db/interplay
  interplay admin copy --from ./data --to postgresql://... --blobs-url s3://bucket/prefix

\b
Exit codes: 0 everything is there; 1 it could not be done, the message says why; 2 a setting is
wrong.
"""


@click.group()
def admin() -> None:
    """Bring a database up to date, move a data folder into one."""


@admin.command(epilog=_MIGRATE_EPILOG)
@click.option("--database", metavar="URL", help="postgresql://... (default: of the settings).")
@click.option("--data-dir", metavar="FOLDER", help="Where the database lies when it is a file.")
@click.option("--pre", "phase", flag_value="pre", help="Only what old processes can stand.")
@click.option("--post", "phase", flag_value="post", help="Only what they cannot.")
@click.option("--config", metavar="FILE", help="The settings file to read.")
def migrate(
    database: str | None, data_dir: str | None, phase: str | None, config: str | None
) -> None:
    """Bring a database up to date and say what was done.

    A server does the first half (--pre) by itself when it starts. The second half takes away what
    only older versions need, and waits for this command.
    """
    from interplay.server.migrating import migrate as bring_up_to_date

    settings = _settings(config, database=database, data_dir=data_dir)
    both: tuple[Phase, ...] = ("pre", "post")
    wanted: tuple[Phase, ...] = tuple(one for one in both if phase in (None, one))
    applied = _run(bring_up_to_date(settings, wanted))
    for name in applied:
        click.echo(f"{name}: applied")
    if not applied:
        click.echo("It is up to date.")


@admin.command(epilog=_COPY_EPILOG)
@click.option("--from", "folder", metavar="FOLDER", required=True, help="The data folder.")
@click.option("--to", "database", metavar="URL", required=True, help="postgresql://...")
@click.option("--blobs-url", metavar="URL", help="Where media go: s3://... or a folder.")
@click.option("--config", metavar="FILE", help="The settings file to read.")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing on the way.")
def copy(
    folder: str, database: str, blobs_url: str | None, config: str | None, quiet: bool
) -> None:
    """Copy everything in a data folder into a PostgreSQL database.

    The server of the folder must be stopped, and every interaction in it have ended. The folder
    stays as it is. A copy that was broken off goes on where it was when it is started again. At
    the end what is there is counted on both sides and compared.
    """
    from pathlib import Path

    from interplay.server.copying import copy_folder

    settings = _settings(config, database=database, blobs_url=blobs_url)
    if not settings.on_postgres:
        raise click.BadParameter("It is no postgresql:// URL.", param_hint="--to")

    def say(line: str) -> None:
        if not quiet:
            click.echo(line, err=True)

    tally = _run(copy_folder(Path(folder).expanduser(), settings, say))
    click.echo(
        f"{tally.interactions:,} interactions ({tally.bytes:,} bytes) and {tally.records:,} records"
        f" ({tally.record_bytes:,} bytes) are there, compared with the folder."
    )


def _settings(config: str | None, **given: str | None) -> Settings:
    from interplay.settings import load

    flags: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    return load(config=config, flags=flags).settings


def _run(work: Coroutine[Any, Any, Any]) -> Any:
    import asyncio

    from interplay.contracts.store import StoreUnavailable, StoreUnusable
    from interplay.server.copying import CopyDiffers, CopyRefused

    try:
        return asyncio.run(work)
    except (StoreUnusable, StoreUnavailable, CopyRefused, CopyDiffers) as error:
        raise click.ClickException(str(error)) from error
