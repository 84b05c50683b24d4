"""Talks to a Claude through Interplay: it thinks, calls a function, and goes on with both.

With ANTHROPIC_API_KEY set it asks Anthropic; without it, a double of their API on this machine (no
key, no internet). It starts a server of its own. INTERPLAY_MODEL names another model.
"""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

from google import genai

from interplay.testing.local_messages import LocalMessages

MODEL = os.environ.get("INTERPLAY_MODEL", "claude-haiku-4-5")
QUESTION = 'Is it warm in Rome?\ncall get_temperature {"city": "Rome"}'
THERMOMETER: Any = {
    "type": "function",
    "name": "get_temperature",
    "description": "Tells the temperature in a city, in degrees Celsius.",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
    },
}


def ask(url: str) -> int:
    """Two interactions of one chain: the question, and the results of what was called."""
    client = genai.Client(api_key="none", http_options={"base_url": url})
    how: Any = {
        "model": MODEL,
        "tools": [THERMOMETER],
        "generation_config": {"thinking_level": "low", "thinking_summaries": "auto"},
    }
    first = client.interactions.create(input=QUESTION, **how)
    results: list[Any] = []
    for step in first.steps or []:
        if step.type == "thought" and step.summary:
            print("thought:", step.summary[0].text)
        elif step.type == "function_call":
            print("called:", step.name, step.arguments)
            answer = {"type": "function_result", "call_id": step.id, "name": step.name}
            results.append({**answer, "result": "27 degrees"})
    if not results:
        print(first.output_text)
        return 1
    second = client.interactions.create(input=results, previous_interaction_id=first.id, **how)
    print("answer:", second.output_text)
    print("tokens read from the cache:", second.usage.total_cached_tokens)
    return 0 if second.status == "completed" else 1


def serve(folder: Path, upstream: str) -> tuple[subprocess.Popen[bytes], str]:
    """A server with every Claude, and its address once it answers."""
    settings = folder / "interplay.toml"
    lines = [f'data_dir = "{folder / "data"}"', '[models."claude-*"]', 'backend = "anthropic"']
    if upstream:
        lines += [f'base_url = "{upstream}"']
    else:
        lines += ['api_key_env = "ANTHROPIC_API_KEY"']
    settings.write_text("\n".join(lines), encoding="utf-8")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "interplay", "serve", "--config", str(settings), "--port", str(port)]
    )
    url = f"http://127.0.0.1:{port}"
    for _ in range(300):
        try:
            urllib.request.urlopen(f"{url}/health", timeout=1).close()
            return server, url
        except OSError:
            time.sleep(0.1)
    server.terminate()
    raise SystemExit("The server did not start.")


async def main() -> int:
    """Asks a server of its own, before the real API or its double."""
    with tempfile.TemporaryDirectory() as folder:
        async with LocalMessages() as double:
            upstream = "" if os.environ.get("ANTHROPIC_API_KEY") else double.url
            server, url = await asyncio.to_thread(serve, Path(folder), upstream)
            try:
                return await asyncio.to_thread(ask, url)
            finally:
                server.terminate()
                await asyncio.to_thread(server.wait, 30)


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
