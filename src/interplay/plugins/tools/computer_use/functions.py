"""The predefined functions: two sets of names, as clients know them."""

from __future__ import annotations

from typing import Any, Literal

from interplay.contracts.model import FunctionSpec

FunctionSet = Literal["current", "legacy"]
Environment = Literal["browser", "mobile", "desktop"]
Parameters = dict[str, dict[str, Any]]

GRID = 1_000
"""Positions count from 0 to one less than this, whatever the size of the screen."""

SAFETY: Parameters = {
    "safety_decision": {
        "type": "object",
        "properties": {
            "decision": {"type": "string", "enum": ["require_confirmation"]},
            "explanation": {"type": "string"},
        },
        "required": ["decision", "explanation"],
    }
}
_WATCHING = frozenset({"take_screenshot", "wait", "wait_5_seconds", "list_apps"})
"""What changes nothing on the screen needs nobody's consent."""


def _whole(description: str, most: int = GRID - 1, least: int = 0) -> dict[str, Any]:
    return {"type": "integer", "minimum": least, "maximum": most, "description": description}


def _at(x: str = "x", y: str = "y", what: str = "") -> Parameters:
    of = f" of {what}" if what else ""
    return {
        x: _whole(f"Distance{of} from the left edge; {GRID - 1} is the right edge."),
        y: _whole(f"Distance{of} from the top edge; {GRID - 1} is the bottom edge."),
    }


def _text(description: str) -> dict[str, Any]:
    return {"type": "string", "description": description}


_SIDES: dict[str, Any] = {"type": "string", "enum": ["up", "down", "left", "right"]}
_KEY: Parameters = {"key": _text("Name of one key, such as Enter, Tab, Escape, Home or a.")}
_URL: Parameters = {"url": _text("The whole address, with https:// in front.")}
_SECONDS: Parameters = {"seconds": _whole("How long; 1 when left out.", 60, 1)}
_TYPED: Parameters = {
    "text": _text("What is typed, as it stands."),
    "press_enter": {"type": "boolean", "description": "Press Enter behind it; no by default."},
}
_DRAG: Parameters = {
    **_at("start_x", "start_y", "the place it is taken from"),
    **_at("end_x", "end_y", "the place it is put down"),
}
_SCROLL: Parameters = {
    **_at(),
    "direction": _SIDES,
    "magnitude_in_pixels": _whole("How far; 300 when left out."),
}

