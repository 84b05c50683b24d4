"""The fields of an entry, and the facts that follow from them."""

import msgspec
import pytest

from interplay.plugins.models.openai_compatible.config import (
    facts_of,
)
from tests.plugins.models.openai_compatible.test_request import config


def test_thinking_levels_follow_from_the_dialect():
    assert facts_of(config()).thinking_levels == frozenset()
    own = {"thinking": {"low": {}, "high": {}}}
    assert facts_of(config(dialect=own)).thinking_levels == {"low", "high"}
    asked = config(dialect={"thinking": "reasoning"}, facts={"thinking_levels": ["low"]})
    assert facts_of(asked).thinking_levels == {"low"}


def test_facts_are_the_defaults_and_what_the_operator_says():
    facts = facts_of(config())
    assert (facts.functions, facts.schema, facts.prefill) == (True, True, False)
    assert facts.inputs == facts.outputs == {"text"}
    given = {"inputs": ["text", "image"], "functions": False, "context_tokens": 4096}
    told = facts_of(config(facts=given))
    assert told.inputs == {"text", "image"}
    assert (told.functions, told.context_tokens) == (False, 4096)
    assert not facts_of(config(dialect={"schema": "json_object"})).schema


@pytest.mark.parametrize(
    "wrong",
    [
        {"base_url": "localhost:8000/v1"},
        {"facts": {"input": ["text"]}},
        {"dialect": {"schema": "xml"}},
        {"max_token": 1},
        {"base_url": "http://x:port/v1"},
        {"api_key": "a", "api_key_env": "B"},
        {"max_concurrent": 0},
        {"dialect": {"starts_in_thought": True}},
        {"dialect": {"think_tags": ["<think>", ""]}},
        {"dialect": {"reasoning_back": "text", "reasoning_fields": []}},
    ],
)
def test_a_wrong_entry_is_not_taken(wrong: dict):
    with pytest.raises(msgspec.ValidationError):
        config(**wrong)
