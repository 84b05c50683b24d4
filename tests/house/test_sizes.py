"""Files and functions stay small enough to be read at once."""

import ast

from tests.house.tree import SRC, parsed, short, sources

FILE_LINES = 400
FUNCTION_LINES = 50
LONGER: dict[str, str] = {}
"""`path` or `path:function` -> why it is longer than the rest."""


def lengths() -> dict[str, tuple[int, int]]:
    """What there is -> (its lines, the limit)."""
    found: dict[str, tuple[int, int]] = {}
    for path in sources():
        name = short(path)
        found[name] = (len(path.read_text(encoding="utf-8").splitlines()), FILE_LINES)
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                found[f"{name}:{node.name}"] = (length, FUNCTION_LINES)
    return found


def test_no_file_or_function_is_too_long():
    over = {name: size for name, (size, limit) in lengths().items() if size > limit}
    assert {name: size for name, size in over.items() if name not in LONGER} == {}


def test_what_may_be_longer_is_longer():
    found = lengths()
    for name in LONGER:
        size, limit = found.get(name, (0, 0))
        assert size > limit, f"{name} needs no exemption any more"


def test_every_file_and_class_says_what_it_is():
    silent = []
    for path in sources(SRC):
        tree = parsed(path)
        if not ast.get_docstring(tree):
            silent.append(short(path))
        for node in tree.body:
            public = isinstance(
                node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
            ) and not node.name.startswith("_")
            if public and not ast.get_docstring(node):
                silent.append(f"{short(path)}:{node.name}")
    assert silent == []
