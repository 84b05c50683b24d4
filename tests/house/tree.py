"""The project's own files, as the tests of the house look at them."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SRC = ROOT / "src" / "interplay"
TESTS = ROOT / "tests"


@cache
def sources(*folders: Path) -> tuple[Path, ...]:
    """Python files, sorted, under these folders (default: the package)."""
    found = [path for folder in folders or (SRC,) for path in folder.rglob("*.py")]
    return tuple(sorted(path for path in found if "__pycache__" not in path.parts))


@cache
def parsed(path: Path) -> ast.Module:
    """A file's syntax tree."""
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def short(path: Path) -> str:
    """A path from the root, with slashes."""
    return path.relative_to(ROOT).as_posix()
