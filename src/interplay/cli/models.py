"""`interplay models`: fetch, list and remove models of the catalogue."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from interplay.contracts.failure import Failure
from interplay.settings import DEFAULT_MODEL, SettingsError, load

if TYPE_CHECKING:
    from interplay.plugins.models.catalogue import Progress


@click.group()
def models() -> None:
    """Models that run beside the server: fetch, list, remove."""


@models.command()
@click.argument("name", default=DEFAULT_MODEL)
@click.option("--cache-dir", type=click.Path(file_okay=False), help="Where models lie.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")
def pull(name: str, cache_dir: str | None, as_json: bool) -> None:
    """Fetch the model NAME; goes on where an earlier pull was cut off."""
    import asyncio

    from interplay.plugins.models import catalogue

    try:
        entry = catalogue.find(name)
        path = asyncio.run(catalogue.pull(entry, _cache(cache_dir), _Line()))
    except Failure as failure:
        raise click.ClickException(failure.message) from failure
    if as_json:
        outcome = {"name": entry.name, "path": str(path), "size": entry.size}
        click.echo(json.dumps(outcome | {"sha256": entry.sha256, "licence": entry.licence}))
    else:
        click.echo(f"{entry.name} is ready: {path}")


@models.command(name="list")
@click.option("--cache-dir", type=click.Path(file_okay=False), help="Where models lie.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_(cache_dir: str | None, as_json: bool) -> None:
    """List the models of the catalogue and which of them are here."""
    from interplay.plugins.models import catalogue

    rows = catalogue.listed(_cache(cache_dir))
    if as_json:
        click.echo(json.dumps(rows))
        return
    for row in rows:
        click.echo(f"{row['name']:24}{row['state']:9}{_size(row['size']):>8}  {row['summary']}")


@models.command()
@click.argument("name")
@click.option("--cache-dir", type=click.Path(file_okay=False), help="Where models lie.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")
def rm(name: str, cache_dir: str | None, as_json: bool) -> None:
    """Remove the model NAME and what an unfinished pull of it left."""
    from interplay.plugins.models import catalogue

    try:
        freed = catalogue.remove(catalogue.find(name), _cache(cache_dir))
    except Failure as failure:
        raise click.ClickException(failure.message) from failure
    if as_json:
        click.echo(json.dumps({"name": name, "freed": freed}))
    else:
        click.echo(f"{name}: {freed / 1e6:.0f} MB freed" if freed else f"{name} was not here")


def _cache(given: str | None) -> Path:
    if given:
        return Path(given).expanduser()
    try:
        return load().settings.cache_path
    except SettingsError as error:
        raise click.ClickException(str(error)) from error


def _size(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e8 else f"{count / 1e6:.0f} MB"


class _Line:
    """Draws a pull on stderr: a bar that moves on a terminal, a line now and then elsewhere."""

    def __init__(self) -> None:
        self._live = sys.stderr.isatty()
        self._said = 0.0
        self._drawn = False

    def __call__(self, now: Progress) -> None:
        match now.phase:
            case "waiting":
                self._say(f"Another pull of {now.model} runs; waiting for it.")
            case "source":
                self._say(f"Fetching {now.model} ({_size(now.total)}) from {now.source}")
            case "failed":
                self._say(f"{now.source}: {now.message}")
            case "verifying":
                self._say(f"Verifying {now.model}")
            case "bytes":
                self._moved(now)
            case "ready":
                self._say("")

    def _moved(self, now: Progress) -> None:
        at = time.monotonic()
        every, share = (0.1 if self._live else 5.0), now.done / now.total
        if at - self._said < every and now.done < now.total:
            return
        self._said = at
        told = f"{share:4.0%}  {now.done / 1e6:,.0f} of {now.total / 1e6:,.0f} MB"
        if self._live:
            bar = "#" * int(share * 30)
            click.echo(f"\r[{bar:30}] {told} ", nl=False, err=True)
            self._drawn = True
        else:
            click.echo(told, err=True)

    def _say(self, line: str) -> None:
        if self._drawn:
            click.echo(err=True)
            self._drawn = False
        if line:
            click.echo(line, err=True)
