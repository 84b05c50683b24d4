"""Where this server may connect to when a caller names the address.

Whatever a caller or a model can make the server fetch goes through one `Guard`. It resolves a
host once and answers the addresses to connect to: whoever connects to anything else, or resolves
again, has lost the guard.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
from collections.abc import Awaitable, Callable, Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from urllib.parse import quote, urlsplit

import msgspec

Resolve = Callable[[str, int], Awaitable[list[str]]]
"""Host and port -> its addresses; raises OSError when there are none."""

LONGEST_URL = 2_048
_PORTS = {"http": 80, "https": 443}
_NAME = re.compile(r"[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*")
_NUMBER = re.compile(r"\d+|0x[0-9a-f]*")
_LOCAL = ("127.0.0.1", "::1")
_GLOBAL_V6 = IPv6Network("2000::/3")

_NOT_PUBLIC: list[tuple[str, list[str]]] = [
    ("loopback", ["127.0.0.0/8", "::1/128"]),
    ("private", ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "fec0::/10"]),
    ("link-local", ["169.254.0.0/16", "fe80::/10"]),
    ("shared", ["100.64.0.0/10"]),
    ("multicast", ["224.0.0.0/4", "ff00::/8"]),
    ("metadata", ["168.63.129.16/32"]),  # Azure's, though its range is public
    ("translated", ["::ffff:0:0/96", "::/96", "64:ff9b::/96", "64:ff9b:1::/48", "2002::/16"]),
    (
        "reserved",
        [
            "0.0.0.0/8",
            "192.0.0.0/24",
            "192.0.2.0/24",
            "192.88.99.0/24",
            "198.18.0.0/15",
            "198.51.100.0/24",
            "203.0.113.0/24",
            "240.0.0.0/4",
            "2001::/23",
            "2001:db8::/32",
            "3fff::/20",
        ],
    ),
]
_NETWORKS = [(word, ipaddress.ip_network(text)) for word, texts in _NOT_PUBLIC for text in texts]


class EgressRefused(Exception):
    """This address must not be reached; the message says why and may be shown to the caller."""


class Unresolvable(Exception):
    """A host has no address just now; the message may be shown to the caller."""


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A URL taken apart, with everything that two readers of it could understand differently put
    into one form. Whoever connects uses `url`, never the text it was made from."""

    scheme: str
    host: str
    """A name in ASCII and lower case, or an address without brackets."""
    port: int
    target: str
    """Path and query, percent-encoded."""

    @property
    def literal(self) -> bool:
        """Whether the host is an address and no name."""
        return _literal(self.host) is not None

    @property
    def url(self) -> str:
        """The URL in its one form."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == _PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}{self.target}"


class Pinned(msgspec.Struct, frozen=True, kw_only=True):
    """A place and the addresses to connect to, whatever its name may lead to later. TLS still
    asks for `place.host`."""

    place: Place
    addresses: list[str]


async def system_resolve(host: str, port: int) -> list[str]:
    """What the operating system answers."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class Guard:
    """Permits public addresses, and those in the operator's `allowed` networks (CIDR). Raises
    ValueError when one of those is no network."""

    def __init__(self, allowed: Iterable[str] = (), *, resolve: Resolve = system_resolve) -> None:
        self._allowed = [_network(text) for text in allowed]
        self._resolve = resolve

    def check(self, url: str, *, plain: bool = True) -> Place:
        """What can be told without resolving. Raises EgressRefused. Without `plain`, http is for
        allowed networks only."""
        place = _parsed(url)
        if place.scheme == "http" and not plain and not self._allowed:
            raise EgressRefused("Only https is possible")
        if place.literal:
            self._permitted(place.host, [place.host], only_allowed=_strict(place, plain))
        elif place.host == "localhost" or place.host.endswith(".localhost"):
            self._permitted(place.host, _LOCAL, only_allowed=_strict(place, plain))
        return place

    async def pin(self, url: str, *, plain: bool = True) -> Pinned:
        """The place and where to connect to. Raises EgressRefused, Unresolvable."""
        place = self.check(url, plain=plain)
        strict = _strict(place, plain)
        found = await self.addresses(place.host, place.port, only_allowed=strict)
        return Pinned(place=place, addresses=found)

    async def addresses(self, host: str, port: int, *, only_allowed: bool = False) -> list[str]:
        """The addresses of a host that may be reached, resolved now; never empty. Raises
        EgressRefused when there are only others, Unresolvable when there is none. With
        `only_allowed`, public ones are not enough."""
        if _literal(host) is not None:
            return self._permitted(host, [host], only_allowed=only_allowed)
        try:
            found = await self._resolve(host, port)
        except (OSError, UnicodeError) as error:
            raise Unresolvable(f"The host '{host[:80]}' has no address") from error
        if not found:
            raise Unresolvable(f"The host '{host[:80]}' has no address")
        return self._permitted(host, found, only_allowed=only_allowed)

    def _permitted(self, host: str, found: Iterable[str], *, only_allowed: bool) -> list[str]:
        refused, permitted = "", list[str]()
        for text in found:
            word = self._refusal(text, only_allowed)
            if word is None:
                permitted.append(text)
            refused = refused or word or ""
        if permitted:
            return permitted
        if refused == "public":
            raise EgressRefused("Only https is possible to public addresses")
        # The address is not named: it would tell callers what the names inside a network mean.
        raise EgressRefused(
            f"The host '{host[:80]}' leads to a {refused} address, which this server may not"
            " reach; its operator can allow that with allowed_networks"
        )

    def _refusal(self, text: str, only_allowed: bool) -> str | None:
        """Why an address is refused, in a word; None when it is not."""
        address = _literal(text)
        if address is None:
            return "reserved"
        if any(address in network for network in self._allowed):
            return None
        for word, network in _NETWORKS:
            if address in network:
                return word
        if isinstance(address, IPv6Address) and address not in _GLOBAL_V6:
            return "reserved"
        return "public" if only_allowed else None


