"""`interplay chat`: talk to a model in the terminal."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import click

from interplay.cli.connection import connect, default_model, server_options

if TYPE_CHECKING:
    from interplay.cli.chat_commands import Commands
    from interplay.cli.keyboard import Keyboard
    from interplay.cli.reading import Call
    from interplay.cli.talk import Talk

_EPILOG = """\b
While you talk:
  /branch [N]     go on after exchange N, without N: after the one before the last
  /resume [ID]    take up an earlier conversation, without ID: choose from the latest
  /model [NAME]   talk to another model, without NAME: list them
  /system [TEXT]  set the system instruction, `-` clears it
  /history        show the conversation        /new      start a new one
  /thoughts       show or hide thoughts        /save [FILE]  write it to a file
  /help           this list                    /quit     leave (or Ctrl-D)
A line that ends with a backslash goes on in the next. Ctrl-C stops the answer, not the chat.

\b
Examples:
  interplay chat
  interplay chat --model gpt-5 --system "You are terse." --thoughts
  interplay chat --tools tools.json      you are asked for the results of functions

Exit codes: 0 you left; 1 refused by the server; 2 wrong usage; 3 no server answers.
"""


@click.command(epilog=_EPILOG)
@server_options
@click.option("--model", "-m", metavar="NAME", help="The model; default: default_model.")
@click.option("--system", "-s", metavar="TEXT", help="The system instruction.")
@click.option("--thoughts", is_flag=True, help="Show summaries of thoughts.")
@click.option(
    "--tools", type=click.Path(exists=True, dir_okay=False), help="JSON file with a list of tools."
)
@click.option("--resume", metavar="ID", help="Take up the conversation that leads here, or `last`.")
@click.option("--background", is_flag=True, help="Answers are made in the background.")
def chat(
    url: str | None,
    key: str | None,
    model: str | None,
    system: str | None,
    thoughts: bool,
    tools: str | None,
    resume: str | None,
    background: bool,
) -> None:
    """Talk to a model in the terminal; the server keeps the conversation."""
    from interplay.cli.chat_commands import NAMES, Commands
    from interplay.cli.keyboard import Keyboard
    from interplay.cli.request import resolved_id, tools_of
    from interplay.cli.talk import Given, Talk, names_of_models

    api = connect(url, key)
    declared = tools_of(tools) if tools else []
    there = names_of_models(api)
    keyboard = Keyboard(list(NAMES))
    given = Given(system, declared, thoughts, background)
    chosen = model or _chosen(default_model(), there)
    talk = Talk(api, sys.stdout, chosen, given, lambda call: _result_of(keyboard, call))
    commands = Commands(talk, sys.stdout)
    if resume:
        talk.resume(resolved_id(api, resume))
        talk.model = model or talk.model
        commands.history()
    commands.say(f"{talk.model} at {api.url}. /help lists the commands, /quit leaves.")
    try:
        _loop(talk, keyboard, commands)
    finally:
        problem = keyboard.keep_history()
        if problem:
            commands.say(problem, "yellow")


def _chosen(default: str, there: list[str]) -> str:
    """The default where the server has it, else the first model that is there."""
    plain = [name for name in there if not set("*?[") & set(name)]
    return default if default in there or not plain else plain[0]


def _loop(talk: Talk, keyboard: Keyboard, commands: Commands) -> None:
    from interplay.cli.client import ApiFault, StreamLost, Unreachable
    from interplay.cli.connection import explained

    while True:
        try:
            line = keyboard.line(f"{len(talk.exchanges) + 1}> ")
            if line is None or (line.startswith("/") and commands.run(line)):
                return
            if line.strip() and not line.startswith("/"):
                talk.say(line.strip())
        except KeyboardInterrupt:
            commands.say("")
            commands.say("Ctrl-D or /quit leaves.")
        except (ApiFault, StreamLost, Unreachable) as error:
            commands.say(explained(error).format_message(), "red")


def _result_of(keyboard: Keyboard, call: Call) -> str | None:
    """What the user says a function returns; None when he would rather not."""
    arguments = json.dumps(call.arguments, ensure_ascii=False)
    click.echo(f"The model calls {call.name} with {arguments}.")
    try:
        return keyboard.line("result> ")
    except KeyboardInterrupt:
        click.echo("\nNo result. The conversation goes on from before this.")
        return None
