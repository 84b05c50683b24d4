"""Which server a command talks to: --url and --key, their defaults, and what failing means."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from interplay.cli.client import Api, ApiFault

Command = TypeVar("Command", bound=Callable[..., Any])

KEY_VARIABLES = ("INTERPLAY_API_KEY", "GEMINI_API_KEY", "GOOGLE_API_KEY")


class Failed(click.ClickException):
    """The interaction, or the call, did not end well: exit code 1."""

    exit_code = 1


class NotReachable(click.ClickException):
    """No server answers: exit code 3."""

    exit_code = 3


class BadSettings(click.ClickException):
    """A setting is wrong: exit code 2."""

    exit_code = 2


def server_options(command: Command) -> Command:
    """Adds --url and --key."""
    command = click.option(
        "--key",
        metavar="KEY",
        help="The API key; default: INTERPLAY_API_KEY, GEMINI_API_KEY or GOOGLE_API_KEY.",
    )(command)
    return click.option(
        "--url",
        metavar="URL",
        help="The server; default: INTERPLAY_URL, else host and port of the settings.",
    )(command)


def connect(url: str | None, key: str | None) -> Api:
    """The server that --url and --key, the environment or the settings name."""
    from interplay.cli.client import Api

    try:
        return Api(
            url or os.environ.get("INTERPLAY_URL") or settings_url(), key or key_of_environment()
        )
    except ValueError as error:
        raise click.UsageError(str(error)) from error


def key_of_environment() -> str | None:
    """The first key the environment has."""
    found = (os.environ.get(name) for name in KEY_VARIABLES)
    return next((value for value in found if value), None)


def settings_url(config: str | None = None) -> str:
    """The URL a server with the present settings listens at."""
    from interplay.settings import SettingsError, load

    try:
        settings = load(config=config).settings
    except SettingsError as error:
        raise BadSettings(str(error)) from error
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http://{host}:{settings.port}"


def default_model() -> str:
    """The model of the settings that `chat` and `ask` use."""
    from interplay.settings import SettingsError, load

    try:
        return load().settings.default_model
    except SettingsError as error:
        raise BadSettings(str(error)) from error


def client_errors() -> tuple[type[Exception], ...]:
    """What the client and the settings raise; imported once something has been raised."""
    from interplay.cli.client import ApiFault, StreamLost, Unreachable
    from interplay.settings import SettingsError

    return ApiFault, StreamLost, Unreachable, SettingsError


def explained(error: Exception) -> click.ClickException:
    """What a command says about one of client_errors()."""
    from interplay.cli.client import ApiFault, StreamLost, Unreachable

    if isinstance(error, Unreachable):
        return NotReachable(
            f"{error}\nStart one with `interplay serve`, or name another with --url;"
            " `interplay doctor` looks for the cause."
        )
    if isinstance(error, ApiFault):
        return Failed(_refusal(error))
    if isinstance(error, StreamLost):
        return Failed(f"{error} It cannot be resumed.")
    return BadSettings(str(error))


def _refusal(fault: ApiFault) -> str:
    from interplay.cli.terminal import clean

    said = clean(fault.message)
    told = f"{said} [{fault.code}]" if fault.code else said
    if fault.status == 401:
        told += "\nGive the key with --key or in INTERPLAY_API_KEY."
    return told
