"""ManualClock moves only by hand."""

import pytest

from interplay.testing.manual_clock import ManualClock


def test_it_stands_still_until_it_is_moved():
    clock = ManualClock(100.0)
    assert clock.now() == clock() == 100.0
    assert clock.advance(2.5) == 102.5
    assert clock.now() == 102.5


def test_it_does_not_go_back():
    with pytest.raises(ValueError, match="back"):
        ManualClock().advance(-1)
