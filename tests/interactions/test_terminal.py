"""Times of interactions."""

from __future__ import annotations

from interplay.interactions.terminal import now, timestamp


def test_a_time_is_the_same_second_before_and_after_it_is_stored_in_milliseconds() -> None:
    for _ in range(1_000):
        moment = now()
        kept = round(moment * 1000) / 1000
        assert kept == moment
        assert timestamp(int(kept)) == timestamp(int(moment))
