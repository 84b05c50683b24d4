"""Pages: sizes and tokens, right and wrong."""

import pytest

from interplay.interactions.failures import Rejected
from interplay.interactions.paging import page_position, page_size


@pytest.mark.parametrize(
    ("query", "size"),
    [({}, 50), ({"page_size": ""}, 50), ({"page_size": "1"}, 1), ({"pageSize": "500"}, 500)],
)
def test_a_page_size_is_read(query: dict[str, str], size: int):
    assert page_size(query) == size


@pytest.mark.parametrize("size", ["0", "501", "-1", "x", "²", "9" * 400])
def test_a_page_size_out_of_range_is_refused_by_name(size: str):
    with pytest.raises(Rejected, match="at 'page_size'"):
        page_size({"page_size": size})


@pytest.mark.parametrize(
    ("query", "position"),
    [({}, None), ({"page_token": ""}, None), ({"page_token": "7"}, 7), ({"pageToken": "8"}, 8)],
)
def test_a_page_token_is_read(query: dict[str, str], position: int | None):
    assert page_position(query) == position


@pytest.mark.parametrize("token", ["x", "-1", "1.5", "²", "9" * 18])
def test_a_foreign_page_token_is_refused_by_name(token: str):
    with pytest.raises(Rejected, match="at 'page_token'"):
        page_position({"page_token": token})
