"""Smallest instances fit their schema, or the search says why not."""

import jsonschema_rs
import pytest

from interplay.testing.smallest import NoInstance, smallest

SCHEMAS = [
    {},
    {"type": "string", "minLength": 3},
    {"type": "integer", "exclusiveMinimum": 4, "multipleOf": 5},
    {"type": "number", "maximum": -2},
    {"type": ["array", "null"], "items": {"type": "boolean"}, "minItems": 2},
    {"type": "array", "prefixItems": [{"const": 1}, {"type": "string"}], "minItems": 2},
    {"anyOf": [{"type": "string", "pattern": "^z+$"}, {"type": "integer"}]},
    {"allOf": [{"type": "object", "required": ["a"]}, {"properties": {"a": {"enum": [7]}}}]},
    {
        "$defs": {
            "node": {
                "type": "object",
                "properties": {
                    "v": {"type": "string", "format": "date"},
                    "next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]},
                },
                "required": ["v"],
            }
        },
        "$ref": "#/$defs/node",
    },
]


@pytest.mark.parametrize("schema", SCHEMAS, ids=range(len(SCHEMAS)))
def test_the_instance_fits(schema):
    assert jsonschema_rs.is_valid(schema, smallest(schema))


def test_a_pattern_is_out_of_reach_and_named():
    with pytest.raises(NoInstance, match=r"\^z\+\$"):
        smallest({"type": "string", "pattern": "^z+$"})


def test_a_schema_that_requires_itself_ends():
    loop = {"type": "object", "properties": {"a": {"$ref": "#"}}, "required": ["a"]}
    with pytest.raises(NoInstance, match="without end"):
        smallest(loop)
