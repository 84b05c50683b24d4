"""Tokens as servers count them become usage."""

from typing import Any

import msgspec
import pytest

from interplay.plugins.models.openai_compatible.chunks import Spent
from interplay.plugins.models.openai_compatible.usage import usage_of
from interplay.wire.usage import ModalityTokens, Usage


def usage(**fields: Any) -> Usage:
    return usage_of(msgspec.convert(fields, Spent))


def test_thoughts_are_taken_out_of_the_output():
    found = usage(
        prompt_tokens=10,
        completion_tokens=30,
        total_tokens=40,
        completion_tokens_details={"reasoning_tokens": 20},
    )
    assert (found.total_output_tokens, found.total_thought_tokens) == (10, 20)
    assert found.total_tokens == 40


def test_thoughts_that_were_counted_apart_are_not_taken_out_twice():
    found = usage(
        prompt_tokens=10,
        completion_tokens=30,
        total_tokens=60,
        completion_tokens_details={"reasoning_tokens": 20},
    )
    assert (found.total_output_tokens, found.total_thought_tokens) == (30, 20)
    assert found.total_tokens == 60


@pytest.mark.parametrize(
    "fields", [{"prompt_tokens_details": {"cached_tokens": 6}}, {"prompt_cache_hit_tokens": 6}]
)
def test_cached_tokens_are_counted(fields: dict):
    assert usage(prompt_tokens=10, completion_tokens=1, **fields).total_cached_tokens == 6


def test_tokens_by_modality_are_given_where_the_server_gives_them():
    found = usage(
        prompt_tokens=10,
        completion_tokens=4,
        prompt_tokens_details={"audio_tokens": 3},
        completion_tokens_details={"text_tokens": 4},
    )
    assert found.input_tokens_by_modality == [
        ModalityTokens("text", 7),
        ModalityTokens("audio", 3),
    ]
    assert found.output_tokens_by_modality == [ModalityTokens("text", 4)]
    assert usage(prompt_tokens=1, completion_tokens=1).input_tokens_by_modality is None


def test_nothing_counted_is_nothing_claimed():
    assert usage_of(None) == Usage()
