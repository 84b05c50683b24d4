"""Talks to a Claude through Interplay: it thinks, calls a function, and goes on with both.

With ANTHROPIC_API_KEY set it asks Anthropic; without it, a double of their API on this machine (no
key, no internet). It starts a server of its own. INTERPLAY_MODEL names another model.
"""

from __future__ import annotations

import asyncio
import os
import sys
from typing import Any

from google import genai

from interplay.testing.local_messages import LocalMessages
from serving import serving

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
    client: Any = genai.Client(api_key="none", http_options={"base_url": url})
    how: Any = {
        "model": MODEL,
        "tools": [THERMOMETER],
        "generation_config": {"thinking_level": "low", "thinking_summaries": "auto"},
    }
    first = client.interactions.create(input=QUESTION, **how)
    results: list[Any] = []
    for step in first.steps or ():
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


def at_home(double: str) -> int:
    """Asks a server of its own, before the real API or its double at this address."""
    where = 'api_key_env = "ANTHROPIC_API_KEY"'
    if "ANTHROPIC_API_KEY" not in os.environ:
        where = f'base_url = "{double}"'
    with serving(f'[models."claude-*"]\nbackend = "anthropic"\n{where}\n') as url:
        return ask(url)


async def main() -> int:
    """The double answers while the server asks it."""
    async with LocalMessages() as double:
        return await asyncio.to_thread(at_home, double.url)


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
