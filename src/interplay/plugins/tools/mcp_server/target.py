"""A declaration of `mcp_server`, checked: where to connect, and which tools are meant."""

from __future__ import annotations

import re

import msgspec

from interplay.contracts.egress import EgressRefused, Guard
from interplay.contracts.failure import Refused
from interplay.wire.tools import MCPServer

_NAME = re.compile(r"[a-z0-9_-]{1,64}")
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,256}")
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]{0,8192}")
_OURS = {
    *("host", "content-length", "content-type", "transfer-encoding", "connection", "upgrade"),
    *("te", "trailer", "accept", "accept-encoding", "expect", "keep-alive", "last-event-id"),
}
_HEADERS = 64


class Target(msgspec.Struct, frozen=True):
    """One server as one caller reaches it. It holds secrets: never print it."""

    url: str
    headers: tuple[tuple[str, str], ...]
    owner: str = ""


def server_name(declaration: MCPServer) -> str:
    """The server's name. Raises Refused."""
    name = declaration.name
    if not name or not _NAME.fullmatch(name):
        raise Refused(
            "'name' of an MCP server has 1 to 64 characters of a-z, 0-9, '_' and '-'"
            f" (got '{(name or '')[:80]}')"
        )
    return name


def target_of(declaration: MCPServer, guard: Guard, owner: str = "") -> Target:
    """Where a declaration leads. Raises Refused."""
    name = server_name(declaration)
    if declaration.credential is not None:
        raise Refused(
            f"'credential' of the MCP server '{name}' names a stored credential, and this server"
            " does not keep credentials yet; send the secret in 'headers'"
        )
    if not declaration.url:
        raise Refused(f"The MCP server '{name}' needs a 'url'")
    try:
        place = guard.check(declaration.url, plain=False)
    except EgressRefused as error:
        raise Refused(f"'url' of the MCP server '{name}': {error}") from error
    return Target(place.url, _headers(name, declaration.headers or {}), owner)


def _headers(server: str, given: dict[str, str]) -> tuple[tuple[str, str], ...]:
    """Header names in lower case, in order. What is refused is named, its value never."""
    if len(given) > _HEADERS:
        raise Refused(f"'headers' of the MCP server '{server}' holds more than {_HEADERS}")
    for name, value in given.items():
        shown = f"The header '{name[:80]}' of the MCP server '{server}'"
        if not _TOKEN.fullmatch(name) or not _VALUE.fullmatch(value):
            raise Refused(f"{shown} has characters that no header holds, or is too long")
        if name.lower() in _OURS or name.lower().startswith(("mcp-", "proxy-")):
            raise Refused(f"{shown} is set by this server itself; leave it out")
    lowered = {name.lower(): value for name, value in given.items()}
    if len(lowered) != len(given):
        raise Refused(f"'headers' of the MCP server '{server}' names one header twice")
    return tuple(sorted(lowered.items()))


def allowed_names(declaration: MCPServer) -> set[str] | None:
    """The tools a declaration allows, by the server's names for them; None for all of them.

    Both forms are taken: names, and objects with `mode` and `tools`. A name may stand as
    `server:tool`.
    """
    if declaration.allowed_tools is None:
        return None
    prefix = f"{server_name(declaration)}:"
    allowed: set[str] = set()
    for entry in declaration.allowed_tools:
        if isinstance(entry, str):
            allowed |= {entry, entry.removeprefix(prefix)}
        elif entry.mode == "none":
            continue
        elif entry.tools is None:
            return None
        else:
            allowed |= {*entry.tools, *(tool.removeprefix(prefix) for tool in entry.tools)}
    return allowed