def _strict(place: Place, plain: bool) -> bool:
    return place.scheme == "http" and not plain


def _network(text: str) -> IPv4Network | IPv6Network:
    wrong = f"'{text[:80]}' is no network; write it like 10.0.0.0/8 or fd00::/8"
    if "%" in text:
        raise ValueError(wrong)
    try:
        return ipaddress.ip_network(text.strip(), strict=False)
    except ValueError as error:
        raise ValueError(wrong) from error


def _literal(host: str) -> IPv4Address | IPv6Address | None:
    """The address a text is, in the one form it has; None for a name, and for zones."""
    try:
        return ipaddress.ip_address(host) if "%" not in host else None
    except ValueError:
        return None


def _parsed(url: str) -> Place:
    if len(url) > LONGEST_URL:
        raise EgressRefused(f"A URL has at most {LONGEST_URL} characters")
    if any(ord(char) <= 32 or ord(char) == 127 for char in url) or "\\" in url:
        raise EgressRefused("A URL has no spaces, control characters or backslashes")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise EgressRefused("This is no URL") from error
    scheme = parts.scheme.lower()
    if scheme not in _PORTS or not parts.hostname:
        raise EgressRefused("Expected a URL that begins with https:// and names a host")
    if "@" in parts.netloc:
        raise EgressRefused("A URL must not hold a user name or a password")
    if port == 0:
        raise EgressRefused("The port 0 cannot be reached")
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._")
    query = "?" + quote(parts.query, safe="/%:@!$&'()*+,;=~-._?") if parts.query else ""
    return Place(
        scheme=scheme,
        host=_host(parts.hostname, bracketed="[" in parts.netloc),
        port=port or _PORTS[scheme],
        target=path + query,
    )


def _host(raw: str, *, bracketed: bool) -> str:
    if bracketed:
        address = _literal(raw)
        if not isinstance(address, IPv6Address):
            raise EgressRefused("Between brackets stands an IPv6 address without a zone")
        return str(address)
    try:
        # Other scripts have letters, digits and dots that are turned into those of ASCII.
        name = raw.encode("idna").decode("ascii").lower().removesuffix(".")
    except UnicodeError as error:
        raise EgressRefused("The host is no name and no address") from error
    if not _NAME.fullmatch(name) or len(name) > 253:
        raise EgressRefused("The host is no name and no address")
    if _NUMBER.fullmatch(name.rpartition(".")[2]) and _literal(name) is None:
        raise EgressRefused("An IPv4 address is written as four decimal numbers")
    return name
