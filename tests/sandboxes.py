"""Sandboxes for tests, and whether there can be any here."""

from __future__ import annotations

import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from interplay.contracts.registry import load
from interplay.plugins.sandboxes.bubblewrap.launch import found


def _why_not() -> str:
    """Why there can be no namespaces here, asked of bubblewrap itself; empty when there can be."""
    program = found("")
    if program is None:
        return "there is no bubblewrap: apt-get install bubblewrap"
    words = [str(program), "--unshare-all", "--unshare-user", "--ro-bind", "/", "/"]
    ended = subprocess.run([*words, "--proc", "/proc", "true"], capture_output=True, timeout=60)
    said = ended.stderr.decode(errors="replace").strip()
    return (said or "bubblewrap opens no namespaces") if ended.returncode else ""


_REASON = _why_not()
needs_bubblewrap = pytest.mark.skipif(bool(_REASON), reason=_REASON)


def backend(folder: Path, **config: Any) -> Any:
    """The backend bubblewrap over a cache of this test's own."""
    kind: Any = load("interplay.sandboxes", "bubblewrap")
    return kind(kind.Config(**config), SimpleNamespace(cache=lambda name: folder / name))
