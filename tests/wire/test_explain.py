"""Bodies that do not decode: which faults are named, where, and in which words."""

from __future__ import annotations

import datetime
import enum
import random
import re
import time
from typing import Annotated, Any, Literal

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from interplay.settings import Settings
from interplay.wire.explain import Fault, explain, explain_body
from interplay.wire.interaction import CreateInteraction, Interaction
from interplay.wire.shape import Shape, shape_of
from interplay.wire.steps import Step


def messages(body: Any, type: Any = CreateInteraction, **how: Any) -> list[str]:
    return [fault.message for fault in explain(body, type, **how)]


def test_an_unknown_field_is_named_with_its_path():
    [fault] = explain({"generation_config": {"presence_penalty": 1}}, CreateInteraction)
    assert fault == Fault(
        "generation_config.presence_penalty",
        "parameter_unknown",
        "Unknown parameter 'presence_penalty' at 'generation_config'.",
    )


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("systemInstruction", "system_instruction"),
        ("previous-interaction-id", "previous_interaction_id"),
        ("Model", "model"),
        ("modle", "model"),
        ("temperature", "generation_config.temperature"),
        ("max_tokens", "generation_config.max_output_tokens"),
    ],
)
def test_an_unknown_field_is_answered_with_the_likely_one(wrong: str, right: str):
    assert messages({wrong: 1}) == [f"Unknown parameter '{wrong}'. Did you mean '{right}'?"]


@pytest.mark.parametrize("wrong", ["messages", "metadata", "tool_config", "n", "", "x" * 9_999])
def test_no_field_is_suggested_where_none_is_near(wrong: str):
    [message] = messages({wrong: 1})
    assert "Did you mean" not in message


def test_a_wrong_tag_lists_the_tags_there_are():
    [fault] = explain({"tools": [{"type": "googleSearch"}]}, CreateInteraction)
    assert fault.path == "tools[0].type"
    assert fault.code == "invalid_request"
    assert fault.message == (
        "The value 'googleSearch' is not supported for 'type' at 'tools[0]'. Supported values: "
        "'code_execution', 'computer_use', 'file_search', 'function', 'google_maps', "
        "'google_search', 'mcp_server', 'retrieval', 'tool_search', 'url_context'. "
        "Did you mean 'google_search'?"
    )


def test_a_wrong_value_of_a_list_is_named_by_its_index():
    assert messages({"response_modalities": ["text", "smell"]}) == [
        "The value 'smell' is not supported for 'response_modalities[1]'. Supported values: "
        "'audio', 'document', 'image', 'text', 'video'."
    ]


def test_the_arm_that_the_tag_names_is_the_only_one_explained():
    body = {"input": [{"type": "function_result", "callId": "x", "result": 5}]}
    assert [(fault.path, fault.message) for fault in explain(body, CreateInteraction)] == [
        (
            "input[0].callId",
            "Unknown parameter 'callId' at 'input[0]'. Did you mean 'call_id'?",
        ),
        (
            "input[0].result",
            "Expected string, object or array at 'input[0].result', got number 5.",
        ),
        ("input[0].call_id", "Missing required field 'call_id' at 'input[0]'."),
    ]


def test_an_object_without_its_tag_is_told_which_there_are():
    [fault] = explain({"input": [{"role": "user", "content": "hi"}]}, CreateInteraction)
    assert fault.path == "input[0].type"
    assert fault.message.startswith(
        "Missing required field 'type' at 'input[0]'. Supported values: 'text', 'image', "
    )


def test_a_tag_of_the_wrong_kind_is_a_fault_of_kind():
    assert messages({"tools": [{"type": 5}]}) == [
        "Expected string at 'tools[0].type', got number 5."
    ]
    assert messages({"tools": [{"type": None}]}) == [
        "Expected string at 'tools[0].type', got null."
    ]


def test_one_tagged_type_alone_needs_no_tag_but_refuses_a_wrong_one():
    assert explain({"environment": {"environment_id": "e"}}, CreateInteraction) == []
    assert messages({"environment": {"type": "local"}}) == [
        "The value 'local' is not supported for 'type' at 'environment'. "
        "Supported values: 'remote'."
    ]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"stream": "yes"}, "Expected boolean at 'stream', got string 'yes'."),
        ({"model": {}}, "Expected string at 'model', got object."),
        ({"tools": {}}, "Expected array at 'tools', got object."),
        ({"tools": [[]]}, "Expected object at 'tools[0]', got array."),
        (
            {"generation_config": {"seed": 1.5}},
            "Expected integer at 'generation_config.seed', got number 1.5.",
        ),
        (
            {"generation_config": {"temperature": True}},
            "Expected number at 'generation_config.temperature', got boolean true.",
        ),
        ({"environment": 5}, "Expected string or object at 'environment', got number 5."),
        ({"labels": {"a b": None}}, "Expected string at 'labels[\"a b\"]', got null."),
        (None, "Expected object, got null."),
        ([], "Expected object, got array."),
    ],
)
def test_a_value_of_the_wrong_kind_says_what_was_wanted_and_what_came(body: Any, message: str):
    assert messages(body) == [message]


