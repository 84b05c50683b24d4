"""What is known of a model by its name."""

import pytest

from interplay.plugins.models.anthropic.dialect import GivenDialect, dialect_of

NOTHING = GivenDialect()


@pytest.mark.parametrize(
    ("name", "thinking", "prefill", "sampling"),
    [
        ("claude-opus-5-5", "always", False, "none"),
        ("claude-fable-5-1", "always", False, "none"),
        ("claude-something-9", "always", False, "none"),
        ("claude-sonnet-5-5", "adaptive", False, "none"),
        ("claude-opus-5", "adaptive", False, "none"),
        ("claude-opus-4-7", "adaptive", False, "none"),
        ("claude-sonnet-4-6", "adaptive", False, "one"),
        ("claude-sonnet-4-5-20250929", "budget", True, "one"),
        ("claude-opus-4-20250514", "budget", True, "both"),
        ("claude-3-5-haiku-latest", "none", True, "both"),
        ("anthropic/claude-opus-4.6", "adaptive", False, "one"),
        ("us.anthropic.claude-haiku-4-5-20251001-v1:0", "budget", True, "one"),
        ("claude-opus-4-5@20251101", "budget", True, "one"),
        ("qwen3-8b", "none", False, "both"),
        (None, "always", False, "none"),
    ],
)
def test_names_lead_to_what_is_known(name: str | None, thinking: str, prefill: bool, sampling: str):
    known = dialect_of(name, NOTHING)
    assert (known.thinking, known.prefill, known.sampling) == (thinking, prefill, sampling)


def test_thoughts_of_the_newest_are_bound_to_their_place():
    assert dialect_of("claude-sonnet-5-5", NOTHING).bound
    assert not dialect_of("claude-sonnet-5", NOTHING).bound


def test_the_operator_knows_better():
    told = dialect_of("claude-opus-5-5", GivenDialect(prefill=True, sampling="both"))
    assert (told.prefill, told.sampling, told.thinking) == (True, "both", "always")
