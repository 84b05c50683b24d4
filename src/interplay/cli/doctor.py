"""`interplay doctor`: what is wrong with this installation, and the way out."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from interplay.cli.connection import key_of_environment, server_options, settings_url

if TYPE_CHECKING:
    from interplay.cli.checks import Check

_STYLES = {"ok": "green", "warn": "yellow", "fail": "red"}


@click.command()
@server_options
@click.option("--config", metavar="FILE", help="The settings file to read.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def doctor(
    ctx: click.Context, url: str | None, key: str | None, config: str | None, as_json: bool
) -> None:
    """Check this installation and say the way out.

    Looks at Python and packages, settings, the data folder and its disk, the models that are
    here, the sandbox, keys, the port, and the server that answers there. Changes nothing.

    \b
    Exit codes: 0 nothing failed (there may be warnings); 1 something failed.
    """
    checks = _checks(config, url, key)
    if as_json:
        import msgspec

        found = list(checks)
        click.echo(json.dumps(msgspec.to_builtins(found), indent=2, ensure_ascii=False))
    else:
        found = _print(checks)
    ctx.exit(1 if any(check.state == "fail" for check in found) else 0)


def _checks(config: str | None, url: str | None, key: str | None) -> Iterator[Check]:
    from interplay.cli.checks import Check, every, installation
    from interplay.settings import SettingsError, load

    try:
        settings = load(config=config).settings
    except SettingsError as error:
        yield from installation()
        yield Check("settings", "fail", str(error), "`interplay config --example` shows them all.")
        return
    key = key or key_of_environment()
    yield Check("settings", "ok", "they hold; `interplay config` prints them")
    yield from every(settings, url or os.environ.get("INTERPLAY_URL") or settings_url(config), key)


def _print(checks: Iterator[Check]) -> list[Check]:
    from interplay.cli.terminal import Paint, clean

    paint = Paint(sys.stdout)
    found: list[Check] = []
    for check in checks:
        found.append(check)
        state = paint(_STYLES[check.state], check.state.ljust(4))
        click.echo(f"{state}  {check.name.ljust(14)}{clean(check.found)}")
        if check.way_out:
            click.echo(f"      {' ' * 14}{paint('bold', clean(check.way_out))}")
    return found
