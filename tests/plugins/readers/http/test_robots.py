"""robots.txt is understood and remembered."""

from __future__ import annotations

import pytest

from interplay.contracts.egress import Guard
from interplay.plugins.readers.http.robots import Robots, Rule, parse

TEXT = """\ufeff# Hello
User-agent: Other
Disallow: /

user-agent: interplay
User-Agent: third
Disallow: /private   # all of it
Allow: /private/open
Disallow: /*.pdf$
Disallow: /caf\u00e9
Disallow:
Sitemap: https://a.example/sitemap.xml

User-agent: *
Disallow: /
"""


@pytest.mark.parametrize(
    ("target", "allowed"),
    [
        ("/", True),
        ("/private", False),
        ("/privately", False),
        ("/private/open/x", True),
        ("/a/b.pdf", False),
        ("/a/b.pdf?x=1", True),
        ("/caf%C3%A9/menu", False),
    ],
)
def test_the_longest_line_of_the_robots_own_group_decides(target: str, allowed: bool):
    assert parse(TEXT, "Interplay").allow(target) is allowed


def test_a_robot_without_a_group_goes_by_the_one_for_all():
    assert not parse(TEXT, "Unknown").allow("/x")
    assert parse("", "Interplay").allow("/x")
    assert parse("<html>Disallow: /</html>", "Interplay").allow("/x")


def test_of_lines_as_long_as_each_other_the_one_that_allows_counts():
    assert parse("User-agent: *\nDisallow: /a\nAllow: /a", "x").allow("/a")


@pytest.mark.parametrize(
    ("pattern", "target", "matches"),
    [
        ("/a*c", "/abc", True),
        ("/a*c", "/ab", False),
        ("/a*c$", "/abcd", False),
        ("/a*c$", "/ac/c", True),
        ("/ab*b$", "/ab", False),
        ("*", "/x", True),
        ("/a$", "/a", True),
        ("/a$", "/ab", False),
        ("/" + "a*" * 200 + "b", "/" + "a" * 2_000, False),
    ],
)
def test_stars_and_ends_match_in_linear_time(pattern: str, target: str, matches: bool):
    assert Rule(False, pattern).matches(target) is matches


class Hosts:
    """Answers for every robots.txt, and a clock."""

    def __init__(self, *answers: tuple[int, bytes]) -> None:
        self.answers, self.asked, self.now = list(answers), list[str](), 0.0
        self.robots = Robots("Interplay", self.ask, now=lambda: self.now)

    async def ask(self, url: str) -> tuple[int, bytes]:
        self.asked.append(url)
        return self.answers.pop(0)

    async def allow(self, url: str) -> bool:
        return await self.robots.allow(Guard().check(url))


NO = b"User-agent: *\nDisallow: /no"


async def test_a_host_is_asked_once_an_hour_and_each_origin_for_itself():
    hosts = Hosts((200, NO), (200, b""), (200, b""))
    assert not await hosts.allow("https://a.example/no?x=1")
    assert await hosts.allow("https://a.example/yes")
    assert await hosts.allow("https://a.example:8443/no")
    assert hosts.asked == [
        "https://a.example/robots.txt",
        "https://a.example:8443/robots.txt",
    ]
    hosts.now = 3_601
    assert await hosts.allow("https://a.example/no")


async def test_a_host_without_one_allows_all_and_one_that_fails_nothing_for_a_minute():
    hosts = Hosts((404, b""), (503, b""), (200, b""))
    assert await hosts.allow("https://none.example/no")
    assert not await hosts.allow("https://down.example/")
    hosts.now = 59
    assert not await hosts.allow("https://down.example/")
    hosts.now = 61
    assert await hosts.allow("https://down.example/")
