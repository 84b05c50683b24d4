"""An address of the settings -> what a request to it needs."""

from __future__ import annotations

from base64 import b64encode
from urllib.parse import quote, unquote, urlsplit

import msgspec

_PORTS = {"http": 80, "https": 443}
_IN_PATH = "/%:@!$&'()*+,;=~-._"


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """A parsed http or https address; user and password are decoded."""

    scheme: str
    host: str
    """ASCII, an IPv6 address without brackets."""
    port: int
    user: str = ""
    password: str = ""
    path: str = ""
    """Quoted, without a slash at its end; empty for the root."""
    query: str = ""

    @property
    def secure(self) -> bool:
        """Whether the connection is encrypted."""
        return self.scheme == "https"

    @property
    def authority(self) -> str:
        """Host and port as `Host` has them: the scheme's own port is left out."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def origin(self) -> str:
        """Scheme and authority."""
        return f"{self.scheme}://{self.authority}"

    @property
    def basic(self) -> str:
        """User and password as a header wants them; empty without a user."""
        if not self.user and not self.password:
            return ""
        return "Basic " + b64encode(f"{self.user}:{self.password}".encode()).decode()

    def target(self, *more: str) -> str:
        """The path of what lies at these names below the address, with the query."""
        path = "/".join((self.path, *more))
        return f"{path}?{self.query}" if self.query else path


def parse(address: str) -> Address:
    """Takes an address apart. Raises ValueError, which says what is wrong with it."""
    parts = urlsplit(address)
    if parts.scheme not in _PORTS:
        raise ValueError("it must begin with http:// or https://")
    host = parts.hostname or ""
    if ":" not in host:
        host = host.encode("idna").decode()
    if not host or not all("!" <= c <= "~" for c in host):
        raise ValueError("it has no host")
    port = parts.port
    return Address(
        scheme=parts.scheme,
        host=host,
        port=_PORTS[parts.scheme] if port is None else port,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        path=quote(parts.path.rstrip("/"), safe=_IN_PATH),
        query=quote(parts.query, safe=_IN_PATH + "?"),
    )


def public(address: str) -> str:
    """An address from outside without user, password, query and fragment."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return "nowhere"
    host = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=host, query="", fragment="").geturl()
