"""robots.txt as RFC 9309 has it: what it says, and a memory of what hosts said."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from urllib.parse import quote

import msgspec

from interplay.contracts.egress import Place

MOST_BYTES = 512 * 1024
"""Read of one robots.txt."""
_KEPT, _SECONDS, _SECONDS_AFTER_FAILURE = 1_000, 3_600.0, 60.0
_SAFE = "/%:@!$&'()*+,;=~-._?"

Ask = Callable[[str], Awaitable[tuple[int, bytes]]]
"""Fetches an address: status and body; 503 for a host that cannot be reached."""


class Rule(msgspec.Struct, frozen=True):
    """One line of a group."""

    allow: bool
    pattern: str

    def matches(self, target: str) -> bool:
        """Whether it speaks of this path and query. Linear, whatever the pattern."""
        pattern, ends = self.pattern, self.pattern.endswith("$")
        first, *rest = pattern.removesuffix("$").split("*")
        if not target.startswith(first):
            return False
        at = len(first)
        if not rest:
            return not ends or at == len(target)
        for part in rest[:-1] if ends else rest:
            found = target.find(part, at)
            if found < 0:
                return False
            at = found + len(part)
        return not ends or (len(target) - at >= len(rest[-1]) and target.endswith(rest[-1]))


class Rules(msgspec.Struct, frozen=True):
    """What one robots.txt says to one robot."""

    rules: tuple[Rule, ...] = ()

    def allow(self, target: str) -> bool:
        """Whether a path and query may be fetched: the longest pattern decides, and of two
        that are as long the one that allows."""
        matching = [rule for rule in self.rules if rule.matches(target)]
        if not matching:
            return True
        return max(matching, key=lambda rule: (len(rule.pattern), rule.allow)).allow


ALL, NONE = Rules(), Rules((Rule(False, "/"),))


def parse(text: str, robot: str) -> Rules:
    """The groups for this robot, or else those for all."""
    groups: dict[str, list[Rule]] = {}
    names: list[str] = []
    named = False
    for line in text.lstrip("\ufeff").splitlines():
        key, colon, value = line.partition("#")[0].partition(":")
        key, value = key.strip().lower(), value.strip()
        if not colon:
            continue
        if key == "user-agent":
            names = [*names, value.lower()] if named else [value.lower()]
            named = True
            groups.setdefault(value.lower(), [])
        elif key in ("allow", "disallow"):
            named = False
            if value:
                rule = Rule(key == "allow", quote(value, safe=_SAFE))
                for name in names:
                    groups[name].append(rule)
    return Rules(tuple(groups.get(robot.lower(), groups.get("*", []))))


class Robots:
    """Asks each host once an hour. A host whose robots.txt fails with 5xx, or cannot be reached,
    allows nothing for a minute; one that has none allows all."""

    def __init__(self, robot: str, ask: Ask, *, now: Callable[[], float] = time.monotonic) -> None:
        self._robot, self._ask, self._now = robot, ask, now
        self._known: OrderedDict[str, tuple[float, Rules]] = OrderedDict()

    async def allow(self, place: Place) -> bool:
        """Whether a place may be fetched."""
        origin = msgspec.structs.replace(place, target="/robots.txt").url
        known = self._known.get(origin)
        if known is None or known[0] <= self._now():
            known = await self._asked(origin)
            self._known[origin] = known
            if len(self._known) > _KEPT:
                self._known.popitem(last=False)
        self._known.move_to_end(origin)
        return known[1].allow(place.target)

    async def _asked(self, origin: str) -> tuple[float, Rules]:
        status, body = await self._ask(origin)
        if status >= 500 or status == 429:
            return self._now() + _SECONDS_AFTER_FAILURE, NONE
        rules = ALL
        if status < 300:
            rules = parse(body[:MOST_BYTES].decode("utf-8", "replace"), self._robot)
        return self._now() + _SECONDS, rules
