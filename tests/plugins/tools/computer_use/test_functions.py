"""The predefined functions, name by name and field by field."""

from __future__ import annotations

from typing import Any

import pytest

from interplay.interactions.schema import Validator, clean
from interplay.plugins.tools.computer_use.functions import SETS, specs

PLACE = {"x", "y", "intent"}
CURRENT = {
    "click": PLACE,
    "double_click": PLACE,
    "triple_click": PLACE,
    "middle_click": PLACE,
    "right_click": PLACE,
    "mouse_down": PLACE,
    "mouse_up": PLACE,
    "move": PLACE,
    "type": {"text", "intent"},
    "drag_and_drop": {"start_x", "start_y", "end_x", "end_y", "intent"},
    "wait": {"intent"},
    "press_key": {"key", "intent"},
    "key_down": {"key", "intent"},
    "key_up": {"key", "intent"},
    "hotkey": {"keys", "intent"},
    "take_screenshot": {"intent"},
    "scroll": {"x", "y", "direction", "intent"},
}
HISTORY = {"go_back": {"intent"}, "navigate": {"url", "intent"}, "go_forward": {"intent"}}
MOBILE = {
    "open_app": {"app_name", "intent"},
    "click": PLACE,
    "list_apps": {"intent"},
    "wait": {"intent"},
    "go_back": {"intent"},
    "type": {"text", "intent"},
    "drag_and_drop": {"start_x", "start_y", "end_x", "end_y", "intent"},
    "long_press": PLACE,
    "press_key": {"key", "intent"},
    "take_screenshot": {"intent"},
}
LEGACY = {
    "open_web_browser": set[str](),
    "wait_5_seconds": set[str](),
    "go_back": set[str](),
    "go_forward": set[str](),
    "search": set[str](),
    "navigate": {"url"},
    "click_at": {"x", "y"},
    "hover_at": {"x", "y"},
    "type_text_at": {"x", "y", "text"},
    "key_combination": {"keys"},
    "scroll_document": {"direction"},
    "scroll_at": {"x", "y", "direction"},
    "drag_and_drop": {"x", "y", "destination_x", "destination_y"},
}
OPTIONAL = {
    "type": {"press_enter"},
    "wait": {"seconds"},
    "long_press": {"seconds"},
    "scroll": {"magnitude_in_pixels"},
    "type_text_at": {"press_enter", "clear_before_typing"},
    "scroll_at": {"magnitude"},
}
EXPECTED: dict[tuple[Any, Any], dict[str, set[str]]] = {
    ("current", "browser"): CURRENT | HISTORY,
    ("current", "desktop"): CURRENT,
    ("current", "mobile"): MOBILE,
    ("legacy", "browser"): LEGACY,
}
EVERY = pytest.mark.parametrize("which", list(EXPECTED), ids="-".join)
NONE = frozenset[str]()


def test_every_set_is_looked_at():
    assert set(EXPECTED) == set(SETS)


@EVERY
def test_a_set_has_these_functions_with_these_fields(which: Any):
    offered = specs(*which, excluded=NONE, guarded=False)
    assert {spec.name: set(spec.parameters.get("required", [])) for spec in offered} == EXPECTED[
        which
    ]
    for spec in offered:
        required = set(spec.parameters.get("required", []))
        optional = OPTIONAL.get(spec.name, set())
        assert set(spec.parameters["properties"]) == required | optional, spec.name


@EVERY
def test_every_schema_can_be_checked_and_no_place_lies_outside_the_grid(which: Any):
    for spec in specs(*which, excluded=NONE, guarded=True):
        assert spec.description.endswith(".")
        schema = clean(spec.parameters, "")
        for name in ("x", "start_x", "destination_y"):
            if name not in schema["properties"]:
                continue
            faults = Validator.of(schema).errors({name: 1_000})
            assert any("1000" in fault for fault in faults), faults
            assert not any("999" in fault for fault in Validator.of(schema).errors({name: 999}))


@EVERY
def test_guarded_functions_can_ask_and_those_that_only_look_cannot(which: Any):
    asking = {
        spec.name
        for spec in specs(*which, excluded=NONE, guarded=True)
        if "safety_decision" in spec.parameters["properties"]
    }
    looking = {"take_screenshot", "wait", "wait_5_seconds", "list_apps"}
    assert asking == set(EXPECTED[which]) - looking
    for spec in specs(*which, excluded=NONE, guarded=True):
        assert "safety_decision" not in spec.parameters.get("required", [])


def test_excluded_functions_are_not_there():
    names = [
        s.name for s in specs("legacy", "browser", excluded=frozenset({"search"}), guarded=True)
    ]
    assert "search" not in names
    assert len(names) == len(LEGACY) - 1