def test_every_fault_is_found_in_one_pass():
    body = {
        "stream": 1,
        "input": [{"type": "text"}, {"type": "text", "text": 1}, {"type": "txt"}],
        "tools": [{"type": "function", "nam": "x"}, 5],
        "zz": 1,
    }
    assert [fault.path for fault in explain(body, CreateInteraction)] == [
        "stream",
        "input[0].text",
        "input[1].text",
        "input[2].type",
        "tools[0].nam",
        "tools[1]",
        "zz",
    ]


def test_a_part_of_a_body_is_explained_with_its_place():
    [fault] = explain({"type": 5}, Step, under=("input", 3))
    assert fault.message == "Expected string at 'input[3].type', got number 5."


def test_faults_are_capped():
    body = {"input": [{"type": "nope"}] * 1_000}
    assert len(explain(body, CreateInteraction)) == 20
    assert len(explain(body, CreateInteraction, limit=3)) == 3


def test_echoed_text_is_short_and_printable():
    [long] = messages({"stream": "x" * 1_000_000})
    assert len(long) < 150
    [odd] = messages({"stream": "a\n\x00\u202e\ud800"})
    assert odd == r"Expected boolean at 'stream', got string 'a\n\x00\u202e\ud800'."
    [name] = messages({"a\r\nb": 1})
    assert name == r"Unknown parameter 'a\r\nb'."
    [fault] = explain({"labels": {"\ud800" * 999: 1}}, CreateInteraction)
    fault.path.encode()
    assert len(fault.path) < 500


def test_huge_numbers_are_not_echoed():
    assert messages({"model": 10**100_000}) == [
        "Expected string at 'model', got number beyond 128 bits."
    ]


def test_lax_mode_reads_numbers_from_text():
    assert explain({"port": "8080", "limits": {"queue": "5"}}, Settings, strict=False) == []
    assert messages({"port": "x", "gemini_fallback": "perhaps"}, Settings, strict=False) == [
        "Expected integer at 'port', got string 'x'.",
        "Expected boolean at 'gemini_fallback', got string 'perhaps'.",
    ]
    assert messages({"port": "8080"}, Settings) == [
        "Expected integer at 'port', got string '8080'."
    ]


class Level(enum.Enum):
    LOW = "low"
    HIGH = "high"


class Tree(msgspec.Struct):
    kids: list[Tree] = []
    note: str = ""


Some = Annotated[list[int], msgspec.Meta(min_length=1)]


class Odd(msgspec.Struct, forbid_unknown_fields=True):
    small: Annotated[int, msgspec.Meta(ge=1, le=9)] = 1
    when: datetime.datetime | None = None
    level: Level = Level.LOW
    pair: tuple[int, str] = (1, "")
    some: Some = msgspec.field(default_factory=lambda: [1])
    few: Annotated[dict[str, int], msgspec.Meta(max_length=1)] = {}
    number: Literal[1, 2] = 1

    def __post_init__(self) -> None:
        if self.small == 7:
            raise ValueError("seven is taken")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"small": 0}, "Expected integer >= 1 at 'small', got number 0."),
        ({"when": "soon"}, "Invalid RFC3339 encoded datetime at 'when', got string 'soon'."),
        (
            {"level": "hi"},
            "The value 'hi' is not supported for 'level'. Supported values: 'low', 'high'.",
        ),
        ({"number": 3}, "The value '3' is not supported for 'number'. Supported values: '1', '2'."),
        ({"pair": [1]}, "Expected at least 2 items at 'pair', got 1."),
        ({"pair": [1, 2]}, "Expected string at 'pair[1]', got number 2."),
        ({"some": []}, "Expected at least 1 items at 'some', got 0."),
        ({"few": {"a": 1, "b": 2}}, "Expected at most 1 entries at 'few', got 2."),
        ({"small": 7}, "seven is taken."),
    ],
)
def test_types_beyond_the_wire_are_explained_too(body: Any, message: str):
    assert messages(body, Odd) == [message]


def test_a_recursive_type_is_walked_to_its_fault_and_no_deeper_than_the_cap():
    assert [f.path for f in explain({"kids": [{"kids": [{"note": 1}]}]}, Tree)] == [
        "kids[0].kids[0].note"
    ]
    deep: dict[str, Any] = {"note": 1}
    for _ in range(100):
        deep = {"kids": [deep]}
    [fault] = explain(deep, Tree)
    assert "Nested deeper than 64 levels" in fault.message


def test_free_json_too_deep_to_convert_is_a_fault_and_not_a_crash():
    deep: Any = {}
    for _ in range(5_000):
        deep = {"a": deep}
    [fault] = explain({"model": 5, "agent_config": deep}, CreateInteraction)
    assert fault.path == "model"
    assert explain({"agent_config": deep, "labels": deep}, CreateInteraction) != []


