"""A fault, and the words and paths its message is made of."""

from __future__ import annotations

import re
from typing import Any

import msgspec

_ECHO = 60
_SENTENCE = 200

Path = tuple[str | int, ...]
"""Where in a body: keys and indexes from the top."""


class Fault(msgspec.Struct, frozen=True):
    """One thing wrong with a body.

    `path` leads to the field, e.g. `input[2].content[0].type`; "" is the whole body. `code` is
    an error code of the API, `message` a sentence that names the path by itself.
    """

    path: str
    code: str
    message: str


def show(path: Path) -> str:
    """A path as text: `tools[0].parameters`; unusual keys stand quoted in brackets."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif re.fullmatch(r"[\w$-]{1,64}", part, re.ASCII):
            text += f".{part}" if text else part
        else:
            text += f'["{short(part)}"]'
    return text


def at(path: Path) -> str:
    """ " at 'tools[0]'", and nothing for the whole body."""
    return f" at '{show(path)}'" if path else ""


def short(text: str, limit: int = _ECHO) -> str:
    """Foreign text made fit to be echoed: shortened, one line, nothing invisible."""
    cut = text if len(text) <= limit else text[: limit - 1] + "…"
    if cut.isprintable():
        return cut
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape", "surrogatepass").decode()
        for char in cut
    )


def number(value: int | float) -> str:
    """A number as JSON writes it, unless that would be long."""
    if isinstance(value, int) and value.bit_length() > 128:
        return "beyond 128 bits"
    return repr(value)


def got(value: Any) -> str:
    """A value in a sentence: its kind, and what it is where that is short."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return f"boolean {'true' if value else 'false'}"
    if isinstance(value, str):
        return f"string '{short(value)}'"
    if isinstance(value, int | float):
        return f"number {number(value)}"
    if isinstance(value, dict):
        return "object"
    if isinstance(value, list | tuple):
        return "array"
    return type(value).__name__


_KINDS = re.compile(r"Expected `[\w |]+`, got `\w+`|Invalid (enum )?value ")
_WORDS = {"int": "integer", "str": "string", "float": "number", "bool": "boolean"}


def speaks_of_kinds(error: Exception) -> bool:
    """msgspec refused the kind or the choice, not a bound or a format."""
    return isinstance(error, UnicodeError) or _KINDS.match(str(error)) is not None


def reworded(error: Exception) -> str:
    """msgspec's sentence in JSON's words, without its path."""
    sentence = str(error).partition(" - at `")[0]
    words = re.sub(r"`(\w+)`", lambda word: _WORDS.get(word[1], word[1]), sentence)
    return short(words, _SENTENCE)


def from_msgspec(path: Path, error: Exception) -> Fault:
    """The fault msgspec names itself, for what a shape cannot tell (checks in code, depth)."""
    if isinstance(error, RecursionError):
        return Fault(show(path), "invalid_request", f"Nested too deeply{at(path)}.")
    if isinstance(error, UnicodeError):
        said = f"Half of a surrogate pair stands alone in a string{at(path)}."
        return Fault(show(path), "invalid_request", said)
    inner = str(error).partition(" - at `$")[2].rstrip("`").partition("[...]")[0]
    parts: list[str | int] = list(path)
    for name, index in re.findall(r"\.([^.\[]+)|\[(\d+)\]", inner):
        parts.append(int(index) if index else name)
    full = tuple(parts)
    return Fault(show(full), "invalid_request", f"{reworded(error)}{at(full)}.")
