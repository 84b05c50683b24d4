"""Asks a model about a web page that the server reads.

`python examples/url_context.py "What does it say?" URL...`; without arguments it is asked about a
page of this script's own. It asks the server of INTERPLAY_URL (which reaches loopback when run as
`interplay serve --set allowed_networks=127.0.0.0/8`), or else starts one with the embedded model;
INTERPLAY_MODEL names another model.
"""

from __future__ import annotations

import os
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from google import genai

from serving import reached

PAGE = """<!doctype html><title>Opening hours</title><h1>The observatory</h1>
<p>The observatory on the hill is open on Thursdays from seven in the evening until midnight.
Children come in free, everybody else pays four euros. In August it is closed.</p>"""


class OwnPage(BaseHTTPRequestHandler):
    """One page for every address."""

    def do_GET(self) -> None:
        """Answers with the page; there is no robots.txt."""
        found = not self.path.startswith("/robots.txt")
        self.send_response(200 if found else 404)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(PAGE.encode() if found else b"")

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


def ask(url: str, question: str, urls: list[str]) -> int:
    """Asks, and shows each address with how reading it went, and the answer."""
    client: Any = genai.Client(
        api_key=os.environ.get("INTERPLAY_KEY", "none"), http_options={"base_url": url}
    )
    interaction = client.interactions.create(
        model=os.environ.get("INTERPLAY_MODEL", "qwen2.5-coder-1.5b"),
        input=f"{question}\nRead: {' '.join(urls)}",
        tools=[{"type": "url_context"}],
        generation_config={"temperature": 0},
    )
    read = 0
    for step in interaction.steps or ():
        if step.type == "url_context_result":
            for one in step.result:
                print(f"{one.status}: {one.url}")
                read += one.status == "success"
    print(interaction.output_text)
    return 0 if read else 1


def main() -> int:
    """With arguments the addresses they name, else a page of our own."""
    question = "When is the observatory open, and what does it cost?"
    urls: list[str] = []
    if len(sys.argv) > 2:
        question, *urls = sys.argv[1:]
    else:
        site = ThreadingHTTPServer(("127.0.0.1", 0), OwnPage)
        threading.Thread(target=site.serve_forever, daemon=True).start()
        urls.append(f"http://127.0.0.1:{site.server_port}/hours")
    with reached('allowed_networks = ["127.0.0.0/8"]\n') as url:
        return ask(url, question, urls)


if __name__ == "__main__":
    sys.exit(main())
