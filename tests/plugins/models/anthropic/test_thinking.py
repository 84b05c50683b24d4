"""How a turn thinks, by what the model takes."""

from typing import Any

import pytest

from interplay.plugins.models.anthropic.dialect import GivenDialect, dialect_of
from interplay.plugins.models.anthropic.thinking import BINDING_BETA, Thinking, thinking_of
from tests.plugins.models.anthropic.upstream import turn


def thinking(name: str, *, limit: int = 32_000, forced: bool = False, **fields: Any) -> Thinking:
    dialect = dialect_of(name, GivenDialect())
    return thinking_of(turn(name=name, **fields), dialect, limit, forced=forced)


def asked(name: str, **fields: Any) -> Any:
    return thinking(name, **fields).fields.get("thinking")


def test_a_budget_follows_from_the_level_and_leaves_room_for_the_answer():
    old = "claude-haiku-4-5"
    full = asked(old, thinking_level="high", limit=64_000)
    assert full == {"type": "enabled", "budget_tokens": 24_576}
    assert asked(old, thinking_level="xhigh", limit=64_000) == full
    assert asked(old, thinking_level="high", limit=4_000)["budget_tokens"] == 3_000
    assert asked(old, thinking_level="high", limit=1_000) is None
    assert asked(old) is None
    assert asked(old, thinking_level="minimal") is None


@pytest.mark.parametrize("how", [{"forced": True}, {"prefix": "So"}])
def test_who_must_call_or_goes_on_does_not_think(how: Any):
    assert thinking("claude-haiku-4-5", thinking_level="high", **how) == Thinking()
    off = thinking("claude-sonnet-5-5", thinking_level="high", **how)
    assert not off.on
    assert off.fields == {"thinking": {"type": "disabled"}}
    assert thinking("claude-opus-4-8", thinking_level="high", **how) == Thinking()


def test_depth_is_an_effort_where_the_model_decides_itself():
    made = thinking("claude-opus-4-8", thinking_level="xhigh", thinking_summaries=True)
    assert made.on
    assert made.fields == {
        "thinking": {"type": "adaptive", "display": "summarized"},
        "output_config": {"effort": "xhigh"},
    }
    assert thinking("claude-opus-4-6", thinking_level="xhigh").fields["output_config"] == {
        "effort": "high"
    }


def test_who_cannot_stop_thinking_thinks_little():
    made = thinking("claude-opus-5-5", thinking_level="minimal")
    assert made.fields["output_config"] == {"effort": "low"}
    assert made.fields["thinking"]["type"] == "adaptive"


def test_thoughts_behind_other_words_are_to_be_dropped_where_the_model_checks():
    made = thinking("claude-sonnet-5-5")
    assert made.fields["thinking"]["block_binding"] == {"prefix_mismatch_behavior": "drop_block"}
    assert made.betas == (BINDING_BETA,)
    assert thinking("claude-sonnet-5").betas == ()


def test_nothing_is_asked_of_models_that_think_on_request_alone():
    assert thinking("claude-opus-4-8") == Thinking()
    assert thinking("qwen3", thinking_level="high") == Thinking()
