"""Fields of `[reader]` are checked."""

import msgspec
import pytest

from interplay.plugins.readers.http.config import Config


def test_the_defaults_are_what_an_operator_gets():
    assert msgspec.convert({}, Config).robots


@pytest.mark.parametrize(
    "fields",
    [
        {"seconds": 0},
        {"redirects": -1},
        {"parsers": 0},
        {"user_agent": "two words"},
        {"user_agent": "Name/1\r\nX-Other: 1"},
        {"sconds": 3},
    ],
)
def test_what_makes_no_sense_is_refused(fields: dict[str, object]):
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(fields, Config)