def test_raw_bodies_are_explained_down_to_malformed_ones():
    assert [f.path for f in explain_body(b'{"stream":1,"x":2}', CreateInteraction)] == [
        "stream",
        "x",
    ]
    [fault] = explain_body(b'{"stream":1,', CreateInteraction)
    assert "ends too early" in fault.message
    [fault] = explain_body(b'{"generation_config":{"seed":1e999}}', CreateInteraction)
    assert "Number out of range" in fault.message


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)


def valid(shape: Shape, rng: random.Random, depth: int = 0) -> Any:
    """A random value that fits a shape."""
    if shape.anything:
        return rng.choice([None, 1, "x", {"a": [1]}])
    kinds: list[Any] = [*shape.words, *(shape.literals or [])]
    pick = rng.choice(kinds)
    if pick in shape.literals:
        return pick
    if pick == "array":
        if depth > 3:
            return []
        return [valid(shape.items[0], rng, depth + 1) for _ in range(rng.randrange(3))]
    if pick == "object" and shape.values is not None:
        return {f"k{i}": valid(shape.values, rng, depth + 1) for i in range(rng.randrange(3))}
    if pick == "object":
        arm = rng.choice(list(shape.objects.values()))
        names = set(arm.required) | set(rng.sample(list(arm.fields), min(2, len(arm.fields))))
        tag = {arm.tag_field: arm.tag} if arm.tag_field else {}
        return {**tag, **{name: valid(arm.fields[name], rng, depth + 1) for name in sorted(names)}}
    if pick == "string" and str not in shape.plain:
        return rng.choice([literal for literal in shape.literals if isinstance(literal, str)])
    return {
        "null": None,
        "boolean": rng.random() < 0.5,
        "integer": rng.randrange(99),
        "number": rng.choice([1, 0.5]),
        "string": "text",
    }[pick]


def mutate(value: Any, junk: Any, rng: random.Random) -> tuple[Any, str]:
    """A copy with one place changed, and the path of the object or list it was changed in."""
    value = msgspec.json.decode(msgspec.json.encode(value))
    at, path = value, ""
    while True:
        keys: list[Any] = list(at) if isinstance(at, dict) else list(range(len(at)))
        inner = [key for key in keys if isinstance(at[key], dict | list) and at[key]]
        if not inner or rng.random() < 0.3:
            break
        key = rng.choice(inner)
        path = f"{path}[{key}]" if isinstance(at, list) else f"{path}.{key}"
        at = at[key]
    if isinstance(at, dict) and (not keys or rng.random() < 0.6):
        if keys and rng.random() < 0.4:
            del at[rng.choice(keys)]
        else:
            at[rng.choice(["zz", "type", "text", "model", "name", "callId"])] = junk
    elif keys:
        at[rng.choice(keys)] = junk
    return value, path.lstrip(".")


OURS = re.compile(
    r"Unknown parameter '|The value '|Missing required field '|Expected [a-z, ]+( at '|, got )"
)


@settings(
    max_examples=400, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)
@given(
    seed=st.integers(0, 2**32),
    junk=JSON,
    type=st.sampled_from([CreateInteraction, Interaction, Step]),
)
def test_faults_are_named_exactly_when_msgspec_refuses_and_only_where(
    seed: int, junk: Any, type: Any
):
    rng = random.Random(seed)
    whole = valid(shape_of(type), rng)
    assert explain(whole, type) == []
    body, place = mutate(whole, junk, rng)
    try:
        msgspec.convert(body, type)
    except msgspec.ValidationError as error:
        faults = explain(body, type)
        assert faults
        assert all(OURS.match(fault.message) for fault in faults), faults
        assert all(fault.path.startswith(place) for fault in faults), (place, faults)
        said = str(error).partition(" - at `$")[2].rstrip("`").lstrip(".")
        if "[...]" not in said:
            assert any(fault.path.startswith(said) for fault in faults), (said, faults)
    else:
        assert explain(body, type) == []


@settings(max_examples=150, deadline=None, derandomize=True)
@given(value=JSON, strict=st.booleans())
def test_any_json_is_taken_without_raising(value: Any, strict: bool):
    for type in (CreateInteraction, Step, Settings, Odd, Any):
        try:
            msgspec.convert(value, type, strict=strict)
            refused = False
        except msgspec.ValidationError:
            refused = True
        assert bool(explain(value, type, strict=strict)) is refused


@pytest.mark.parametrize(("steps", "budget_ms"), [(10, 0.2), (200, 4.0)])
def test_explaining_is_cheap(steps: int, budget_ms: float):
    step = {"type": "user_input", "content": [{"type": "text", "text": "hello"}]}
    body = {"model": "m", "input": [step] * steps, "modle": 1, "tools": [{"type": "functions"}]}
    explain(body, CreateInteraction)
    took: list[float] = []
    for _ in range(50):
        start = time.perf_counter()
        assert len(explain(body, CreateInteraction)) == 2
        took.append((time.perf_counter() - start) * 1e3)
    assert min(took) < budget_ms
