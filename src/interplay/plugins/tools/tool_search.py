"""tool_search: the model asks for functions it was not shown, by name or by what they do."""

from __future__ import annotations

import difflib
import math
import re
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from functools import lru_cache
from typing import Annotated, Any

import msgspec

from interplay.contracts import shown
from interplay.contracts.failure import Refused
from interplay.contracts.model import FunctionSpec
from interplay.contracts.surroundings import Surroundings
from interplay.contracts.tool import CallSite, ToolCall
from interplay.wire.content import TextContent
from interplay.wire.deltas import DeltaData, ToolSearchCallDelta, ToolSearchResultDelta
from interplay.wire.steps import (
    Step,
    ToolSearchCallStep,
    ToolSearchCallStepArguments,
    ToolSearchResultStep,
)
from interplay.wire.tools import Function
from interplay.wire.tools import Tool as Declaration
from interplay.wire.tools import ToolSearch as ToolSearchDeclaration

_Count = Annotated[int, msgspec.Meta(ge=1)]
_ABOUT = (
    "Loads functions that are not shown yet; once loaded they can be called. Give their names in"
    " 'function_names', or say in 'query' what is to be done."
)
_ONE_LINE = 160
_NEAR = 3
_NAME_WEIGHT = 3
_KEPT_CHARS = 2_000
_PART = 0.3
_K1, _B = 1.2, 0.6
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_A-Za-z]+")
_SPACELESS = re.compile(r"[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff]")
_ENDINGS = ("ings", "ing", "ies", "ers", "er", "ed", "es", "s", "y", "e")


