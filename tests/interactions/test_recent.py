"""What was used lately stays, within its weight and its time."""

from __future__ import annotations

from interplay.interactions.recent import Recent


def test_the_least_used_goes_first():
    recent = Recent(10)
    recent.put("a", 1, 4)
    recent.put("b", 2, 4)
    assert recent.get("a") == 1
    recent.put("c", 3, 4)
    assert [recent.get(key) for key in "abc"] == [1, None, 3]


def test_what_is_put_again_weighs_once():
    recent = Recent(10)
    for number in range(100):
        recent.put("a", number, 5)
    recent.put("b", 0, 5)
    assert (recent.get("a"), recent.get("b")) == (99, 0)


def test_what_would_push_out_all_others_is_not_kept():
    recent = Recent(10)
    recent.put("a", 1, 10)
    recent.put("b", 2, 11)
    assert (recent.get("a"), recent.get("b")) == (1, None)


def test_what_is_over_its_time_is_gone_and_weighs_nothing():
    recent = Recent(10)
    recent.put("a", 1, 10, seconds=0.0)
    recent.put("b", 2, 1)
    assert recent.get("a") is None
    recent.put("c", 3, 9)
    assert (recent.get("b"), recent.get("c")) == (2, 3)
