"""aiohttp behind the guard, against a web on loopback."""

from __future__ import annotations

import socket

import aiohttp
import pytest

from interplay.contracts.egress import EgressRefused, Guard
from interplay.contracts.egress_http import GuardedResolver, guarded_session, url_of
from interplay.testing.local_web import LocalWeb, Page

PUBLIC = "93.184.215.14"


class Names:
    """A resolver whose answers change from call to call, the last one staying."""

    def __init__(self, *answers: list[str]) -> None:
        self._answers = list(answers)
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> list[str]:
        self.asked.append(host)
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]


async def test_the_connection_goes_where_the_guard_says_under_the_hosts_name():
    names = Names(["127.0.0.1"])
    guard = Guard(["127.0.0.0/8"], resolve=names)
    async with LocalWeb() as web, guarded_session(guard) as session:
        web.text("/a", "hello")
        place = guard.check(web.url("/a").replace("127.0.0.1", "inside.example"))
        async with session.get(url_of(place)) as answered:
            assert await answered.text() == "hello"
        assert web.requests[0].headers["host"] == f"inside.example:{place.port}"
    assert names.asked == ["inside.example"]


async def test_a_name_that_changes_between_check_and_connection_is_refused():
    names = Names([PUBLIC], ["127.0.0.1"])
    guard = Guard(resolve=names)
    async with LocalWeb() as web, guarded_session(guard) as session:
        web.text("/", "secret")
        url = web.url("/").replace("127.0.0.1", "rebinding.example")
        pinned = await guard.pin(url)
        assert pinned.addresses == [PUBLIC]
        with pytest.raises(EgressRefused, match="loopback"):
            await session.get(url_of(pinned.place))
        assert web.requests == []


async def test_each_connection_resolves_once():
    """What is connected to is the very answer that was checked."""
    names = Names(["127.0.0.1"], [PUBLIC])
    guard = Guard(["127.0.0.0/8"], resolve=names)
    async with LocalWeb() as web, guarded_session(guard) as session:
        web.text("/", "hello")
        place = guard.check(web.url("/").replace("127.0.0.1", "turning.example"))
        async with session.get(url_of(place)) as answered:
            assert answered.status == 200
    assert names.asked == ["turning.example"]


async def test_a_session_for_allowed_networks_refuses_public_addresses():
    guard = Guard(["127.0.0.0/8"], resolve=Names([PUBLIC]))
    async with guarded_session(guard, only_allowed=True) as session:
        with pytest.raises(EgressRefused, match="Only https"):
            await session.get("http://public.example/")


async def test_a_host_without_addresses_is_aiohttps_own_error():
    async def fails(host: str, port: int) -> list[str]:
        raise OSError("no such host")

    async with guarded_session(Guard(resolve=fails)) as session:
        with pytest.raises(aiohttp.ClientConnectorDNSError):
            await session.get("https://gone.example/")


async def test_a_redirect_inside_is_not_followed_past_the_guard():
    """Even a caller who forgets to switch redirects off meets the guard at a name."""
    names = Names(["127.0.0.1"], ["127.0.0.2"])
    guard = Guard(["127.0.0.1/32"], resolve=names)
    async with LocalWeb() as web, guarded_session(guard) as session:
        web.redirect("/", "http://other.example/")
        place = guard.check(web.url("/").replace("127.0.0.1", "first.example"))
        with pytest.raises(EgressRefused):
            await session.get(url_of(place))


async def test_cookies_and_proxies_of_the_environment_are_not_used(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9/")
    guard = Guard(["127.0.0.0/8"])
    async with LocalWeb() as web, guarded_session(guard) as session:
        web.on("/", Page(headers={"set-cookie": "a=b"}, body=b"x"))
        place = guard.check(web.url("/"))
        for _ in range(2):
            async with session.get(url_of(place)) as answered:
                assert answered.status == 200
        assert "cookie" not in web.requests[1].headers


async def test_the_resolver_tells_the_families_of_addresses():
    guard = Guard(resolve=Names([PUBLIC, "2606:4700::1"]))
    resolver = GuardedResolver(guard)
    both = await resolver.resolve("x.example", 443, socket.AF_UNSPEC)
    assert [found["family"] for found in both] == [socket.AF_INET, socket.AF_INET6]
    only = await resolver.resolve("x.example", 443, socket.AF_INET6)
    assert [found["host"] for found in only] == ["2606:4700::1"]
    await resolver.close()
