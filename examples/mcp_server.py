"""Lets a model call a tool of a remote MCP server.

`python examples/mcp_server.py URL "What shall it do?"` calls the MCP server there, with the bearer
token in MCP_TOKEN; without arguments one of this script's own. It asks the server of INTERPLAY_URL
(which reaches loopback when run as `interplay serve --set allowed_networks=127.0.0.0/8`), or else
starts one with the embedded model; INTERPLAY_MODEL names another model.
"""

from __future__ import annotations

import asyncio
import os
import sys
from typing import Any

from google import genai

from interplay.testing.local_mcp import LocalMcp, text
from serving import reached

STOCK = {
    "name": "items_in_stock",
    "description": "Tells how many pieces of an article lie in the warehouse.",
    "inputSchema": {
        "type": "object",
        "properties": {"article": {"type": "string", "description": "e.g. lamp"}},
        "required": ["article"],
    },
}


def ask(url: str, tools_at: str, question: str) -> int:
    """Asks, and shows each call with what came back, and the answer."""
    client: Any = genai.Client(
        api_key=os.environ.get("INTERPLAY_KEY", "none"), http_options={"base_url": url}
    )
    server: dict[str, Any] = {"type": "mcp_server", "name": "shop", "url": tools_at}
    if token := os.environ.get("MCP_TOKEN"):
        server["headers"] = {"Authorization": f"Bearer {token}"}
    interaction = client.interactions.create(
        model=os.environ.get("INTERPLAY_MODEL", "qwen2.5-coder-1.5b"),
        input=question,
        tools=[server],
        generation_config={"temperature": 0},
    )
    answered = 0
    for step in interaction.steps or ():
        if step.type == "mcp_server_tool_call":
            print(f"{step.server_name}:{step.name} {step.arguments}")
        elif step.type == "mcp_server_tool_result":
            print(f"-> {step.result}")
            answered += 1
    print(interaction.output_text)
    return 0 if answered else 1


def call(tools_at: str, question: str) -> int:
    """Asks a server that may reach loopback."""
    with reached('allowed_networks = ["127.0.0.0/8"]\n') as url:
        return ask(url, tools_at, question)


async def main() -> int:
    """With arguments another's MCP server, else one of our own."""
    if len(sys.argv) > 2:
        return await asyncio.to_thread(call, sys.argv[1], sys.argv[2])
    async with LocalMcp([STOCK]) as shop:
        shop.answers["items_in_stock"] = text("17 pieces")
        return await asyncio.to_thread(call, shop.url, "How many lamps do we have in stock?")


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
