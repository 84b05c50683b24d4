"""Addresses are taken apart and put together for requests, without what must not be seen."""

import pytest

from interplay.plugins.models.remote.address import parse, public
from tests.plugins.models.openai_compatible.test_request import config
from tests.plugins.models.openai_compatible.upstream import STOP, Upstream, ask, model, stream, text


@pytest.mark.parametrize(
    ("address", "host", "port", "authority", "target"),
    [
        ("http://a.example/v1", "a.example", 80, "a.example", "/v1/x"),
        ("http://a.example:80/v1/", "a.example", 80, "a.example", "/v1/x"),
        ("https://A.example:8443", "a.example", 8443, "a.example:8443", "/x"),
        ("http://[::1]:9000/v1?k=1&s=a b", "::1", 9000, "[::1]:9000", "/v1/x?k=1&s=a%20b"),
        ("http://bücher.example/ü", "xn--bcher-kva.example", 80, None, "/%C3%BC/x"),
        ("http://a.example/a%20b#part", "a.example", 80, "a.example", "/a%20b/x"),
    ],
)
def test_an_address_becomes_what_a_request_needs(
    address: str, host: str, port: int, authority: str | None, target: str
):
    found = parse(address)
    assert (found.host, found.port) == (host, port)
    assert found.authority == (authority or host)
    assert found.target("x") == target


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "ftp://a.example",
        "http://",
        "http://:80",
        "http://x:port",
        "http://a b/",
        "http://x:99999",
    ],
)
def test_what_is_no_address_is_refused(wrong: str):
    with pytest.raises(ValueError, match=r"must begin|no host|[Pp]ort|label"):
        parse(wrong)


def test_what_others_point_to_is_shown_without_secrets():
    assert public("https://me:pw@x.example/a?key=1#b") == "https://x.example/a"
    assert public("/elsewhere?key=1") == "/elsewhere"
    assert public("http://[broken") == "nowhere"


async def test_user_password_path_and_query_of_base_url_go_with_each_request(server: Upstream):
    server.base_url = server.base_url.replace("//", "//me:p%40ss@") + "?version=2"
    server.will(stream(text("one"), STOP))
    async with model(server) as made:
        await ask(made)
    (request,) = server.requests
    assert request.path == "/v1/chat/completions?version=2"
    assert request.headers["authorization"] == "Basic bWU6cEBzcw=="
    assert request.headers["host"] == server.base_url.partition("@")[2].partition("/")[0]


async def test_a_key_and_a_header_of_the_entry_stand_before_what_is_usual(server: Upstream):
    server.will(stream(text("one"), STOP))
    own = {"user-agent": "mine", "Host": "other.example"}
    server.base_url = server.base_url.replace("//", "//me:pw@")
    async with model(server, headers=own, api_key="k") as made:
        await ask(made)
    headers = server.requests[0].headers
    assert (headers["user-agent"], headers["host"]) == ("mine", "other.example")
    assert headers["authorization"] == "Bearer k"


@pytest.mark.parametrize(
    "wrong",
    [
        {"headers": {"X-Key": "a\r\nX-Other: b"}},
        {"headers": {"X Key": "a"}},
        {"headers": {"Content-Length": "3"}},
        {"api_key": "a\nb"},
        {"proxy": "https://proxy.example"},
        {"proxy": "proxy.example:80"},
    ],
)
def test_an_entry_that_would_break_a_request_is_not_taken(wrong: dict):
    with pytest.raises(ValueError, match=r"header|proxy"):
        config(**wrong)
