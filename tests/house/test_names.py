"""One word, one meaning: names that say nothing are not used, nor marks of unfinished work."""

import ast
import re

from tests.house.tree import ROOT, SRC, TESTS, parsed, short, sources

EMPTY_WORDS = {"utils", "util", "helpers", "helper", "common", "misc", "base", "core", "impl"}
EMPTY_WORDS |= {"manager", "handler", "processor", "executor", "orchestrator"}
MARKS = re.compile("|".join(("TO" + "DO", "FIX" + "ME", "X" + "XX", "HA" + "CK")))
PAPERS = ("*.md", "docs/*.md", "bench/*.md")


def words(name: str) -> set[str]:
    """`HttpClientBase` and `http_client_base` -> http, client, base."""
    return {word.lower() for word in re.findall(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])", name)}


def test_no_file_or_class_has_an_empty_name():
    found = [short(path) for path in sources() if words(path.stem) & EMPTY_WORDS]
    for path in sources():
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.ClassDef) and words(node.name) & EMPTY_WORDS:
                found.append(f"{short(path)}:{node.name}")
    assert found == []


def test_nothing_is_marked_as_unfinished():
    files = [*sources(SRC), *sources(TESTS), ROOT / "run"]
    files += [path for pattern in PAPERS for path in ROOT.glob(pattern)]
    marked = [short(path) for path in files if MARKS.search(path.read_text(encoding="utf-8"))]
    assert marked == []


def test_no_file_is_empty():
    files = [*sources(), *(path for pattern in PAPERS for path in ROOT.glob(pattern))]
    assert [short(path) for path in files if not path.read_text(encoding="utf-8").strip()] == []


def test_nothing_names_the_machine_it_was_written_on():
    paths = re.compile("/" + r"(?:work|root|home/\w+)/(?!\.cache)")
    files = [*sources(SRC), *sources(TESTS), ROOT / "run", ROOT / "pyproject.toml"]
    files += [path for pattern in PAPERS for path in ROOT.glob(pattern)]
    named = [short(path) for path in files if paths.search(path.read_text(encoding="utf-8"))]
    assert named == []
