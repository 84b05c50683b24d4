"""Lets a model find the function it needs among many that it is not shown at first.

Without arguments it starts a server of its own with the embedded model. With a question it asks the
server of INTERPLAY_URL. INTERPLAY_MODEL names another model. The functions run in this script: a
found one comes back as a call, and its result is sent in a second request.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from google import genai

from serving import serving

MODEL = os.environ.get("INTERPLAY_MODEL", "qwen2.5-coder-1.5b")
QUESTION = "How high is the tide in the harbour of Hamburg?"
TOPICS = {
    "tide_height": ("Height of the tide in a harbour", "harbour"),
    "train_departures": ("Next trains of a station", "station"),
    "currency_rate": ("Price of a currency in euros", "currency"),
    "book_details": ("Author and year of a book", "title"),
    "street_length": ("Length of a street", "street"),
    "film_showings": ("When a film is shown", "film"),
    "recipe_steps": ("How a dish is cooked", "dish"),
    "stock_price": ("Price of a share", "company"),
    "sunrise_time": ("When the sun rises in a city", "city"),
    "translate_word": ("A word in other languages", "word"),
}
ANSWERS = {"tide_height": "{} has 3.4 metres, and it is rising."}


def tools() -> list[Any]:
    """All functions, each to be found, and what finds them."""
    return [{"type": "tool_search"}] + [
        {
            "type": "function",
            "name": name,
            "description": f"{about}. Returns one sentence.",
            "short_description": about,
            "parameters": {
                "type": "object",
                "properties": {argument: {"type": "string"}},
                "required": [argument],
            },
            "defer_loading": True,
        }
        for name, (about, argument) in TOPICS.items()
    ]


def answer(call: Any) -> dict[str, Any]:
    """What the called function returns."""
    argument = next(iter(call.arguments.values()), "")
    said = ANSWERS.get(call.name, "Nothing is known of {}.").format(argument)
    return {"type": "function_result", "call_id": call.id, "name": call.name, "result": said}


def ask(url: str, question: str) -> int:
    """Asks until the model needs no function any more; 0 when it found and called one."""
    client: Any = genai.Client(
        api_key=os.environ.get("INTERPLAY_KEY", "none"), http_options={"base_url": url}
    )
    given: Any = question
    link: dict[str, Any] = {}
    found = called = False
    for _ in range(5):
        made = client.interactions.create(
            model=MODEL,
            input=given,
            tools=tools(),
            generation_config={"temperature": 0, "tool_choice": "auto" if link else "any"},
            **link,
        )
        results: list[Any] = []
        answered = {step.call_id for step in made.steps or () if step.type == "function_result"}
        for step in made.steps or ():
            if step.type == "tool_search_result":
                print("found:", ", ".join(function.name for function in step.result or ()))
                found = found or bool(step.result)
            elif step.type == "function_call" and step.id not in answered:
                print(f"called: {step.name} {step.arguments}")
                results.append(answer(step))
        if made.status != "requires_action":
            print(made.output_text)
            return 0 if found and called else 1
        called = True
        given, link = results, {"previous_interaction_id": made.id}
    return 1


def main() -> int:
    """Asks the server that is named, or one of its own."""
    if len(sys.argv) > 1:
        return ask(os.environ.get("INTERPLAY_URL", "http://127.0.0.1:8080"), sys.argv[1])
    with serving() as url:
        return ask(url, QUESTION)


if __name__ == "__main__":
    sys.exit(main())
