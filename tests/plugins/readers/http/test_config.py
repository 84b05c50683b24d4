"""Fields of `[reader]` are checked."""

import re
import tomllib

import msgspec
import pytest

from interplay.plugins.readers.http.config import Config
from tests.house.tree import ROOT


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


def test_the_documentation_shows_every_field_with_its_default():
    paper = (ROOT / "docs" / "tools.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```toml\n(.*?)```", paper, re.DOTALL)
    (shown,) = [read["reader"] for block in blocks if "reader" in (read := tomllib.loads(block))]
    assert shown == msgspec.to_builtins(Config())
