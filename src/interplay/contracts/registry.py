"""Plugins by name: entry points, or `module:attribute`."""

from __future__ import annotations

import difflib
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any


class UnknownPlugin(LookupError):
    """No plugin of this name; the message says what there is and what to install."""


def names(group: str) -> list[str]:
    """Names registered in an entry-point group ("interplay.models"), without loading any."""
    return sorted({point.name for point in entry_points(group=group)})


def load(group: str, name: str) -> Any:
    """The object registered as `name`, or standing at `module:attribute`.

    Raises UnknownPlugin; an import error inside the plugin's module comes through with the
    plugin named in a note.
    """
    if ":" in name:
        module, _, attribute = name.partition(":")
        try:
            return getattr(import_module(module), attribute)
        except (ImportError, AttributeError) as error:
            raise UnknownPlugin(f"'{name}' cannot be loaded: {error}") from error
    for point in entry_points(group=group):
        if point.name == name:
            try:
                return point.load()
            except ImportError as error:
                error.add_note(f"while loading the plugin '{name}' of '{group}'")
                raise
    known = names(group)
    near = difflib.get_close_matches(name, known, n=1)
    hint = f" Did you mean '{near[0]}'?" if near else ""
    raise UnknownPlugin(
        f"No plugin '{name}' in '{group}'.{hint} Installed: {', '.join(known) or 'none'}."
        " Install the package that provides it, or give 'module:attribute'."
    )
