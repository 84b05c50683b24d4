"""ScriptedModel does what its script says, and complains when script and turns differ."""

import asyncio

import msgspec
import pytest

from interplay.contracts.failure import Busy, Unavailable
from interplay.contracts.model import Choice, FunctionSpec, Turn, TurnEnd
from interplay.testing.gates import GateNotReached
from interplay.testing.script import Reply, ScriptError
from interplay.testing.scripted_model import ScriptedConfig, ScriptedModel
from interplay.wire.content import TextContent
from interplay.wire.deltas import (
    ArgumentsDelta,
    ImageDelta,
    TextDelta,
    ThoughtSignatureDelta,
    ThoughtSummaryDelta,
)
from interplay.wire.steps import FunctionCallStep, FunctionResultStep, UserInputStep


def asked(text: str = "hello big world", **fields) -> Turn:
    return Turn(model="m", steps=[UserInputStep(content=[TextContent(text)])], **fields)


async def pieces(model: ScriptedModel, turn: Turn) -> list:
    return [piece async for piece in model.stream(turn)]


def text(found: list) -> str:
    return "".join(piece.text for piece in found if isinstance(piece, TextDelta))


async def test_replies_come_in_order_and_turns_are_recorded():
    model = ScriptedModel.of("one", {"chunks": ["t", "wo"]})
    assert text(await pieces(model, asked("first"))) == "one"
    found = await pieces(model, asked("second"))
    assert [type(piece) for piece in found] == [TextDelta, TextDelta, TurnEnd]
    assert [turn.steps[0].content[0].text for turn in model.turns] == ["first", "second"]
    model.verify()


async def test_words_are_counted_as_tokens():
    end = (await pieces(ScriptedModel.of("one two"), asked()))[-1]
    assert (end.usage.total_input_tokens, end.usage.total_output_tokens) == (3, 2)
    assert end.usage.total_tokens == 5


async def test_a_turn_beyond_the_script_is_an_error_that_verify_repeats():
    model = ScriptedModel.of()
    with pytest.raises(ScriptError, match="asked for one more"):
        await pieces(model, asked())
    with pytest.raises(ScriptError, match="after the end"):
        model.verify()


def test_left_over_replies_fail_verify():
    with pytest.raises(ScriptError, match="1 of 1"):
        ScriptedModel.of("unused").verify()


async def test_a_repeating_script_starts_again():
    model = ScriptedModel.of("a", "b", repeat=True)
    assert [text(await pieces(model, asked())) for _ in range(3)] == ["a", "b", "a"]


async def test_calls_come_as_a_step_and_fragments_of_json():
    model = ScriptedModel.of({"calls": [{"name": "f", "arguments": {"x": 1}}, {"name": "g"}]})
    found = await pieces(model, asked())
    calls = [piece for piece in found if isinstance(piece, FunctionCallStep)]
    assert [call.name for call in calls] == ["f", "g"]
    assert len({call.id for call in calls}) == 2
    assert all(len(call.id) == 8 and call.arguments == {} for call in calls)
    after_f = found[1 : found.index(calls[1])]
    assert all(isinstance(piece, ArgumentsDelta) for piece in after_f)
    assert len(after_f) == 2
    assert "".join(piece.arguments for piece in after_f) == '{"x":1}'
    assert found[-1].reason == "calls"


async def test_a_thought_is_summed_up_only_when_asked_for():
    reply = {"thought": {"summary": "hm", "signature": "c2ln"}, "text": "x"}
    quiet = await pieces(ScriptedModel.of(reply), asked())
    told = await pieces(ScriptedModel.of(reply), asked(thinking_summaries=True))
    assert [type(piece) for piece in quiet[:2]] == [ThoughtSignatureDelta, TextDelta]
    assert [type(piece) for piece in told[:2]] == [ThoughtSummaryDelta, ThoughtSignatureDelta]


async def test_a_failure_comes_after_what_was_said_with_its_type():
    model = ScriptedModel.of({"text": "so far", "fail": {"code": "too_many_requests"}})
    stream = model.stream(asked())
    assert (await anext(stream)).text == "so far"
    with pytest.raises(Busy):
        await anext(stream)
    with pytest.raises(Unavailable, match="down"):
        await pieces(ScriptedModel.of(Unavailable("down")), asked())


async def test_a_stream_holds_at_a_gate_until_it_is_opened():
    model = ScriptedModel.of({"chunks": ["before", {"hold": "middle"}, "after"]})
    found: list = []

    async def read() -> None:
        async for piece in model.stream(asked()):
            found.append(piece)

    reading = asyncio.create_task(read())
    await model.gate("middle").reached()
    assert text(found) == "before"
    model.gate("middle").open()
    await asyncio.wait_for(reading, 60)
    assert text(found) == "beforeafter"
    assert model.closed == 0


