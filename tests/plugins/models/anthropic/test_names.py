"""Names and ids as the API takes them."""

import re

import pytest

from interplay.plugins.models.anthropic.names import Ids, fitting

TAKEN = re.compile(r"[a-zA-Z0-9_-]{1,64}")


@pytest.mark.parametrize("name", ["get_weather", "a-b", "x" * 64])
def test_a_name_that_fits_stays(name: str):
    assert fitting(name) == name


def test_names_that_do_not_fit_are_replaced_each_by_its_own():
    names = ["a.b", "a:b", "a b", "", "é", "x" * 65, "x" * 66]
    made = [fitting(name) for name in names]
    assert all(TAKEN.fullmatch(name) for name in made)
    assert len({*made}) == len(names)


def test_no_two_calls_have_one_id():
    ids = Ids()
    made = [ids.new(id) for id in ("a", "a", "a_2", "a", ":")]
    assert len({*made}) == 5
    assert all(TAKEN.fullmatch(id) for id in made)
