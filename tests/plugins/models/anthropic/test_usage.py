"""What a server counted."""

from interplay.plugins.models.anthropic.chunks import OutputDetails, Spent
from interplay.plugins.models.anthropic.usage import later, usage_of
from interplay.wire.usage import Usage


def test_what_was_read_from_a_cache_and_written_to_it_is_input():
    spent = Spent(5, 7, 100, 20, OutputDetails(3))
    usage = usage_of(spent)
    assert (usage.total_input_tokens, usage.total_cached_tokens) == (125, 100)
    assert (usage.total_output_tokens, usage.total_thought_tokens) == (4, 3)
    assert usage.total_tokens == 132


def test_a_server_that_does_not_count_has_no_usage():
    assert usage_of(None) == Usage()


def test_a_later_count_stands_for_what_it_tells():
    assert later(Spent(5, 1, 9), Spent(None, 7)) == Spent(5, 7, 9)
    assert later(None, Spent(1)) == later(Spent(1), None) == Spent(1)