class ToolSearchConfig(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """The fields of `[tools.tool_search]`."""

    found: _Count = 5
    """Functions that one search by words loads at most."""
    names: _Count = 50
    """Names one call may give; a call with more fails."""
    listed_chars: Annotated[int, msgspec.Meta(ge=0)] = 16_000
    """Characters the list of deferred functions may take in what the model is shown: each with its
    short description, else the names alone, else none, and the model must search by words."""


class ToolSearch:
    """Names and descriptions of deferred functions, searched by words or taken by name."""

    Config = ToolSearchConfig
    serves = "tool_search"
    repeatable = True

    def __init__(self, config: ToolSearchConfig, surroundings: Surroundings) -> None:
        self._config = config

    async def offer(self, declaration: Declaration) -> list[FunctionSpec]:
        """One function, over nothing."""
        assert isinstance(declaration, ToolSearchDeclaration)
        return [await self.offer_over(declaration, [])]

    async def offer_over(
        self, declaration: ToolSearchDeclaration, deferred: Sequence[Function]
    ) -> FunctionSpec:
        """The search function; its description lists the functions as far as they fit."""
        names = {
            "type": "array",
            "items": {"type": "string"},
            "maxItems": self._config.names,
            "description": "Names of functions to load",
        }
        query = {"type": "string", "description": "What a function must do, in a few words"}
        parameters: Any = {
            "type": "object",
            "properties": {"function_names": names, "query": query},
        }
        about = declaration.description or _ABOUT
        return FunctionSpec(
            name=declaration.name or self.serves,
            description="\n".join([about, *_listed(deferred, self._config.listed_chars)]),
            parameters=parameters if declaration.parameters is None else declaration.parameters,
        )

    async def call(self, call: ToolCall, at: CallSite) -> AsyncIterator[Step | DeltaData]:
        """Loads what is named and what the words find. Raises Refused for a call with neither."""
        asked, query = _asked(call.arguments, self._config.names)
        known = {function.name or "": function for function in at.deferred}
        found = _ranked(query, at.deferred)[: self._config.found] if query else []
        names = list(dict.fromkeys([*asked, *(function.name or "" for function in found)]))
        yield ToolSearchCallStep(ToolSearchCallStepArguments(), id=call.id)
        yield ToolSearchCallDelta(ToolSearchCallStepArguments(function_names=names))
        loaded = [name for name in names if name in known]
        result = [msgspec.structs.replace(known[name], defer_loading=None) for name in loaded]
        told = _told(loaded, [name for name in names if name not in known], query, list(known))
        yield ToolSearchResultStep(call.id)
        yield ToolSearchResultDelta(result, signature=shown.sign([TextContent(told)]))


def _asked(arguments: dict[str, Any], most: int) -> tuple[list[str], str]:
    """The names and the words of a call."""
    given: Any = arguments.get("function_names") or []
    names: list[Any] = given if isinstance(given, list) else [given]  # pyright: ignore
    query: Any = arguments.get("query") or ""
    if not all(isinstance(name, str) for name in names) or not isinstance(query, str):
        raise Refused("'function_names' must be a list of names, and 'query' a text.")
    names = list(dict.fromkeys(name.strip() for name in names if name.strip()))
    if len(names) > most:
        raise Refused(f"'function_names' holds {len(names)} names; one call takes at most {most}.")
    if not names and not query.strip():
        raise Refused("Give 'function_names', or say in 'query' what is to be done.")
    return names, query.strip()


def _told(loaded: list[str], unknown: list[str], query: str, known: list[str]) -> str:
    """What the model is shown of a search; the functions themselves stand among its functions."""
    lines = [
        f"Loaded: {', '.join(loaded)}. Call what fits now; do not load it again."
        if loaded
        else "Nothing loaded."
    ]
    for name in unknown:
        near = difflib.get_close_matches(name, known, n=_NEAR, cutoff=0.5)
        hint = f" Near names: {', '.join(near)}." if near else ""
        lines.append(f"There is no function '{shown.line(name, 80)}'.{hint}")
    if query and not loaded:
        lines.append("No function fits these words; try others.")
    return "\n".join(lines)


def _listed(functions: Sequence[Function], most: int) -> list[str]:
    if not functions:
        return []
    lines = [f"- {function.name}{_short(function)}" for function in functions]
    if sum(map(len, lines)) + len(lines) <= most:
        return ["The functions that can be loaded:", *lines]
    names = ", ".join(function.name or "" for function in functions)
    if len(names) <= most:
        return [f"The functions that can be loaded: {names}"]
    return [f"{len(functions)} functions can be loaded; find them by 'query'."]


def _short(function: Function) -> str:
    text = function.short_description or (function.description or "").split("\n")[0]
    text = " ".join(text.split())
    cut = text if len(text) <= _ONE_LINE else f"{text[:_ONE_LINE]}…"
    return f": {cut}" if cut else ""


def _ranked(query: str, functions: Sequence[Function]) -> list[Function]:
    """The functions that share words with the query, the best first (BM25; a name counts more);
    those that share little beside the best are left out."""
    wanted = set(_words(query))
    counts = [_counted(function) for function in functions]
    lengths = [sum(count.values()) for count in counts]
    usual = sum(lengths) / max(1, len(lengths)) or 1.0
    among = Counter(word for count in counts for word in wanted if word in count)
    weights = {
        word: math.log(1 + (len(counts) - among[word] + 0.5) / (among[word] + 0.5))
        for word in wanted
    }
    scored: list[tuple[float, int]] = []
    for number, (count, length) in enumerate(zip(counts, lengths, strict=True)):
        score = sum(
            weights[word] * count[word] * (_K1 + 1)
            / (count[word] + _K1 * (1 - _B + _B * length / usual))
            for word in wanted
            if word in count
        )  # fmt: skip
        if score > 0:
            scored.append((-score, number))
    scored.sort()
    return [functions[number] for score, number in scored if score <= scored[0][0] * _PART]


def _counted(function: Function) -> Counter[str]:
    name = function.name or ""
    text = f"{function.short_description or ''} {function.description or ''}"
    return (_count_kept if len(text) <= _KEPT_CHARS else _count)(name, text)


def _count(name: str, text: str) -> Counter[str]:
    count = Counter(_words(text))
    for word in _words(name):
        count[word] += _NAME_WEIGHT
    return count


_count_kept = lru_cache(maxsize=8192)(_count)
"""Requests of one client bring the same functions again and again."""


def _words(text: str) -> list[str]:
    """Words without their endings; `sendEmail` and `send_email` are two words, and a script that
    is written without spaces is taken by pairs of letters."""
    words: list[str] = []
    for word in _WORD.findall(text):
        if _SPACELESS.search(word):
            words += [word[at : at + 2] for at in range(max(1, len(word) - 1))]
        else:
            words.append(_root(word.lower()))
    return words


def _root(word: str) -> str:
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word
