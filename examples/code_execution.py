"""Asks a model that may run code, and shows the code, what it printed and the images it made.

Without arguments it starts a server of its own with the embedded model (no key, no internet; it
needs bubblewrap: see docs/sandbox.md). With a question it asks the server of INTERPLAY_URL.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from google import genai

MODEL = os.environ.get("INTERPLAY_MODEL", "qwen2.5-coder-1.5b")
QUESTION = "Run Python code that prints the sum of the squares of 1 to 100, then tell me the sum."


def ask(url: str, question: str) -> int:
    """One interaction; 0 when code ran well."""
    client = genai.Client(
        api_key=os.environ.get("INTERPLAY_KEY", "none"), http_options={"base_url": url}
    )
    made = client.interactions.create(
        model=MODEL,
        input=question,
        tools=[{"type": "code_execution"}],
        generation_config={"temperature": 0},
    )
    ran = False
    for step in made.steps or []:
        if step.type == "code_execution_call":
            print(f"runs {step.arguments.language}:\n{step.arguments.code}")
        elif step.type == "code_execution_result":
            ran = ran or not step.is_error
            blocks = [] if isinstance(step.result, str) else step.result
            print("printed:", step.result if not blocks else "")
            for block in blocks:
                print("  ", getattr(block, "text", None) or f"an image ({block.mime_type})")
    print(made.output_text)
    return 0 if ran else 1


def serve(folder: Path) -> tuple[subprocess.Popen[bytes], str]:
    """A server of its own; answers its process and its address."""
    settings = folder / "interplay.toml"
    settings.write_text(f'data_dir = "{folder}/data"\npreload = false\n')
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


if __name__ == "__main__":
    if len(sys.argv) > 1:
        sys.exit(ask(os.environ.get("INTERPLAY_URL", "http://127.0.0.1:8080"), sys.argv[1]))
    with tempfile.TemporaryDirectory() as home:
        process, address = serve(Path(home))
        try:
            sys.exit(ask(address, QUESTION))
        finally:
            process.terminate()
            process.wait(30)
