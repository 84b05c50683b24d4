"""Filters over metadata: the part of AIP-160 that compares a key with a value."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from interplay.files.faults import Unusable
from interplay.wire.search_store import CustomMetadata

Matches = Callable[[Mapping[str, Any]], bool]
_TOKEN = re.compile(
    r"\s*(?:(?P<word>AND|OR|NOT)\b|(?P<op><=|>=|!=|=|<|>|:)|(?P<mark>[()-])"
    r"|\"(?P<double>(?:[^\"\\]|\\.)*)\"|'(?P<single>(?:[^'\\]|\\.)*)'"
    r"|(?P<number>[+]?\d+(?:\.\d+)?)(?![\w.])|(?P<name>[\w./]+))"
)
_DEEPEST, _LONGEST = 32, 4_096


def parsed(text: str | None) -> Matches:
    """What a filter says, as a test of a document's metadata; no filter lets everything through.

    `key = "text"`, `!=`, `<`, `<=`, `>`, `>=` (numbers), `key:"text"` (among a list, or a part of
    a text), AND, OR, NOT and parentheses; OR binds tighter than AND. Raises Unusable.
    """
    if text is None or not text.strip():
        return lambda _: True
    if len(text) > _LONGEST:
        raise _wrong(f"it is longer than {_LONGEST} characters")
    return _Parser(_tokens(text)).whole()


def metadata_of(given: Sequence[CustomMetadata]) -> dict[str, Any]:
    """Metadata as a plain object."""
    found: dict[str, Any] = {}
    for one in given:
        if one.string_list_value is not None:
            found[one.key] = one.string_list_value.values
        elif one.numeric_value is not None:
            found[one.key] = one.numeric_value
        else:
            found[one.key] = one.string_value or ""
    return found


def _wrong(why: str) -> Unusable:
    return Unusable(f"The metadata filter cannot be read: {why} at 'metadata_filter'.")


def _tokens(text: str) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    at, end = 0, len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at)
        if match is None:
            raise _wrong(f"'{text[at : at + 20]}' is not understood")
        kind = str(match.lastgroup)
        value: Any = match[kind]
        if kind in ("double", "single"):
            kind, value = "text", re.sub(r"\\(.)", r"\1", value)
        elif kind == "number":
            value = float(value)
        found.append((kind, value))
        at = match.end()
    return found


class _Parser:
    def __init__(self, tokens: list[tuple[str, Any]]) -> None:
        self._tokens, self._at, self._depth = tokens, 0, 0

    def whole(self) -> Matches:
        found = self._all()
        if self._at < len(self._tokens):
            raise _wrong(f"'{self._tokens[self._at][1]}' does not belong there")
        return found

    def _peek(self) -> tuple[str, Any]:
        return self._tokens[self._at] if self._at < len(self._tokens) else ("end", "")

    def _take(self, *wanted: tuple[str, Any]) -> bool:
        if self._peek() in wanted:
            self._at += 1
            return True
        return False

    def _all(self) -> Matches:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise _wrong("it is nested too deeply")
        parts = [self._any()]
        while self._take(("word", "AND")):
            parts.append(self._any())
        self._depth -= 1
        return parts[0] if len(parts) == 1 else lambda given: all(part(given) for part in parts)

    def _any(self) -> Matches:
        parts = [self._one()]
        while self._take(("word", "OR")):
            parts.append(self._one())
        return parts[0] if len(parts) == 1 else lambda given: any(part(given) for part in parts)

    def _one(self) -> Matches:
        if self._take(("word", "NOT"), ("mark", "-")):
            inner = self._one() if self._peek() == ("mark", "(") else self._comparison()
            return lambda given: not inner(given)
        if self._take(("mark", "(")):
            inner = self._all()
            if not self._take(("mark", ")")):
                raise _wrong("a parenthesis is not closed")
            return inner
        return self._comparison()

    def _comparison(self) -> Matches:
        kind, key = self._peek()
        if kind not in ("name", "text"):
            raise _wrong(f"a key must stand where '{key}' stands" if key else "it ends too early")
        self._at += 1
        kind, operator = self._peek()
        if kind != "op":
            raise _wrong(f"a comparison must follow '{key}'")
        self._at += 1
        sign = -1.0 if self._take(("mark", "-")) else 1.0
        kind, value = self._peek()
        if kind not in ("text", "number", "name") or (sign < 0 and kind != "number"):
            raise _wrong(f"a value must follow '{key} {operator}'")
        self._at += 1
        wanted = value * sign if kind == "number" else value
        return lambda given: key in given and _compare(given[key], operator, wanted)


def _compare(has: Any, operator: str, wanted: Any) -> bool:
    if isinstance(has, list):
        inside = str(wanted) in has
        return inside if operator in (":", "=") else operator == "!=" and not inside
    if operator == ":":
        return str(wanted).lower() in str(has).lower()
    if isinstance(has, float | int) != isinstance(wanted, float):
        return operator == "!="
    return {
        "=": lambda: has == wanted,
        "!=": lambda: has != wanted,
        "<": lambda: has < wanted,
        "<=": lambda: has <= wanted,
        ">": lambda: has > wanted,
        ">=": lambda: has >= wanted,
    }[operator]()
