"""JSON of others as objects and lists."""

from interplay.cli.plain import fields, objects


def test_what_is_no_object_has_no_fields():
    assert fields({"a": 1}) == {"a": 1}
    assert [fields(value) for value in (None, [1], "a", 3)] == [{}] * 4


def test_only_the_objects_of_a_list_are_taken():
    assert objects([{"a": 1}, 2, None, {"b": 2}]) == [{"a": 1}, {"b": 2}]
    assert [objects(value) for value in (None, {"a": 1}, "ab")] == [[]] * 3
