"""Usage of several turns, added up."""

from __future__ import annotations

from functools import reduce

from hypothesis import given
from hypothesis import strategies as st

from interplay.interactions.tokens import add
from interplay.wire.usage import ModalityTokens, Usage

COUNT = st.one_of(st.none(), st.integers(0, 1000))
MODALITIES = st.lists(
    st.builds(ModalityTokens, st.sampled_from(["text", "image"]), st.integers(0, 99)), max_size=3
)
USAGES = st.lists(
    st.builds(
        Usage,
        total_input_tokens=COUNT,
        total_output_tokens=COUNT,
        total_thought_tokens=COUNT,
        total_tool_use_tokens=COUNT,
        input_tokens_by_modality=MODALITIES,
    ),
    min_size=1,
    max_size=5,
)


@given(usages=USAGES)
def test_every_total_is_the_sum_and_cached_tokens_are_not_counted_twice(
    usages: list[Usage],
) -> None:
    total = reduce(add, usages, None)
    assert total is not None
    for name in ("total_input_tokens", "total_output_tokens", "total_thought_tokens"):
        assert getattr(total, name) == sum(getattr(usage, name) or 0 for usage in usages)
    assert total.total_tokens == (
        (total.total_input_tokens or 0)
        + (total.total_output_tokens or 0)
        + (total.total_thought_tokens or 0)
        + (total.total_tool_use_tokens or 0)
    )
    by_modality = {entry.modality: entry.tokens for entry in total.input_tokens_by_modality or []}
    for modality, tokens in by_modality.items():
        assert tokens == sum(
            entry.tokens or 0
            for usage in usages
            for entry in usage.input_tokens_by_modality or []
            if entry.modality == modality
        )
    assert len(by_modality) == len(total.input_tokens_by_modality or [])
