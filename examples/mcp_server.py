"""Lets a model call a tool of a remote MCP server.

Run `interplay serve`, then `python examples/mcp_server.py URL "What shall it do?"`. Without
arguments a server of this script's own is called; the server may reach it when it is run as
`interplay serve --set allowed_networks=127.0.0.0/8`. INTERPLAY_URL and INTERPLAY_MODEL name another
server and model; MCP_TOKEN is sent to the MCP server as a bearer token.
"""

from __future__ import annotations

import asyncio
import os
import sys
from typing import Any

from google import genai

from interplay.testing.local_mcp import LocalMcp, text

STOCK = {
    "name": "items_in_stock",
    "description": "Tells how many pieces of an article lie in the warehouse.",
    "inputSchema": {
        "type": "object",
        "properties": {"article": {"type": "string", "description": "e.g. lamp"}},
        "required": ["article"],
    },
}


def ask(url: str, question: str) -> int:
    """Asks, and shows each call with what came back, and the answer."""
    client = genai.Client(
        api_key=os.environ.get("INTERPLAY_KEY", "none"),
        http_options={"base_url": os.environ.get("INTERPLAY_URL", "http://127.0.0.1:8080")},
    )
    server: Any = {"type": "mcp_server", "name": "shop", "url": url}
    if token := os.environ.get("MCP_TOKEN"):
        server["headers"] = {"Authorization": f"Bearer {token}"}
    interaction = client.interactions.create(
        model=os.environ.get("INTERPLAY_MODEL", "qwen2.5-coder-1.5b"),
        input=question,
        tools=[server],
        generation_config={"temperature": 0},
    )
    answered = 0
    for step in interaction.steps or []:
        if step.type == "mcp_server_tool_call":
            print(f"{step.server_name}:{step.name} {step.arguments}")
        elif step.type == "mcp_server_tool_result":
            print(f"-> {step.result}")
            answered += 1
    print(interaction.output_text)
    return 0 if answered else 1


async def main() -> int:
    """With arguments another's server, else one of our own."""
    if len(sys.argv) > 2:
        return await asyncio.to_thread(ask, sys.argv[1], sys.argv[2])
    async with LocalMcp([STOCK]) as server:
        server.answers["items_in_stock"] = lambda arguments: text("17 pieces")
        return await asyncio.to_thread(ask, server.url, "How many lamps do we have in stock?")


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
