"""Refusals of an object that stands inside a larger one."""

import pytest

from interplay.interactions.failures import Rejected, invalid, within


@pytest.mark.parametrize(
    ("message", "path", "said"),
    [
        ("Too many", "tools[0].name", "Too many at 'interaction.tools[0].name'."),
        ("The value 'x' at 'input[1]' is odd", "input", None),
        ("Exactly one is needed.", None, "Exactly one is needed at 'interaction'."),
        ("A 'b' is looked at 'quite' well", None, None),
    ],
)
def test_every_path_begins_at_the_place(message: str, path: str | None, said: str | None):
    found = within("interaction", invalid(message, path)).message
    if said is not None:
        assert found == said
    assert "at 'interaction" in found
    assert "interaction.interaction" not in found


def test_code_and_time_to_come_back_stay():
    found = within("x", Rejected("quota_exceeded", "Too many.", retry_after=3))
    assert (found.code, found.retry_after) == ("quota_exceeded", 3)
