"""Tools of remote MCP servers over Streamable HTTP."""

from __future__ import annotations

try:
    from interplay.plugins.tools.mcp_server.config import Config
    from interplay.plugins.tools.mcp_server.tool import McpServer
except ModuleNotFoundError as error:
    if error.name is None or error.name.startswith("interplay"):
        raise
    raise ImportError(
        f"Remote MCP servers need the package '{error.name}': pip install 'interplay[mcp]'"
    ) from error

__all__ = ["Config", "McpServer"]
