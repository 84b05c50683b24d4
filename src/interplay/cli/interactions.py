"""`interplay interactions`: what the server keeps: list, show, rm, cancel, tail."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import click

from interplay.cli.connection import Failed, connect, server_options

if TYPE_CHECKING:
    from interplay.cli.client import Api

STATUSES = (
    "queued",
    "in_progress",
    "completed",
    "requires_action",
    "incomplete",
    "failed",
    "cancelled",
    "budget_exceeded",
    "requires_continuation",
)
_PAGE = 100


@click.group()
def interactions() -> None:
    """Look at interactions, follow, cancel and delete them.

    An ID is what `list` prints; `last` stands for the newest interaction.

    \b
    Examples:
      interplay interactions list --status failed
      interplay interactions show last
      interplay interactions tail ID
      interplay interactions rm $(interplay interactions list --ids --label run:7)
    """


@interactions.command(name="list")
@server_options
@click.option("--status", type=click.Choice(STATUSES), help="Only those with this status.")
@click.option("--model", metavar="NAME", help="Only those of this model.")
@click.option("--agent", metavar="NAME", help="Only those of this agent.")
@click.option("--root", metavar="ROOT", help="Only those of one conversation and its branches.")
@click.option("--label", metavar="KEY:VALUE", help="Only those with this label.")
@click.option(
    "--limit", "-n", type=click.IntRange(1), default=20, show_default=True, help="How many."
)
@click.option("--all", "every", is_flag=True, help="All of them, page after page.")
@click.option("--page-token", metavar="TOKEN", help="Go on where an earlier page ended.")
@click.option("--ids", is_flag=True, help="Print nothing but ids.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_(url: str | None, key: str | None, **given: Any) -> None:
    """List interactions, newest first."""
    api = connect(url, key)
    query = {name: given[name] for name in ("status", "model", "agent", "root")}
    query["label"] = _label(given["label"])
    limit = None if given["every"] else int(given["limit"])
    if given["as_json"]:
        page = _Pages(api, query, limit, given["page_token"])
        found: dict[str, Any] = {"interactions": list(page)}
        if page.token is not None:
            found["next_page_token"] = page.token
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
        return
    pages = _Pages(api, query, limit, given["page_token"])
    count = 0
    for row in pages:
        click.echo(row.get("id") if given["ids"] else _row_line(row))
        count += 1
    if not count and not given["ids"]:
        click.echo("There are none.", err=True)
    if pages.token is not None:
        click.echo(f"There are more: --page-token {pages.token}, or --all.", err=True)


@interactions.command()
@click.argument("id")
@server_options
@click.option("--chain", is_flag=True, help="The whole conversation up to it.")
@click.option("--full", is_flag=True, help="Cut nothing short.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def show(id: str, url: str | None, key: str | None, chain: bool, full: bool, as_json: bool) -> None:
    """Show an interaction: what was asked, thought, called and answered."""
    from interplay.cli.chains import chain_to
    from interplay.cli.request import resolved_id

    api = connect(url, key)
    id = resolved_id(api, id)
    found = chain_to(api, id) if chain else [api.get(f"interactions/{id}")]
    if as_json:
        click.echo(json.dumps(found if chain else found[0], indent=2, ensure_ascii=False))
        return
    for interaction in found:
        for line in _shown(interaction, full=full):
            click.echo(line)


@interactions.command()
@click.argument("ids", nargs=-1, required=True, metavar="ID...")
@server_options
def rm(ids: tuple[str, ...], url: str | None, key: str | None) -> None:
    """Delete interactions for good; running ones are stopped first."""
    from interplay.cli.request import resolved_id

    api = connect(url, key)

    def delete(id: str) -> str:
        api.call("DELETE", f"interactions/{id}")
        return "deleted"

    _each([resolved_id(api, id) for id in ids], delete)


@interactions.command()
@click.argument("ids", nargs=-1, required=True, metavar="ID...")
@server_options
def cancel(ids: tuple[str, ...], url: str | None, key: str | None) -> None:
    """Stop running interactions; what they have written is kept."""
    from interplay.cli.plain import fields
    from interplay.cli.request import resolved_id

    api = connect(url, key)

    def stop(id: str) -> str:
        answer = api.call("POST", f"interactions/{id}/cancel")
        return str(fields(answer).get("status"))

    _each([resolved_id(api, id) for id in ids], stop)


@interactions.command()
@click.argument("id")
@server_options
@click.option("--after", metavar="EVENT_ID", help="Start behind this event.")
@click.option("--no-thoughts", is_flag=True, help="Leave summaries of thoughts out.")
@click.option("--json", "as_json", is_flag=True, help="Print each event as a line of JSON.")
@click.pass_context
def tail(
    ctx: click.Context,
    id: str,
    url: str | None,
    key: str | None,
    after: str | None,
    no_thoughts: bool,
    as_json: bool,
) -> None:
    """Follow an interaction to its end, from its first event.

    A connection that drops is taken up again behind the last event, as often as it takes.
    Ctrl-C stops following, not the interaction. Exit code 1 when it ended as failed,
    cancelled, incomplete or over budget.
    """
    from interplay.cli.following import follow
    from interplay.cli.narration import EventLines, Narration
    from interplay.cli.reading import ENDED, GOOD
    from interplay.cli.request import resolved_id

    api = connect(url, key)
    if as_json:
        narration: Narration = EventLines(sys.stdout, sys.stderr)
    else:
        narration = Narration(sys.stdout, sys.stderr, thoughts=not no_thoughts)
    try:
        follow(api, resolved_id(api, id), narration, after=after)
    finally:
        narration.finish()
    status = narration.reading.status
    if not as_json:
        narration.say(str(status), "green" if status in GOOD else "red")
    ctx.exit(1 if status in ENDED - GOOD else 0)


class _Pages:
    """The rows of a list over its pages; `token` leads to what was not taken."""

    def __init__(
        self, api: Api, query: dict[str, Any], limit: int | None, token: str | None
    ) -> None:
        self.token = token
        self._api, self._query, self._left = api, query, limit

    def __iter__(self) -> Iterator[dict[str, Any]]:
        from interplay.cli.plain import objects

        while self._left is None or self._left > 0:
            size = _PAGE if self._left is None else min(_PAGE, self._left)
            query = {**self._query, "page_size": size, "page_token": self.token}
            page = self._api.get("interactions", query)
            self.token = page.get("next_page_token") or None
            rows = objects(page.get("interactions"))
            if self._left is not None:
                self._left -= len(rows)
            yield from rows
            if self.token is None or not rows:
                return


def _label(given: str | None) -> str | None:
    if given is None or ":" in given:
        return given
    if "=" in given:
        return given.replace("=", ":", 1)
    raise click.BadParameter(f"'{given}' is not KEY:VALUE.", param_hint="--label")


def _row_line(row: dict[str, Any]) -> str:
    from interplay.cli.terminal import Paint, clean, short, width

    paint = Paint(sys.stdout)
    status = str(row.get("status"))
    told = [
        paint(_style(status), status.ljust(15)),
        str(row.get("created") or "").removesuffix("Z").replace("T", " ").ljust(19),
    ]
    if not paint.live or width() >= 130:
        told.append(short(str(row.get("model") or row.get("agent") or ""), 22).ljust(22))
    told.append(clean(str(row.get("id"))))
    return "  ".join(told)


def _style(status: str) -> str:
    if status == "completed":
        return "green"
    return "yellow" if status in ("queued", "in_progress", "requires_action") else "red"


def _shown(interaction: dict[str, Any], *, full: bool) -> Iterator[str]:
    from interplay.cli.plain import fields, objects
    from interplay.cli.reading import fault_line
    from interplay.cli.steps import step_lines
    from interplay.cli.terminal import Paint, clean

    paint = Paint(sys.stdout)
    status = str(interaction.get("status"))
    yield paint("bold", clean(str(interaction.get("id"))))
    yield f"  {paint(_style(status), status)}  {clean(_facts(interaction))}"
    before = interaction.get("previous_interaction_id")
    if before:
        yield paint("dim", f"  after {clean(str(before))}")
    labels = fields(interaction.get("labels"))
    if labels:
        told = " ".join(f"{key}:{value}" for key, value in labels.items())
        yield paint("dim", f"  labels {clean(told)}")
    yield ""
    for step in objects(interaction.get("steps")):
        yield from step_lines(step, paint, full=full)
    for error in objects(interaction.get("errors")):
        yield paint("red", f"error: {clean(fault_line(error))}")
    yield ""


def _facts(interaction: dict[str, Any]) -> str:
    from interplay.cli.plain import fields

    told = [str(interaction.get("model") or interaction.get("agent") or "")]
    created, updated = str(interaction.get("created")), str(interaction.get("updated"))
    told.append(created if created == updated else f"{created} to {updated}")
    usage = fields(interaction.get("usage"))
    if usage:
        read, written = usage.get("total_input_tokens", 0), usage.get("total_output_tokens", 0)
        told.append(f"{read} tokens in, {written} out")
        if usage.get("total_thought_tokens"):
            told.append(f"{usage['total_thought_tokens']} thought")
        if usage.get("total_cached_tokens"):
            told.append(f"{usage['total_cached_tokens']} cached")
    return "  ".join(part for part in told if part)


def _each(ids: list[str], act: Callable[[str], str]) -> None:
    """Does it for every id; one that fails does not keep the others from it."""
    from interplay.cli.client import ApiFault

    failed = 0
    for id in ids:
        try:
            click.echo(f"{id}  {act(id)}")
        except ApiFault as fault:
            failed += 1
            click.echo(f"{id}  {fault.message}", err=True)
    if failed:
        raise Failed(f"{failed} of {len(ids)} failed.")