_POINTER: dict[str, tuple[str, Parameters]] = {
    "click": ("Clicks this place with the left button.", _at()),
    "double_click": ("Clicks this place twice in quick succession.", _at()),
    "triple_click": ("Clicks this place three times, which marks a line or all of a field.", _at()),
    "middle_click": ("Clicks this place with the middle button.", _at()),
    "right_click": ("Clicks this place with the right button.", _at()),
    "mouse_down": ("Presses the left button at this place and keeps it down.", _at()),
    "mouse_up": ("Lets the left button go at this place.", _at()),
    "move": ("Moves the pointer to this place without clicking.", _at()),
    "type": ("Types text where the cursor stands; click a field first.", _TYPED),
    "drag_and_drop": ("Takes something at one place and puts it down at another.", _DRAG),
    "wait": ("Waits, for something that loads or moves.", _SECONDS),
    "press_key": ("Presses a key and lets it go.", _KEY),
    "key_down": ("Presses a key and keeps it down.", _KEY),
    "key_up": ("Lets a key go that is down.", _KEY),
    "hotkey": (
        "Presses keys together.",
        {
            "keys": {
                "type": "array",
                "items": {"type": "string"},
                "minItems": 1,
                "description": 'The keys in their order, such as ["Control", "a"].',
            }
        },
    ),
    "take_screenshot": ("Shows the screen as it is now.", {}),
    "scroll": ("Turns the wheel with the pointer at this place.", _SCROLL),
}
_HISTORY: dict[str, tuple[str, Parameters]] = {
    "go_back": ("Goes to the page before this one.", {}),
    "navigate": ("Opens an address.", _URL),
    "go_forward": ("Goes to the page that was left by going back.", {}),
}
_PHONE: dict[str, tuple[str, Parameters]] = {
    "open_app": ("Opens an app.", {"app_name": _text("Its name, or the name of its package.")}),
    "click": ("Taps this place.", _at()),
    "list_apps": ("Lists the apps of the device with the names of their packages.", {}),
    "wait": _POINTER["wait"],
    "go_back": ("Goes back, as the device's own back key does.", {}),
    "type": ("Types text where the cursor stands; tap a field first.", _TYPED),
    "drag_and_drop": ("Swipes from one place to another.", _DRAG),
    "long_press": (
        "Presses this place and holds it.",
        {**_at(), "seconds": _whole("How long; 2 when left out.", 60, 1)},
    ),
    "press_key": ("Presses a key of the device and lets it go, such as Home or Enter.", _KEY),
    "take_screenshot": _POINTER["take_screenshot"],
}
_LEGACY: dict[str, tuple[str, Parameters]] = {
    "open_web_browser": ("Opens the browser.", {}),
    "wait_5_seconds": ("Waits five seconds, for something that loads or moves.", {}),
    "go_back": _HISTORY["go_back"],
    "go_forward": _HISTORY["go_forward"],
    "search": ("Opens the start page of a search engine.", {}),
    "navigate": _HISTORY["navigate"],
    "click_at": ("Clicks this place.", _at()),
    "hover_at": ("Moves the pointer to this place, for what shows itself then.", _at()),
    "type_text_at": (
        "Clicks this place and types text there.",
        {
            **_at(),
            "text": _text("What is typed, as it stands."),
            "press_enter": {"type": "boolean", "description": "Press Enter; yes by default."},
            "clear_before_typing": {
                "type": "boolean",
                "description": "Empty the field first; yes by default.",
            },
        },
    ),
    "key_combination": (
        "Presses a key, or keys together.",
        {"keys": _text("Joined by '+', such as Enter or Control+A.")},
    ),
    "scroll_document": ("Scrolls the whole page.", {"direction": _SIDES}),
    "scroll_at": (
        "Scrolls what is at this place.",
        {**_at(), "direction": _SIDES, "magnitude": _whole("How far; 800 when left out.")},
    ),
    "drag_and_drop": (
        "Takes something at one place and puts it down at another.",
        {
            **_at(what="the place it is taken from"),
            **_at("destination_x", "destination_y", "the place it is put down"),
        },
    ),
}
_OPTIONAL = frozenset(
    {
        "press_enter",
        "clear_before_typing",
        "seconds",
        "magnitude_in_pixels",
        "magnitude",
        "safety_decision",
    }
)
SETS: dict[tuple[FunctionSet, Environment], dict[str, tuple[str, Parameters]]] = {
    ("current", "browser"): {**_POINTER, **_HISTORY},
    ("current", "desktop"): _POINTER,
    ("current", "mobile"): _PHONE,
    ("legacy", "browser"): _LEGACY,
}
"""Description and parameters by name; the legacy set knows browsers only."""


def specs(
    set_: FunctionSet, environment: Environment, *, excluded: frozenset[str], guarded: bool
) -> list[FunctionSpec]:
    """The functions of a set, without the excluded ones. `guarded` ones can say that the user must
    be asked first. Raises KeyError when there is no such set."""
    offered: list[FunctionSpec] = []
    for name, (description, parameters) in SETS[set_, environment].items():
        if name in excluded:
            continue
        properties = dict(parameters)
        if set_ == "current":
            properties["intent"] = _text("What this is to achieve, in a few words.")
        if guarded and name not in _WATCHING:
            properties |= SAFETY
        schema: dict[str, Any] = {"type": "object", "properties": properties}
        if required := [name for name in properties if name not in _OPTIONAL]:
            schema["required"] = required
        offered.append(FunctionSpec(name=name, description=description, parameters=schema))
    return offered
