"""Sandboxes for tests, and whether there can be any here."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from interplay.contracts.registry import load
from interplay.plugins.sandboxes.bubblewrap.launch import found

needs_bubblewrap = pytest.mark.skipif(
    found("") is None, reason="there is no bubblewrap: apt-get install bubblewrap"
)


def backend(folder: Path, **config: Any) -> Any:
    """The backend bubblewrap over a cache of this test's own."""
    kind: Any = load("interplay.sandboxes", "bubblewrap")
    return kind(kind.Config(**config), SimpleNamespace(cache=lambda name: folder / name))
