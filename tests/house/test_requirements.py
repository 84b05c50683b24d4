"""Every promise has a test or a reason, and every test that names a promise names a real one."""

import ast
from collections import Counter

from tests.api.requirements import REQUIREMENTS
from tests.house.tree import TESTS, parsed, short, sources

IDS = {promise.id for promise in REQUIREMENTS}


def marked() -> dict[str, list[str]]:
    """Id -> the tests that carry it, read from the syntax trees."""
    found: dict[str, list[str]] = {}
    for path in sources(TESTS):
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                for id in filter(None, map(_id, node.decorator_list)):
                    found.setdefault(id, []).append(f"{short(path)}:{node.name}")
    return found


def _id(decorator: ast.expr) -> str | None:
    if not isinstance(decorator, ast.Call) or not decorator.args:
        return None
    named = ast.unparse(decorator.func).split(".")[-1] == "requirement"
    value = decorator.args[0]
    return value.value if named and isinstance(value, ast.Constant) else None


def test_every_id_is_there_once():
    twice = [id for id, n in Counter(promise.id for promise in REQUIREMENTS).items() if n > 1]
    assert twice == []


def test_every_promise_has_a_test_or_a_reason():
    kept = marked()
    assert [p.id for p in REQUIREMENTS if p.id not in kept and not p.deferred] == []


def test_every_mark_names_a_promise():
    assert {id: tests for id, tests in marked().items() if id not in IDS} == {}


def test_a_promise_that_is_kept_is_not_deferred():
    kept = marked()
    assert [p.id for p in REQUIREMENTS if p.deferred and p.id in kept] == []


def test_every_promise_is_a_sentence_with_a_source():
    for promise in REQUIREMENTS:
        assert promise.sentence.endswith("."), promise.id
        assert promise.source, promise.id
        assert not (promise.deferred and promise.divergence), promise.id
