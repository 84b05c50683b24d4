"""Arguments as their schema means them."""

from __future__ import annotations

from typing import Any

import pytest

from interplay.interactions.fitting import fitted


def of(kind: Any, **more: Any) -> dict[str, Any]:
    return {"type": "object", "properties": {"x": {"type": kind, **more}}, "required": ["x"]}


MENDED: list[tuple[dict[str, Any], Any, Any]] = [
    (of("integer"), "3", 3),
    (of("integer"), " -3 ", -3),
    (of("number"), "3.5", 3.5),
    (of("boolean"), "True", True),
    (of("string"), 7, "7"),
    (of("string"), 1.5, "1.5"),
    (of("array", items={"type": "string"}), "one", ["one"]),
    (of("array", items={"type": "string"}), '["one", "two"]', ["one", "two"]),
    (of("array", items={"type": "integer"}), ["1", 2], [1, 2]),
    (of("object"), '{"a": 1}', {"a": 1}),
    (of(["integer", "null"]), "3", 3),
    (of("object", properties={"n": {"type": "integer"}}), {"n": "4"}, {"n": 4}),
]


@pytest.mark.parametrize(("schema", "given", "meant"), MENDED)
def test_what_loses_nothing_is_put_right(schema: dict[str, Any], given: Any, meant: Any) -> None:
    assert fitted(schema, {"x": given}) == ({"x": meant}, [])


LEFT: list[tuple[dict[str, Any], Any]] = [
    (of("integer"), "three"),
    (of("integer"), "3.5"),
    (of("integer"), True),
    (of("integer"), "9" * 30),
    (of("boolean"), "yes"),
    (of("string"), True),
    (of("string"), None),
    (of("string"), ["a"]),
    (of("object"), "[1]"),
    (of("array", items={"type": "integer"}), ["1", "b"]),
    (of("string", enum=["a"]), "b"),
]


@pytest.mark.parametrize(("schema", "given"), LEFT)
def test_what_would_lose_something_stays_with_its_faults(schema: Any, given: Any) -> None:
    arguments, faults = fitted(schema, {"x": given})
    assert arguments == {"x": given}
    assert faults
    assert all("x" in fault for fault in faults)


def test_what_fits_is_left_alone() -> None:
    given = {"x": "3", "y": None}
    assert fitted(of("string"), given) == (given, [])
    assert fitted({}, given) == (given, [])


def test_an_optional_field_that_is_null_is_left_out() -> None:
    schema = {"type": "object", "properties": {"x": {"type": "string"}, "y": {"type": ["null"]}}}
    assert fitted(schema, {"x": None, "y": None}) == ({"y": None}, [])


def test_a_schema_that_refers_to_itself_ends() -> None:
    schema = {
        "type": "object",
        "properties": {"child": {"$ref": "#"}, "n": {"type": "integer"}},
    }
    deep: dict[str, Any] = {"n": "x"}
    for _ in range(100):
        deep = {"child": deep}
    arguments, faults = fitted(schema, deep)
    assert arguments == deep
    assert faults
