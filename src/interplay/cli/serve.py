"""`interplay serve`: start the server."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

_EPILOG = """\b
Examples:
  interplay serve
  interplay serve --port 9000 --data-dir ./data
  interplay serve --config interplay.toml --set limits.queue=500
  INTERPLAY_API_KEYS=alice:secret interplay serve --host 0.0.0.0
  interplay serve --role api --database postgresql://user:secret@db/interplay

Settings are read from flags, then the environment (INTERPLAY_PORT=9000), then the file
(--config, INTERPLAY_CONFIG or ./interplay.toml); `interplay config` prints the outcome,
`interplay config --example` a file to start from.

Exit codes: 0 stopped on request; 1 it could not go on; 2 a setting is wrong.
"""


_Command = Callable[..., None]

_FLAGS: tuple[Callable[[_Command], _Command], ...] = (
    click.option("--data-dir", metavar="FOLDER", help="Where the database and the blobs lie."),
    click.option("--cache-dir", metavar="FOLDER", help="Where models lie."),
    click.option("--database", metavar="URL", help="postgresql://... for many processes."),
    click.option(
        "--shared/--alone",
        default=None,
        help="Whether other processes on this machine use the same data folder.",
    ),
    click.option("--config", metavar="FILE", help="The settings file."),
    click.option("--log-level", type=click.Choice(["debug", "info", "warning", "error"])),
    click.option("--log-format", type=click.Choice(["text", "json"])),
    click.option("--model", "default_model", metavar="NAME", help="The default model."),
    click.option(
        "--set",
        "more",
        metavar="NAME=VALUE",
        multiple=True,
        help="Any other setting, e.g. limits.queue=500; may be repeated.",
    ),
)


def with_settings(command: _Command) -> _Command:
    """Adds the flags that every process of a server takes."""
    for flag in reversed(_FLAGS):
        command = flag(command)
    return command


@click.command(epilog=_EPILOG)
@click.option("--host", metavar="ADDRESS", help="Address to listen on (default 127.0.0.1).")
@click.option("--port", type=click.IntRange(0, 65_535), help="Port (default 8080; 0: a free one).")
@click.option(
    "--role",
    type=click.Choice(["all", "api", "worker"]),
    help="What this process does (default all): answer requests, do background work, or both.",
)
@with_settings
@click.pass_context
def serve(ctx: click.Context, config: str | None, more: tuple[str, ...], **given: Any) -> None:
    """Start the server.

    It answers POST /v1/interactions and the rest of the Interactions API, keeps what it is
    told under the data folder, and stops cleanly on Ctrl-C or SIGTERM.
    """
    start(ctx, config, more, given)


def start(
    ctx: click.Context, config: str | None, more: tuple[str, ...], given: dict[str, Any]
) -> None:
    """Runs a process of the server with these flags, until a signal ends it."""
    from interplay.settings import load

    flags: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    for name, value in (_assigned(item) for item in more):
        at = flags
        *tables, last = name.split(".")
        for table in tables:
            at = at.setdefault(table, {})
        at[last] = value
    sourced = load(config=config, flags=flags)

    from interplay.server.serve import serve as run

    try:
        ctx.exit(run(sourced))
    except KeyboardInterrupt:
        ctx.exit(0)  # it has shut down; the signal is handed on after that
    except SystemExit as ended:
        ctx.exit(1 if ended.code else 0)  # a start that failed; the log says why


def _assigned(item: str) -> tuple[str, Any]:
    name, equals, value = item.partition("=")
    if not equals or not all(name.split(".")):
        raise click.BadParameter(f"'{item}' is not NAME=VALUE.", param_hint="--set")
    from interplay.cli.settings_docs import is_list

    if is_list(name):
        return name, [part.strip() for part in value.split(",") if part.strip()]
    return name, value
