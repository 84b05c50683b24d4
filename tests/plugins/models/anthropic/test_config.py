"""The fields of an entry, and the facts that follow from them."""

import msgspec
import pytest

from interplay.plugins.models.anthropic.config import facts_of
from tests.plugins.models.anthropic.upstream import config


def test_facts_follow_from_the_models_name():
    facts = facts_of(config(model="claude-haiku-4-5"))
    assert facts.inputs == {"text", "image", "document"}
    assert (facts.functions, facts.schema, facts.prefill, facts.uris) == (True, True, True, True)
    assert facts.thinking_levels == {"minimal", "low", "medium", "high"}
    assert (facts.context_tokens, facts.max_output_tokens) == (200_000, 64_000)


def test_an_entry_for_every_model_claims_no_prefill():
    facts = facts_of(config())
    assert not facts.prefill
    assert "xhigh" in facts.thinking_levels


def test_what_is_no_claude_takes_text_and_does_not_think():
    facts = facts_of(config(model="qwen3-8b"))
    assert facts.inputs == {"text"}
    assert facts.thinking_levels == frozenset()
    assert (facts.schema, facts.max_output_tokens) == (False, None)


def test_the_operator_knows_better():
    given = config(model="claude-opus-5-5", facts={"prefill": True, "context_tokens": 9})
    assert (facts_of(given).prefill, facts_of(given).context_tokens) == (True, 9)
    assert facts_of(config(model="claude-opus-5-5", dialect={"prefill": True})).prefill


@pytest.mark.parametrize(
    "wrong",
    [
        {"base_url": "localhost/v1"},
        {"max_tokens": 0},
        {"cache": "2h"},
        {"betas": ["a\nb"]},
        {"anthropic_version": ""},
        {"dialect": {"thinking": "deep"}},
        {"dialect": {"context_tokens": 5}},
        {"api_key": "a", "api_key_env": "B"},
    ],
)
def test_a_wrong_entry_is_not_taken(wrong: dict):
    with pytest.raises(msgspec.ValidationError):
        config(**wrong)
