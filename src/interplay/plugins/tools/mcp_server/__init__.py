"""Tools of remote MCP servers over Streamable HTTP."""

from __future__ import annotations

from interplay.plugins.tools.mcp_server.config import Config
from interplay.plugins.tools.mcp_server.tool import McpServer

__all__ = ["Config", "McpServer"]
