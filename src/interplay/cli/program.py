"""The `interplay` command: its subcommands, its exit codes, and what ends it."""

from __future__ import annotations

import sys
from typing import Any

import click

from interplay import __version__
from interplay.cli.connection import client_errors, explained
from interplay.cli.lazy import LazyGroup
from interplay.cli.terminal import silence, tolerant

INTERRUPTED, PIPE_CLOSED = 130, 141
"""Exit codes a shell gives to SIGINT and SIGPIPE."""

_EPILOG = """\b
Examples:
  interplay models pull                     fetch the model that runs beside the server
  interplay serve                           start the server
  interplay ask "Why is the sky blue?"      ask it something
  git diff | interplay ask "Review this:" - ask about what comes through a pipe
  interplay chat                            talk to it
  interplay interactions list               what it has answered so far
  interplay interactions tail last          follow the latest one
  interplay config                          every setting and where it comes from
  interplay doctor                          what is wrong, and the way out

\b
Exit codes: 0 it went well; 1 it failed, the message says why; 2 wrong usage or
settings; 3 no server answers.

\b
Environment: INTERPLAY_URL names the server, INTERPLAY_API_KEY the key, every
setting can be given as INTERPLAY_<NAME>; NO_COLOR turns colours off.
"""

_GROUP = "interplay.cli"
COMMANDS = {
    "serve": (f"{_GROUP}.serve:serve", "Start the server."),
    "worker": (f"{_GROUP}.worker:worker", "Start a process that does background work only."),
    "chat": (f"{_GROUP}.chat:chat", "Talk to a model in the terminal."),
    "ask": (f"{_GROUP}.ask:ask", "Ask once and print the answer."),
    "interactions": (
        f"{_GROUP}.interactions:interactions",
        "Look at interactions, follow, cancel and delete them.",
    ),
    "models": (
        f"{_GROUP}.models:models",
        "Models that run beside the server: fetch, list, remove.",
    ),
    "sandbox": (
        f"{_GROUP}.sandbox:sandbox",
        "Where code of models runs: check that it is isolated, give it packages.",
    ),
    "admin": (f"{_GROUP}.admin:admin", "Bring a database up to date, move a data folder into one."),
    "config": (f"{_GROUP}.config:config", "Print every setting and where it comes from."),
    "doctor": (f"{_GROUP}.doctor:doctor", "Check this installation and say the way out."),
}


class _Program(LazyGroup):
    """The root group: the one place where errors of the client become exit codes."""

    def invoke(self, ctx: click.Context) -> Any:
        """Runs the command; errors a user can act on become one clear message."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            silence()
            ctx.exit(PIPE_CLOSED)
        except client_errors() as error:
            raise explained(error) from error


@click.group(
    name="interplay",
    cls=_Program,
    lazy=COMMANDS,
    epilog=_EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, message="%(prog)s %(version)s")
def program() -> None:
    """The open, self-hosted Interactions API: a server for every model and every agent, and the
    commands to run it and to use it."""


def main() -> None:
    """Runs the command line of this process and exits."""
    tolerant()
    try:
        code = program.main(prog_name="interplay", standalone_mode=False)
        sys.stdout.flush()
    except click.Abort:
        click.echo(err=True)
        code = INTERRUPTED
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except BrokenPipeError:
        silence()
        code = PIPE_CLOSED
    sys.exit(code if isinstance(code, int) else 0)
