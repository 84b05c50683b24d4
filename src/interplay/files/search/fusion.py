"""Several rankings made into one."""

from __future__ import annotations

from collections.abc import Sequence

_FLATNESS = 5.0
"""How little the first places of a ranking stand out. With the 60 of the method's authors, what
stands far down in both rankings goes before the first of one."""


def fused(rankings: Sequence[tuple[float, Sequence[int]]]) -> list[int]:
    """Reciprocal rank fusion: what stands high in several rankings comes first. Each ranking has
    its weight, and no id twice."""
    scores: dict[int, float] = {}
    for weight, ranking in rankings:
        for place, id in enumerate(ranking, 1):
            scores[id] = scores.get(id, 0.0) + weight / (_FLATNESS + place)
    return sorted(scores, key=lambda id: (-scores[id], id))
