"""`interplay config`: every setting, its value, and where it comes from."""

from __future__ import annotations

import json
import re
import sys
from typing import Any

import click

from interplay.cli.plain import fields

_SECRET = re.compile(r"key|token|secret|password|authorization|credential", re.IGNORECASE)
_PASSWORD = re.compile(r"(://[^/@:\s]*:)[^/@\s]*@")
"""user:password in a URL."""
_NO_SECRET = frozenset({"api_keys_file", "limits.runs_per_key", "context_tokens", "max_tokens"})


@click.command()
@click.option("--config", "file", metavar="FILE", help="The settings file to read.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--example", is_flag=True, help="Print a settings file to start from.")
def config(file: str | None, as_json: bool, example: bool) -> None:
    """Print every setting and where it comes from.

    Secrets are masked. What is printed is what `interplay serve` would use when it is started
    here, without flags.

    \b
    Examples:
      interplay config
      interplay config --example > interplay.toml
      interplay config --json | jq '.port'
    """
    from interplay.cli.settings_docs import example as example_file

    if example:
        click.echo(example_file(), nl=False)
        return
    from interplay.settings import load

    rows = told(load(config=file))
    if as_json:
        shown = {name: {"value": value, "source": source} for name, value, source in rows}
        click.echo(json.dumps(shown, indent=2, ensure_ascii=False))
        return
    _print(rows)


def told(sourced: Any) -> list[tuple[str, Any, str]]:
    """Name, value with secrets masked, and source of every setting, tables entry by entry."""
    import msgspec

    rows: list[tuple[str, Any, str]] = []
    for name, value in msgspec.to_builtins(sourced.settings).items():
        if not isinstance(value, dict):
            rows.append((name, masked(value, name), sourced.sources.get(name, "default")))
            continue
        source = sourced.sources.get(name, "default")
        for key, inner in value.items():  # pyright: ignore[reportUnknownVariableType]
            dotted = f"{name}.{key}"
            rows.append((dotted, masked(inner, dotted), sourced.sources.get(dotted, source)))
        if not value:
            rows.append((name, {}, source))
    return rows


def masked(value: Any, name: str) -> Any:
    """A value with what must not be shown replaced: `name:key` keeps the name."""
    if isinstance(value, dict):
        hide = name == "headers"
        inner = fields(value).items()  # pyright: ignore[reportUnknownArgumentType]
        return {key: masked(under, "secret" if hide else key) for key, under in inner}
    secret = bool(_SECRET.search(name)) and name not in _NO_SECRET and not name.endswith("_env")
    if isinstance(value, list):
        return [masked(item, name) for item in value]  # pyright: ignore[reportUnknownVariableType]
    if not isinstance(value, str) or not value:
        return value
    return _hidden(value) if secret else _PASSWORD.sub(r"\1***@", value)


def _hidden(secret: str) -> str:
    name, colon, _ = secret.partition(":")
    return f"{name}:***" if colon else "***"


def _print(rows: list[tuple[str, Any, str]]) -> None:
    from interplay.cli.terminal import Paint, clean, width

    paint = Paint(sys.stdout)
    wide = max(len(name) for name, _, _ in rows)
    room = width() if paint.live else 1_000
    for name, value, source in rows:
        shown = clean(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
        told_from = paint("dim" if source == "default" else "green", f"({source})")
        if wide + len(shown) + len(source) + 6 <= room:
            click.echo(f"{paint('bold', name.ljust(wide))}  {shown}  {told_from}")
        else:
            click.echo(f"{paint('bold', name)}\n  {shown}\n  {told_from}")
