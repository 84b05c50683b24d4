"""Which function to call, if any: a prompt of examples, and a grammar that leaves only names.

These models write calls in forms of their own when they are left to it, and they call things
when nobody asked. Put to a choice with examples before it they are right far more often; the
figures come from bench/function_calls.py.
"""

from __future__ import annotations

import json
from typing import Any

from interplay.contracts.model import FunctionSpec
from interplay.plugins.models.llama_cpp.prompt import Said, compact

ANSWER = "answer"
_LINES = 8
"""Entries of the conversation that are shown: the choice hangs on the last ones."""
_LONG = 800
"""Characters of one entry that are shown."""

_TASK = """\
You choose what an assistant does next. It can call one of the listed functions, or answer. \
Choose answer for greetings, thanks, questions about the assistant, general knowledge, \
explanations, opinions, jokes, translations, arithmetic, writing, what was said before, and once \
the data that was asked for is there. Choose a function only when the request needs exactly what \
the function does."""

_EXAMPLES: list[tuple[dict[str, str], list[tuple[str, str]]]] = [
    (
        {
            "find_recipe": "Search recipes",
            "book_table": "Book a table in a restaurant",
            "get_stock_price": "Latest price of a stock",
        },
        [
            ("User: Hi!", ANSWER),
            ("User: What's Apple trading at?", "get_stock_price"),
            ("User: Who wrote Hamlet?", ANSWER),
            ("User: Write a short story about a dog.", ANSWER),
            ("User: I'd like to eat at Luigi's tonight with two friends", "book_table"),
            ("User: What can I cook with eggplant?", "find_recipe"),
            ("User: What does a stock price mean?", ANSWER),
            (
                "User: How much is one share of Tesla?\n"
                'Data from get_stock_price {"ticker": "TSLA"}: {"price": 251.3}',
                ANSWER,
            ),
            (
                "User: Price of Nvidia, and a table at Mario's at 8 please.\n"
                'Data from get_stock_price {"ticker": "NVDA"}: {"price": 170}',
                "book_table",
            ),
            (
                "User: How much is Intel?\n"
                'Data from get_stock_price {"ticker": "INTC"}: {"price": 31}\n'
                "Assistant: Intel is at 31 dollars.\nUser: And AMD?",
                "get_stock_price",
            ),
            ("User: Thanks a lot!", ANSWER),
        ],
    ),
    (
        {"lookup_word": "Look up a word in the dictionary"},
        [
            ("User: What does 'obfuscate' mean?", "lookup_word"),
            ("User: What is the largest planet?", ANSWER),
            ("User: Good morning", ANSWER),
            (
                "User: I am Kim and my dog is called Rex.\n"
                "Assistant: Nice to meet you both!\nUser: What is my dog called?",
                ANSWER,
            ),
            ("User: Give me some advice for learning words.", ANSWER),
            (
                "User: Define entropy.\n"
                'Data from lookup_word {"word": "entropy"}: {"meaning": "disorder"}',
                ANSWER,
            ),
        ],
    ),
    (
        {
            "lock_door": "Lock or unlock a door",
            "start_vacuum": "Start the robot vacuum in a room",
            "run_script": "Run a script of the house",
        },
        [
            ("User: The floor in the hall is dirty", "start_vacuum"),
            ('User: Lock the back door\nData from lock_door {"door": "back"}: ok', ANSWER),
            ("User: How does a robot vacuum find its way?", ANSWER),
            ("User: Start the evening routine", "run_script"),
            ("User: What can you help me with?", ANSWER),
            ("User: What is 12 * 12?", ANSWER),
        ],
    ),
]


def choosing(
    said: list[Said],
    system: str | None,
    functions: list[FunctionSpec],
    *,
    must: bool,
    answer_bias: float,
) -> dict[str, Any]:
    """The request whose answer is the name of a function, or ANSWER unless `must`."""
    listed = {spec.name: _clip(spec.description, 200) for spec in functions}
    note = f"The assistant was told: {_clip(system)}\n\n" if system else ""
    asked = note + _heading(listed) + _shown(said)
    names = [spec.name for spec in functions] + ([] if must else [ANSWER])
    return {
        "messages": [*_SHOTS, {"role": "user", "content": asked}],
        "grammar": "root ::= " + " | ".join(json.dumps(name) for name in names),
        "temperature": 0,
        "logit_bias": [[ANSWER, answer_bias]] if answer_bias and not must else [],
    }


def asking_for(spec: FunctionSpec, said: list[Said]) -> str:
    """What the model is told to write the arguments of a chosen function."""
    about = f": {spec.description}" if spec.description else ""
    request = next((entry.text for entry in reversed(said) if entry.by == "user"), "")
    return (
        f"[Call the function {spec.name}{about}\n"
        f"Parameters: {compact(spec.parameters)}\n"
        "Write the arguments as a JSON array with one object for each call. Make one call; make"
        " more only when the request names several things. Take the values from the request and"
        " the conversation, and leave out what they do not say.\n"
        f"Request: {_clip(request)}]"
    )


def _heading(listed: dict[str, str]) -> str:
    lines = [f"{name}: {about}" for name, about in listed.items()]
    lines.append(f"{ANSWER}: Say something without calling a function")
    return "Functions:\n" + "\n".join(lines) + "\n\n"


def _shown(said: list[Said]) -> str:
    return "\n".join(_line(entry) for entry in said[-_LINES:])


def _line(entry: Said) -> str:
    text = _clip(entry.text)
    if entry.by == "data":
        return f"{'Error' if entry.failed else 'Data'} from {_clip(entry.call, 300)}: {text}"
    return f"{'User' if entry.by == 'user' else 'Assistant'}: {text}"


def _clip(text: str, long: int = _LONG) -> str:
    """The text, its middle left out when it is too long."""
    return text if len(text) <= long else f"{text[: long // 2]} … {text[-long // 2 :]}"


def _shots() -> list[dict[str, str]]:
    shots = [{"role": "system", "content": _TASK}]
    for listed, examples in _EXAMPLES:
        heading = _heading(listed)
        for asked, chosen in examples:
            shots.append({"role": "user", "content": heading + asked})
            shots.append({"role": "assistant", "content": chosen})
            heading = ""
    return shots


_SHOTS = _shots()
