"""Declarations that cannot be served are refused by name."""

import sys

import pytest

from interplay.contracts.egress import Guard
from interplay.contracts.failure import Refused
from interplay.contracts.registry import load
from interplay.plugins.tools.mcp_server.target import target_of
from interplay.wire.tools import MCPServer

URL = "https://example.com/mcp"


@pytest.mark.parametrize("name", [None, "", "Upper", "a b", "ü", "x" * 65, "a:b"])
def test_a_name_outside_the_pattern_is_refused(name):
    with pytest.raises(Refused, match="'name' of an MCP server"):
        target_of(MCPServer(name=name, url=URL), Guard())


def test_a_credential_is_refused_with_the_way_out():
    with pytest.raises(Refused, match=r"'credential' .* send the secret in 'headers'"):
        target_of(MCPServer(name="s", url=URL, credential="c1"), Guard())


@pytest.mark.parametrize("url", [None, "", "ftp://x/", "https://u:p@x/", "http://93.184.216.34/"])
def test_a_url_that_cannot_be_is_refused(url):
    with pytest.raises(Refused, match="'s'"):
        target_of(MCPServer(name="s", url=url), Guard())


@pytest.mark.parametrize(
    "headers",
    [
        {"a b": "hidden"},
        {"x": "hidden\r\nevil: 1"},
        {"Host": "hidden"},
        {"Mcp-Session-Id": "hidden"},
        {"a": "hidden", "A": "hidden"},
        {f"x{n}": "hidden" for n in range(65)},
    ],
)
def test_headers_that_cannot_be_sent_are_refused_without_their_values(headers):
    with pytest.raises(Refused) as caught:
        target_of(MCPServer(name="s", url=URL, headers=headers), Guard())
    assert "hidden" not in str(caught.value)


def test_without_the_extra_it_says_what_to_install(monkeypatch):
    for name in [*sys.modules]:
        if name.startswith("interplay.plugins.tools.mcp_server"):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "httpx2", None)
    with pytest.raises(ImportError, match=r"pip install 'interplay\[mcp\]'"):
        load("interplay.tools", "mcp_server")
