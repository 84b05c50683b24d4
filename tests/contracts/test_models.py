"""The shipped model suite over the scripted model, and over models that break its rules."""

import pytest

from interplay.contracts.model import Turn, TurnEnd
from interplay.testing.contracts.model import ModelContract
from interplay.testing.pieces import OutOfOrder, said
from interplay.testing.scripted_model import ScriptedModel
from interplay.wire.deltas import ArgumentsDelta, TextDelta
from interplay.wire.steps import FunctionCallStep


class TestEcho(ModelContract):
    """Everything it claims by default."""

    @pytest.fixture
    async def model(self):
        return ScriptedModel.of(echo=True, facts={"prefill": True})


class TestTextOnly(ModelContract):
    """A model that claims nothing beyond text."""

    @pytest.fixture
    async def model(self):
        facts = {
            "functions": False,
            "schema": False,
            "inputs": ["text"],
            "outputs": ["text"],
            "thinking_levels": [],
        }
        return ScriptedModel.of(echo=True, facts=facts)


CALL = FunctionCallStep(arguments={}, id="aaaa1111", name="f")


@pytest.mark.parametrize(
    ("pieces", "rule"),
    [
        ([TextDelta("x")], "TurnEnd must come last"),
        ([TurnEnd(), TextDelta("x")], "TurnEnd must come last"),
        ([TurnEnd(), TurnEnd()], "TurnEnd must come last"),
        ([TextDelta(""), TurnEnd()], "empty"),
        ([ArgumentsDelta("{}"), TurnEnd(reason="calls")], "must follow"),
        ([CALL, ArgumentsDelta("{"), TurnEnd(reason="calls")], "no JSON object"),
        ([CALL, ArgumentsDelta("[]"), TurnEnd(reason="calls")], "no JSON object"),
        ([CALL, CALL, TurnEnd(reason="calls")], "id of its own"),
        ([CALL, TurnEnd()], "reason is 'stop' with 1 calls"),
        ([TextDelta("x"), TurnEnd(reason="calls")], "reason is 'calls' with 0 calls"),
    ],
)
def test_a_broken_rule_is_named(pieces, rule):
    with pytest.raises(OutOfOrder, match=rule):
        said(pieces)


BREAKS = {
    "test_tokens_are_counted": {"text": "x", "usage": {}},
    "test_the_output_limit_ends_a_turn_with_length": "one two",
    "test_a_stop_sequence_is_never_said": "one two three",
    "test_no_function_is_called_where_none_may_be": {"calls": [{"name": "get_weather"}]},
    "test_a_function_that_must_be_called_is_called": "no",
    "test_text_held_to_a_schema_fits_it": '{"colour": "blue"}',
    "test_a_prefix_is_continued_and_not_repeated": '"red"}}',
}


@pytest.mark.parametrize("test", BREAKS)
async def test_the_suite_catches_a_model_that_breaks_its_promise(test):
    model = ScriptedModel.of(BREAKS[test], repeat=True, facts={"prefill": True})
    with pytest.raises((AssertionError, ValueError)):
        await getattr(ModelContract(), test)(model)


async def test_the_suite_catches_a_model_that_writes_into_its_turn():
    def scribble(turn: Turn) -> str:
        turn.steps.clear()
        return "x"

    with pytest.raises(AssertionError):
        await ModelContract().test_a_turn_is_left_as_it_was(ScriptedModel.of(scribble))
