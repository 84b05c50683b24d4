"""`interplay sandbox`: whether sandboxes hold here, and the packages they have."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import click

from interplay.contracts.failure import Failure
from interplay.settings import Settings, SettingsError, load

if TYPE_CHECKING:
    from interplay.contracts.sandbox import Check

_STATES = {"ok": "green", "soft": "yellow", "fail": "red"}
_USUAL = ("numpy", "pandas", "matplotlib")


@click.group()
def sandbox() -> None:
    """Where code of models runs: check that it is isolated, give it packages."""


@sandbox.command()
@click.option("--config", metavar="FILE", help="The settings file to read.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def check(ctx: click.Context, config: str | None, as_json: bool) -> None:
    """Check that sandboxes can be had here and that nothing gets out of them.

    Looks at what the backend needs, then opens a sandbox and tries the known ways out of it: to
    files, processes, the kernel and the network of this machine. Takes a second or two.

    \b
    Exit codes: 0 isolation holds (a limit may be soft); 1 it does not, or a way out was found.
    """
    import asyncio

    from interplay.cli.isolation import examine

    settings = _settings(config)
    try:
        checks = asyncio.run(examine(settings))
    except (Failure, SettingsError) as error:
        raise click.ClickException(str(error)) from error
    if as_json:
        import msgspec

        found = [msgspec.to_builtins(check) | {"state": _state(check)} for check in checks]
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
    else:
        _print(checks)
    ctx.exit(1 if any(_state(check) == "fail" for check in checks) else 0)


@sandbox.command()
@click.argument("packages", nargs=-1)
@click.option("--upgrade", is_flag=True, help="Install again, in the newest versions.")
@click.option("--config", metavar="FILE", help="The settings file to read.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")
def setup(packages: tuple[str, ...], upgrade: bool, config: str | None, as_json: bool) -> None:
    """Install Python PACKAGES for sandboxes: numpy, pandas and matplotlib when none is named.

    They are wheels of the package index pip uses; nothing is built. Sandboxes read them, none can
    change them; a server that runs need not be started again. What is there already is left.
    """
    from interplay.cli import packing
    from interplay.cli.isolation import backend

    settings = _settings(config)
    try:
        place = backend(settings).packages()
        if place is None:
            raise click.ClickException("This backend of sandboxes has packages of its own.")
        wanted = packages or _USUAL
        missing = list(wanted) if upgrade else packing.missing(place.folder, wanted)
        if missing:
            click.echo(f"Installing {', '.join(missing)} into {place.folder}", err=True)
            packing.install(place, missing)
    except (Failure, SettingsError, packing.NotPacked) as error:
        raise click.ClickException(str(error)) from error
    if as_json:
        outcome = {"folder": str(place.folder), "python": str(place.python), "installed": missing}
        click.echo(json.dumps(outcome))
    elif missing:
        click.echo(f"{', '.join(missing)}: ready in {place.folder}")
    else:
        click.echo(f"{', '.join(wanted)}: already in {place.folder}")


def _settings(config: str | None) -> Settings:
    try:
        return load(config=config).settings
    except SettingsError as error:
        raise click.ClickException(str(error)) from error


def _state(check: Check) -> str:
    if check.passed:
        return "ok"
    return "fail" if check.required else "soft"


def _print(checks: list[Check]) -> None:
    from interplay.cli.terminal import Paint, clean

    paint = Paint(sys.stdout)
    width = max(len(check.name) for check in checks) + 2
    for check in checks:
        state = _state(check)
        painted = paint(_STATES[state], state.ljust(4))
        click.echo(f"{painted}  {check.name.ljust(width)}{clean(check.found)}")
        if check.way_out and not check.passed:
            click.echo(f"      {' ' * width}{paint('bold', clean(check.way_out))}")
