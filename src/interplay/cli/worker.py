"""`interplay worker`: a process that does background work and answers no requests."""

from __future__ import annotations

from typing import Any

import click

from interplay.cli.serve import start, with_settings

_EPILOG = """\b
Examples:
  interplay worker --database postgresql://user:secret@db/interplay
  interplay worker --shared --data-dir ./data     beside `interplay serve --shared`
  interplay worker --port 9090 --host 0.0.0.0     /health, /ready and /metrics on this port

Exit codes: 0 stopped on request; 1 it could not go on; 2 a setting is wrong.
"""


@click.command(epilog=_EPILOG)
@click.option("--host", metavar="ADDRESS", help="Address of its health page (127.0.0.1).")
@click.option(
    "--port", type=click.IntRange(0, 65_535), default=0, help="Port of that (default a free one)."
)
@with_settings
@click.pass_context
def worker(ctx: click.Context, config: str | None, more: tuple[str, ...], **given: Any) -> None:
    """Start a process that does background work only.

    It takes background interactions, webhook deliveries and triggers from the database it shares
    with the servers, and hands back what it runs when it is stopped.
    """
    start(ctx, config, more, {**given, "role": "worker"})
