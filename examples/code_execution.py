"""Asks a model that may run code, and shows the code, what it printed and the images it made.

Without arguments it starts a server of its own with the embedded model (no key, no internet; it
needs bubblewrap: see docs/sandbox.md). With a question it asks the server of INTERPLAY_URL.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from google import genai

from serving import serving

MODEL = os.environ.get("INTERPLAY_MODEL", "qwen2.5-coder-1.5b")
QUESTION = "Run Python code that prints the sum of the squares of 1 to 100, then tell me the sum."


def ask(url: str, question: str) -> int:
    """One interaction; 0 when code ran well."""
    client: Any = genai.Client(
        api_key=os.environ.get("INTERPLAY_KEY", "none"), http_options={"base_url": url}
    )
    made = client.interactions.create(
        model=MODEL,
        input=question,
        tools=[{"type": "code_execution"}],
        generation_config={"temperature": 0},
    )
    ran = False
    for step in made.steps or ():
        if step.type == "code_execution_call":
            print(f"runs {step.arguments.language}:\n{step.arguments.code}")
        elif step.type == "code_execution_result":
            ran = ran or not step.is_error
            blocks: Any = () if isinstance(step.result, str) else step.result
            print("printed:", step.result if not blocks else "")
            for block in blocks:
                print("  ", getattr(block, "text", None) or f"an image ({block.mime_type})")
    print(made.output_text)
    return 0 if ran else 1


if __name__ == "__main__":
    if len(sys.argv) > 1:
        sys.exit(ask(os.environ.get("INTERPLAY_URL", "http://127.0.0.1:8080"), sys.argv[1]))
    with serving() as address:
        sys.exit(ask(address, QUESTION))
