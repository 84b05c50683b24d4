"""Types flattened to what each kind of JSON may be."""

from __future__ import annotations

from typing import Any

import msgspec

from interplay.wire.interaction import CreateInteraction
from interplay.wire.shape import shape_of
from interplay.wire.steps import Step


class Node(msgspec.Struct, tag="node"):
    next: Node | None = None


def test_a_union_of_structs_is_keyed_by_tag():
    shape = shape_of(Step)
    assert shape.tag_field == "type"
    assert shape.objects["function_result"].required == ["call_id", "result"]
    assert shape.wanted == "object"


def test_the_arms_of_a_mixed_union_stand_side_by_side():
    shape = shape_of(CreateInteraction).objects[None].fields["input"]
    assert shape.wanted == "string, object or array"
    assert {"text", "user_input"} <= set(shape.objects)
    assert set(shape.items[0].objects) == set(shape.objects)


def test_a_recursive_struct_is_flattened_once():
    node = shape_of(Node).objects["node"]
    assert node.fields["next"].objects["node"] is node


def test_anything_goes_is_known():
    assert shape_of(Any).anything
    assert shape_of(dict[str, Any]).values is not None
