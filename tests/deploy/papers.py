"""What the deployment papers promise the `interplay` command and its settings."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from interplay.cli.program import program
from interplay.settings import _kind

DEPLOY = Path(__file__).parents[2] / "deploy"


def understood(arguments: list[str]) -> str:
    """Parses a command line without running it; answers the command's path."""
    command: click.Command = program
    context = click.Context(command, info_name="interplay")
    rest = list(arguments)
    while isinstance(command, click.Group):
        _, found, rest = command.resolve_command(context, rest)
        assert found is not None, shlex.join(arguments)
        command = found
        context = click.Context(command, parent=context, info_name=command.name)
    with command.make_context(command.name, rest, parent=context.parent) as parsed:
        return parsed.command_path


def is_setting(variable: str) -> bool:
    """Whether an environment variable names a setting of the server."""
    keys = variable.removeprefix("INTERPLAY_").lower().split("__")
    return variable == "INTERPLAY_CONFIG" or _kind(keys) is not None
