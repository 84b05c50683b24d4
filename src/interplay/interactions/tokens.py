"""Usage of several turns, added up."""

from __future__ import annotations

from typing import Any

from interplay.wire.usage import GroundingToolCount, ModalityTokens, Usage

_TOTALS = (
    "total_input_tokens",
    "total_output_tokens",
    "total_cached_tokens",
    "total_thought_tokens",
    "total_tool_use_tokens",
)
_LISTS: tuple[tuple[str, Any, str, str], ...] = (
    ("input_tokens_by_modality", ModalityTokens, "modality", "tokens"),
    ("output_tokens_by_modality", ModalityTokens, "modality", "tokens"),
    ("cached_tokens_by_modality", ModalityTokens, "modality", "tokens"),
    ("tool_use_tokens_by_modality", ModalityTokens, "modality", "tokens"),
    ("grounding_tool_count", GroundingToolCount, "type", "count"),
)


def add(total: Usage | None, turn: Usage) -> Usage:
    """The sum of both. Totals nobody reported count as 0; total_tokens is input, output, thought
    and tool use together, as the API counts."""
    merged = Usage()
    for name in _TOTALS:
        before = getattr(total, name) if total is not None else 0
        setattr(merged, name, (before or 0) + (getattr(turn, name) or 0))
    merged.total_tokens = (
        (merged.total_input_tokens or 0)
        + (merged.total_output_tokens or 0)
        + (merged.total_thought_tokens or 0)
        + (merged.total_tool_use_tokens or 0)
    )
    for name, kind, key, amount in _LISTS:
        before = getattr(total, name) if total is not None else None
        after = getattr(turn, name)
        if before or after:
            setattr(merged, name, _merge(before or [], after or [], kind, key, amount))
    return merged


def _merge(before: list[Any], after: list[Any], kind: Any, key: str, amount: str) -> list[Any]:
    sums: dict[Any, int] = {}
    for entry in [*before, *after]:
        name = getattr(entry, key)
        sums[name] = sums.get(name, 0) + (getattr(entry, amount) or 0)
    return [kind(**{key: name, amount: count}) for name, count in sums.items()]
