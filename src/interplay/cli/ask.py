"""`interplay ask`: one question, its answer on stdout."""

from __future__ import annotations

import json
import sys
from typing import Any

import click

from interplay.cli.connection import Failed, connect, default_model, server_options

UNARY_SECONDS = 3_700.0
"""How long --json waits for the whole answer: longer than a run may take."""

_EPILOG = """\b
Examples:
  interplay ask "Why is the sky blue?"
  interplay ask --model gpt-5 --system "Answer in one word." "Capital of France?"
  git diff | interplay ask "Review this change:" -
  interplay ask --file chart.png "What does it show?"
  interplay ask --schema person.json "Ada Lovelace, born in 1815" | jq .name
  interplay ask --previous last "And at night?"
  interplay ask --background --model qwen2.5-coder-1.5b "Write a long story"

Text from a pipe is added below the question; `-` stands for it. The text of the answer goes
to stdout, everything else to stderr.

Exit codes: 0 completed, or it asks for a function's result; 1 failed, cancelled or cut short,
or refused by the server; 2 wrong usage; 3 no server answers.
"""


@click.command(epilog=_EPILOG)
@click.argument("words", nargs=-1, metavar="QUESTION")
@server_options
@click.option("--model", "-m", metavar="NAME", help="The model; default: default_model.")
@click.option("--agent", metavar="NAME", help="Ask an agent instead of a model.")
@click.option("--system", "-s", metavar="TEXT", help="The system instruction.")
@click.option(
    "--file", "-f", "files", multiple=True, type=click.Path(exists=True, dir_okay=False),
    help="Send a file along: image, audio, video, document or text; may be repeated.",
)  # fmt: skip
@click.option(
    "--schema", type=click.Path(exists=True, dir_okay=False), help="JSON schema of the answer."
)
@click.option(
    "--tools", type=click.Path(exists=True, dir_okay=False), help="JSON file with a list of tools."
)
@click.option(
    "--result", "results", multiple=True, metavar="CALL_ID=VALUE",
    help="The result of a function the interaction of --previous asked for; may be repeated.",
)  # fmt: skip
@click.option("--previous", "-p", metavar="ID", help="Go on from this interaction; `last` works.")
@click.option("--background", is_flag=True, help="Start it, print its id and return.")
@click.option("--no-store", is_flag=True, help="The server keeps nothing of it.")
@click.option("--thoughts", is_flag=True, help="Show summaries of thoughts on stderr.")
@click.option("--json", "as_json", is_flag=True, help="Print the whole interaction as JSON.")
@click.pass_context
def ask(ctx: click.Context, url: str | None, key: str | None, **given: Any) -> None:
    """Ask once and print the answer while it is written."""
    from interplay.cli.request import request_body, resolved_id

    if given["background"] and given["no_store"]:
        raise click.UsageError("--background needs the interaction to be stored; drop --no-store.")
    if given["model"] and given["agent"]:
        raise click.UsageError("Give --model or --agent, not both.")
    body = request_body(given)
    if "agent" not in body:
        body.setdefault("model", default_model())
    api = connect(url, key)
    if given["previous"]:
        body["previous_interaction_id"] = resolved_id(api, given["previous"])
    if given["background"] or given["as_json"]:
        answer = api.call("POST", "interactions", body=body, seconds=UNARY_SECONDS)
        _print_whole(ctx, answer, given)
    else:
        _print_streamed(ctx, api, body, thoughts=given["thoughts"])


def _print_whole(ctx: click.Context, answer: dict[str, Any], given: dict[str, Any]) -> None:
    from interplay.cli.reading import ENDED, GOOD

    status = answer.get("status")
    if given["as_json"]:
        click.echo(json.dumps(answer, indent=2, ensure_ascii=False))
    else:
        click.echo(answer.get("id"))
        click.echo(f"Follow it with: interplay interactions tail {answer.get('id')}", err=True)
    ctx.exit(1 if status in ENDED - GOOD else 0)


def _print_streamed(ctx: click.Context, api: Any, body: dict[str, Any], *, thoughts: bool) -> None:
    from interplay.cli.following import create, stop
    from interplay.cli.narration import Narration

    narration = Narration(sys.stdout, sys.stderr, thoughts=thoughts)
    try:
        create(api, body, narration)
    except KeyboardInterrupt:
        stop(api, narration)
        raise
    finally:
        narration.finish()
    reading = narration.reading
    if reading.status == "requires_action":
        for asked in reading.calls:
            narration.say(
                f"{asked.name} is to be called: answer with"
                f" --previous {reading.id} --result {asked.id}=VALUE",
                "yellow",
            )
    if reading.status in ("completed", "requires_action", "requires_continuation"):
        ctx.exit(0)
    if narration.told_faults:
        ctx.exit(1)
    raise Failed(_why(reading, stored=body.get("store") is not False))


def _why(reading: Any, *, stored: bool) -> str:
    look = f" Look at it with: interplay interactions show {reading.id}" if stored else ""
    if reading.status == "incomplete":
        return f"The answer was cut short: a limit of output was reached.{look}"
    if reading.status is None:
        return "The server ended the stream without an interaction."
    return f"The interaction ended as {reading.status}.{look}"
