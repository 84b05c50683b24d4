"""What an operator can set for remote MCP servers."""

from __future__ import annotations

import msgspec


class Config(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """The fields of `[tools.mcp_server]`."""

    connect_seconds: float = 30.0
    """Seconds to reach a server, agree on the protocol and list its tools."""
    call_seconds: float = 120.0
    """Seconds one call may take; limits.tool_seconds holds beside it."""
    answer_bytes: int = 8 * 1024 * 1024
    """The largest answer that is read from a server."""
    tools: int = 1_000
    """Tools one server may have."""
    schema_bytes: int = 64 * 1024
    """The largest schema of one tool; a tool with a larger one is offered without it."""
    tools_seconds: float = 300.0
    """How long a list of tools is believed when the server does not say that it changed."""
    idle_seconds: float = 300.0
    """A connection that nobody used for so long is closed."""
    connections: int = 256
    """Connections held at once; those idle for longest make room."""
