"""Operates a browser: a model makes the moves, this program carries them out with Playwright.

    pip install google-genai playwright          and a Chromium, e.g. apt-get install chromium

Without arguments it serves a form on loopback, starts a server of its own with a model that plays
moves written down beforehand (it cannot see), and checks that the form arrived filled in. With
`--model NAME` a real model that sees does it, on the server of INTERPLAY_URL; `--task` and `--url`
give it something else to do. What the model wants a user to agree to is asked here; `--yes`
agrees to everything.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import shutil
import sys
import tempfile
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast
from urllib.parse import parse_qs

from google import genai
from playwright.sync_api import Error as BrowserError
from playwright.sync_api import Page, sync_playwright

from serving import serving

WIDTH, HEIGHT = 1_000, 750
MOST_MOVES = 40
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
KEYS = {
    "ctrl": "Control",
    "control": "Control",
    "shift": "Shift",
    "alt": "Alt",
    "meta": "Meta",
    "cmd": "Meta",
    "command": "Meta",
    "enter": "Enter",
    "return": "Enter",
    "tab": "Tab",
    "escape": "Escape",
    "esc": "Escape",
    "backspace": "Backspace",
    "delete": "Delete",
    "space": "Space",
    "up": "ArrowUp",
    "down": "ArrowDown",
    "left": "ArrowLeft",
    "right": "ArrowRight",
    "home": "Home",
    "end": "End",
    "pageup": "PageUp",
    "pagedown": "PageDown",
}

FORM = """<!doctype html><meta charset="utf-8"><title>Ferry to Sankt Amund</title>
<style>body{font:20px sans-serif;margin:0} form *{position:absolute;font-size:20px}
label{left:100px;width:180px} input[type=text]{left:300px;width:400px;height:40px}
button{left:300px;top:440px;width:200px;height:60px;border:0;color:white;background:#1060c0}
</style><form method="post" action="/order"><h1 style="left:100px;top:20px">Order a ticket</h1>
<label style="top:150px">Name</label><input type="text" name="name" style="top:140px">
<label style="top:250px">Mail</label><input type="text" name="mail" style="top:240px">
<input type="checkbox" name="terms" value="accepted"
 style="left:300px;top:340px;width:30px;height:30px">
<label style="left:350px;top:342px;width:400px">I accept the conditions of carriage</label>
<button>Order</button></form>"""
TASK = (
    "Order a ticket for the ferry at {url}: the name is Ada Lovelace, the mail ada@example.org."
    " The conditions may be accepted. Say the number of the ticket."
)


class Ferry:
    """The form on a loopback port; `orders` holds what arrived."""

    def __init__(self) -> None:
        self.orders: list[dict[str, str]] = []
        ferry = self

        class Answers(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.say(FORM)

            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers["Content-Length"])).decode()
                ferry.orders.append({name: values[0] for name, values in parse_qs(raw).items()})
                self.say(f"<h1>Thank you. Your ticket has the number {len(ferry.orders)}.</h1>")

            def say(self, page: str) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.end_headers()
                self.wfile.write(page.encode())

            def log_message(self, format: str, *args: Any) -> None:
                """Says nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Stops serving."""
        self._server.shutdown()
        self._server.server_close()


def key(name: str) -> str:
    """A key as Playwright calls it."""
    return KEYS.get(name.lower(), name)


def carry_out(page: Page, name: str, given: dict[str, Any]) -> None:
    """One move. Raises KeyError for a function or an argument that is not there, ValueError,
    BrowserError."""

    def at(x: str = "x", y: str = "y") -> tuple[float, float]:
        return int(given[x]) * WIDTH / 1_000, int(given[y]) * HEIGHT / 1_000

    def scroll() -> None:
        far = int(given.get("magnitude_in_pixels", 300))
        way = {"up": (0, -far), "down": (0, far), "left": (-far, 0), "right": (far, 0)}
        page.mouse.move(*at())
        page.mouse.wheel(*way[given["direction"]])

    def drag() -> None:
        page.mouse.move(*at("start_x", "start_y"))
        page.mouse.down()
        page.mouse.move(*at("end_x", "end_y"), steps=10)
        page.mouse.up()

    def write() -> None:
        page.keyboard.type(given["text"])
        if given.get("press_enter"):
            page.keyboard.press("Enter")

    def navigate() -> None:
        if not given["url"].startswith(("http://", "https://")):
            raise ValueError("Only http and https addresses can be opened.")
        page.goto(given["url"])

    def press_at(press: Callable[[], None]) -> None:
        page.mouse.move(*at())
        press()

    moves: dict[str, Callable[[], Any]] = {
        "click": lambda: page.mouse.click(*at()),
        "double_click": lambda: page.mouse.click(*at(), click_count=2),
        "triple_click": lambda: page.mouse.click(*at(), click_count=3),
        "middle_click": lambda: page.mouse.click(*at(), button="middle"),
        "right_click": lambda: page.mouse.click(*at(), button="right"),
        "mouse_down": lambda: press_at(page.mouse.down),
        "mouse_up": lambda: press_at(page.mouse.up),
        "move": lambda: page.mouse.move(*at()),
        "type": write,
        "drag_and_drop": drag,
        "wait": lambda: page.wait_for_timeout(1_000 * min(int(given.get("seconds", 1)), 60)),
        "press_key": lambda: page.keyboard.press(key(given["key"])),
        "key_down": lambda: page.keyboard.down(key(given["key"])),
        "key_up": lambda: page.keyboard.up(key(given["key"])),
        "hotkey": lambda: page.keyboard.press("+".join(key(one) for one in given["keys"])),
        "take_screenshot": lambda: None,
        "scroll": scroll,
        "go_back": page.go_back,
        "navigate": navigate,
        "go_forward": page.go_forward,
    }
    moves[name]()
    settle(page)


def settle(page: Page) -> None:
    """Waits until the page has come to rest: what a click sets off may begin a moment later."""
    quiet, before = 0, None
    for _ in range(50):
        page.wait_for_timeout(150)
        page.wait_for_load_state()
        now = page.url, page.screenshot()
        quiet, before = quiet + 1 if now == before else 0, now
        if quiet == 2:
            return


def agreed(decision: dict[str, Any], yes: bool) -> bool:
    """Whether the user lets the model do it."""
    print("  the model asks:", decision.get("explanation", "May this be done?"))
    return yes or input("  agree? [y/N] ").strip().lower() in ("y", "yes")


def answer(page: Page, call: Any, yes: bool) -> dict[str, Any]:
    """The result of one call: how it went, where the browser is, and what it shows."""
    said: dict[str, Any] = {}
    given = dict(call.arguments or {})
    decision = given.pop("safety_decision", None)
    print(f"  {call.name}", json.dumps(given, ensure_ascii=False))
    if decision and not agreed(decision, yes):
        said["error"] = "The user does not want this."
    else:
        if decision:
            said["safety_acknowledgement"] = "true"
        try:
            carry_out(page, call.name, given)
        except (BrowserError, KeyError, ValueError) as error:
            said["error"] = f"{type(error).__name__}: {error}"
    said["url"] = page.url
    shot = base64.b64encode(page.screenshot()).decode()
    return {
        "type": "function_result",
        "call_id": call.id,
        "name": call.name,
        "is_error": "error" in said,
        "result": [
            {"type": "text", "text": json.dumps(said)},
            {"type": "image", "data": shot, "mime_type": "image/png"},
        ],
    }


def operate(client: Any, model: str, task: str, page: Page, yes: bool) -> str:
    """Model and browser in turn until the model is done; answers what it says in the end."""
    shot = base64.b64encode(page.screenshot()).decode()
    given: Any = [
        {"type": "text", "text": task},
        {"type": "image", "data": shot, "mime_type": "image/png"},
    ]
    before = None
    for _ in range(MOST_MOVES):
        made = client.interactions.create(
            model=model,
            input=given,
            tools=[{"type": "computer_use", "environment": "browser"}],
            previous_interaction_id=before,
        )
        calls = [step for step in made.steps or () if step.type == "function_call"]
        if not calls:
            return made.output_text or ""
        given, before = [answer(page, call, yes) for call in calls], made.id
    raise SystemExit(f"The model was not done after {MOST_MOVES} moves.")


def written_down(url: str) -> str:
    """Settings for a model that plays these moves, whatever it is shown."""
    consent = {"decision": "require_confirmation", "explanation": "I accept the conditions."}
    moves: list[tuple[str, dict[str, Any]]] = [
        ("navigate", {"url": url, "intent": "open the form"}),
        ("click", {"x": 400, "y": 213, "intent": "the name"}),
        ("type", {"text": "Ada Lovelace", "intent": "the name"}),
        ("press_key", {"key": "Tab", "intent": "to the mail"}),
        ("type", {"text": "ada@example.org", "intent": "the mail"}),
        ("click", {"x": 315, "y": 473, "intent": "the terms", "safety_decision": consent}),
        ("click", {"x": 400, "y": 627, "intent": "order"}),
    ]
    replies: list[dict[str, Any]] = [
        {"calls": [{"name": name, "arguments": given}]} for name, given in moves
    ]
    replies.append({"text": "The ticket has the number 1."})
    lines = [f"  {_toml(reply)}," for reply in replies]
    return "\n".join(['[models.player]\nbackend = "scripted"\nreplies = [', *lines, "]", ""])


def _toml(value: Any) -> str:
    """A value as TOML writes it in one line."""
    if isinstance(value, dict):
        table = cast(dict[str, Any], value)
        return "{" + ", ".join(f"{name} = {_toml(one)}" for name, one in table.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, cast(list[Any], value))) + "]"
    return json.dumps(value)


@contextmanager
def browser() -> Generator[Page]:
    """A page of a browser with a profile of its own."""
    found = os.environ.get("CHROMIUM") or next(
        filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
    )
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as profile:
        context = playwright.chromium.launch_persistent_context(
            profile,
            headless=True,
            executable_path=found,
            args=FLAGS,
            viewport={"width": WIDTH, "height": HEIGHT},
        )
        try:
            yield context.pages[0]
        finally:
            context.close()


def main() -> int:
    """The whole example; 0 when the form arrived, or the model did what it was asked to."""
    asked = argparse.ArgumentParser(description="Operates a browser.")
    asked.add_argument("--model", help="a configured model that sees")
    asked.add_argument("--task", help="what to do; by default the form is to be filled in")
    asked.add_argument("--url", help="the page to begin with")
    asked.add_argument("--yes", action="store_true", help="agree to everything")
    given = asked.parse_args()
    ferry = Ferry()
    try:
        with browser() as page:
            task = given.task or TASK.format(url=ferry.url)
            if given.url:
                page.goto(given.url)
            if given.model:
                url = os.environ.get("INTERPLAY_URL", "http://127.0.0.1:8080")
                print(operate(_client(url), given.model, task, page, given.yes))
            else:
                with serving(written_down(ferry.url)) as url:
                    print(operate(_client(url), "player", task, page, given.yes))
    finally:
        ferry.close()
    if given.task:
        return 0
    print("arrived:", json.dumps(ferry.orders))
    wanted = {"name": "Ada Lovelace", "mail": "ada@example.org", "terms": "accepted"}
    return 0 if ferry.orders == [wanted] else 1


def _client(url: str) -> Any:
    key = os.environ.get("INTERPLAY_KEY", "none")
    return genai.Client(api_key=key, http_options={"base_url": url})


if __name__ == "__main__":
    sys.exit(main())
