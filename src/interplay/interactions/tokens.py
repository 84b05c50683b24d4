"""Usage of several turns, added up."""

from __future__ import annotations

from operator import attrgetter
from typing import Any

from interplay.wire.usage import GroundingToolCount, ModalityTokens, Usage

_LISTS: tuple[tuple[str, Any, str, str], ...] = (
    ("input_tokens_by_modality", ModalityTokens, "modality", "tokens"),
    ("output_tokens_by_modality", ModalityTokens, "modality", "tokens"),
    ("cached_tokens_by_modality", ModalityTokens, "modality", "tokens"),
    ("tool_use_tokens_by_modality", ModalityTokens, "modality", "tokens"),
    ("grounding_tool_count", GroundingToolCount, "type", "count"),
)


_lists_of = attrgetter(*(entry[0] for entry in _LISTS))
_NO_LISTS = (None,) * len(_LISTS)
_NOTHING = Usage()


def add(total: Usage | None, turn: Usage) -> Usage:
    """The sum of both. Totals nobody reported count as 0; total_tokens is input, output, thought
    and tool use together, as the API counts."""
    before = total or _NOTHING
    read = (before.total_input_tokens or 0) + (turn.total_input_tokens or 0)
    written = (before.total_output_tokens or 0) + (turn.total_output_tokens or 0)
    thought = (before.total_thought_tokens or 0) + (turn.total_thought_tokens or 0)
    used = (before.total_tool_use_tokens or 0) + (turn.total_tool_use_tokens or 0)
    merged = Usage(
        total_input_tokens=read,
        total_output_tokens=written,
        total_thought_tokens=thought,
        total_tool_use_tokens=used,
        total_cached_tokens=(before.total_cached_tokens or 0) + (turn.total_cached_tokens or 0),
        total_tokens=read + written + thought + used,
    )
    old, new = _lists_of(before), _lists_of(turn)
    if old != _NO_LISTS or new != _NO_LISTS:
        for (name, *kind), was, more in zip(_LISTS, old, new, strict=True):
            if was or more:
                setattr(merged, name, _merge(was or [], more or [], *kind))
    return merged


def _merge(before: list[Any], after: list[Any], kind: Any, key: str, amount: str) -> list[Any]:
    sums: dict[Any, int] = {}
    for entry in [*before, *after]:
        name = getattr(entry, key)
        sums[name] = sums.get(name, 0) + (getattr(entry, amount) or 0)
    return [kind(**{key: name, amount: count}) for name, count in sums.items()]