async def test_a_gate_nobody_reaches_says_so():
    with pytest.raises(GateNotReached, match="'never'"):
        await ScriptedModel.of().gate("never").reached(0.01)


async def test_closing_the_stream_is_recorded():
    model = ScriptedModel.of({"chunks": ["a", "b"]})
    stream = model.stream(asked())
    await anext(stream)
    await stream.aclose()
    await model.abandoned(1)
    assert model.closed == 1


async def test_a_cancelled_stream_counts_as_closed():
    model = ScriptedModel.of({"chunks": [{"hold": "g"}]})
    reading = asyncio.create_task(pieces(model, asked()))
    await model.gate("g").reached()
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert model.closed == 1


async def test_any_delta_can_be_scripted_and_the_end_left_out():
    reply = {"deltas": [{"type": "image", "data": "aGk=", "mime_type": "image/png"}]}
    found = await pieces(ScriptedModel.of({**reply, "endless": True}), asked())
    assert [type(piece) for piece in found] == [ImageDelta]


async def test_a_callable_sees_the_turn():
    model = ScriptedModel.of(lambda turn: Reply(text=turn.model))
    assert text(await pieces(model, asked())) == "m"


async def test_what_the_client_saw_already_is_not_said_again():
    model = ScriptedModel.of({"chunks": ["one ", "two ", "three"]}, facts={"prefill": True})
    assert text(await pieces(model, asked(prefix="one tw"))) == "o three"


async def test_settings_data_make_the_same_model():
    data = {
        "replies": ["hi", {"calls": [{"name": "f"}]}],
        "echo": True,
        "facts": {"functions": False, "context_tokens": 10},
    }
    model = ScriptedModel(msgspec.convert(data, ScriptedModel.Config))
    assert not model.facts.functions
    assert model.facts.context_tokens == 10
    assert model.facts.schema
    await pieces(model, asked())
    await pieces(model, asked())
    assert text(await pieces(model, asked("again"))) == "again"


def test_a_typing_error_in_a_script_is_refused():
    with pytest.raises(msgspec.ValidationError, match="txet"):
        msgspec.convert({"replies": [{"txet": "x"}]}, ScriptedConfig)


def echoing(**facts) -> ScriptedModel:
    return ScriptedModel.of(echo=True, facts=facts)


async def test_echo_repeats_the_last_words_one_a_piece():
    found = await pieces(echoing(), asked())
    assert [piece.text for piece in found[:-1]] == ["hello", " big", " world"]


async def test_echo_calls_the_functions_the_text_names():
    functions = [
        FunctionSpec(name="f"),
        FunctionSpec(
            name="g",
            parameters={
                "type": "object",
                "properties": {"n": {"type": "integer", "minimum": 3}},
                "required": ["n"],
            },
        ),
    ]
    turn = asked('call f {"a": {"b": 1}}\ncall g\ncall unknown', functions=functions)
    found = await pieces(echoing(), turn)
    names = [piece.name for piece in found if isinstance(piece, FunctionCallStep)]
    assert names == ["f", "g"]
    assert "".join(p.arguments for p in found if isinstance(p, ArgumentsDelta)).endswith('{"n":3}')
    assert text(
        await pieces(echoing(), asked("call f", functions=functions, choice=Choice(mode="none")))
    )
    must = await pieces(
        echoing(), asked("hi", functions=functions, choice=Choice(mode="any", names=["g"]))
    )
    assert must[0].name == "g"


async def test_echo_reports_function_results():
    turn = asked("call f", functions=[FunctionSpec(name="f")])
    turn.steps.append(FunctionCallStep(arguments={}, id="c", name="f"))
    turn.steps.append(FunctionResultStep(call_id="c", name="f", result={"ok": True}))
    assert text(await pieces(echoing(), turn)) == 'f: {"ok":true}'


async def test_echo_fits_a_schema_and_obeys_limits():
    schema = {"type": "object", "properties": {"a": {"enum": ["x"]}}, "required": ["a"]}
    assert text(await pieces(echoing(), asked(schema=schema, json=True))) == '{"a":"x"}'
    short = await pieces(echoing(), asked(max_output_tokens=2))
    assert text(short) == "hello big"
    assert short[-1].reason == "length"
    assert text(await pieces(echoing(), asked(stop_sequences=["big"]))).strip() == "hello"
