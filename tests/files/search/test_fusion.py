"""Rankings made into one."""

from __future__ import annotations

from interplay.files.search.fusion import fused


def test_what_stands_high_in_both_comes_first() -> None:
    assert fused([(1.0, [1, 2, 3]), (1.0, [2, 4, 1])]) == [2, 1, 4, 3]


def test_the_first_of_one_goes_before_the_last_of_both() -> None:
    many = list(range(10, 40))
    found = fused([(1.0, [1, *many]), (1.0, [2, *many])])
    assert found.index(1) < found.index(39)


def test_a_weight_decides_between_equals_and_nothing_gives_nothing() -> None:
    assert fused([(1.0, [1, 2]), (1.5, [3, 4])]) == [3, 4, 1, 2]
    assert fused([(1.0, [7]), (2.0, [])]) == [7]
    assert fused([]) == []
