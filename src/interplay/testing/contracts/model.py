"""What every model backend must do; see interplay.contracts.model."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import Any

import jsonschema_rs
import msgspec
import pytest

from interplay.contracts.failure import Refused
from interplay.contracts.model import Choice, FunctionSpec, Model, Turn
from interplay.testing.pieces import Said, said
from interplay.wire.content import ImageContent, TextContent
from interplay.wire.deltas import ThoughtSummaryDelta
from interplay.wire.steps import (
    FunctionCallStep,
    FunctionResultStep,
    GoogleSearchCallArguments,
    GoogleSearchCallStep,
    GoogleSearchResult,
    GoogleSearchResultStep,
    ModelOutputStep,
    Step,
    ThoughtStep,
    UserInputStep,
)

DOT = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII="
"""A PNG of one pixel, base64."""

WEATHER = FunctionSpec(
    name="get_weather",
    description="Tells the weather in a city.",
    parameters={
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
    },
)
COLOUR = {
    "type": "object",
    "properties": {"colour": {"enum": ["red", "green"]}},
    "required": ["colour"],
    "additionalProperties": False,
}


def user(text: str) -> UserInputStep:
    """One user input of text."""
    return UserInputStep(content=[TextContent(text)])


@pytest.mark.asyncio
class ModelContract:
    """Subclass it, give a `model` fixture (opened) and the name a turn asks for.

    Checks that depend on a fact pass at once where `model.facts` does not claim it.
    """

    name = "model"
    """`Turn.model` of every turn."""
    patience = 120.0
    """Seconds one turn may take."""
    talk = "Count from one to twenty in words."
    """A prompt whose answer has at least three tokens."""

    @pytest.fixture
    async def model(self) -> Any:
        """The model under test, opened; closed by the fixture."""
        raise NotImplementedError("Give your test class a `model` fixture.")

    def turn(self, *steps: Step, **fields: Any) -> Turn:
        """A short turn; temperature 0 and a seed, so that it can be made again."""
        defaults: dict[str, Any] = {"max_output_tokens": 64, "temperature": 0.0, "seed": 1}
        steps = steps or (user(self.talk),)
        return Turn(model=self.name, steps=[*steps], **{**defaults, **fields})

    async def ask(self, model: Model, turn: Turn) -> Said:
        """Runs a turn whole and checks the order of its pieces."""
        async with asyncio.timeout(self.patience):
            return said([piece async for piece in model.stream(turn)])

    async def test_text_comes_in_legal_order_with_one_end(self, model: Model) -> None:
        """Text, then TurnEnd last and once, reason stop or length."""
        answer = await self.ask(model, self.turn())
        assert answer.text
        assert answer.end.reason in ("stop", "length")

    async def test_tokens_are_counted(self, model: Model) -> None:
        """Input, output and total, each at least what was there."""
        usage = (await self.ask(model, self.turn())).end.usage
        read, written = usage.total_input_tokens, usage.total_output_tokens
        assert read is not None
        assert read > 0
        assert written is not None
        assert written > 0
        assert usage.total_tokens is not None
        assert usage.total_tokens >= read + written

    async def test_the_output_limit_ends_a_turn_with_length(self, model: Model) -> None:
        """One token, and the reason says why."""
        answer = await self.ask(model, self.turn(max_output_tokens=1))
        assert answer.end.reason == "length"
        assert (answer.end.usage.total_output_tokens or 0) <= 1

    async def test_a_stop_sequence_is_never_said(self, model: Model) -> None:
        """The text ends before it."""
        free = await self.ask(model, self.turn())
        words = free.text.split()
        stop = words[len(words) // 2]
        assert stop not in (await self.ask(model, self.turn(stop_sequences=[stop]))).text

    async def test_a_turn_is_left_as_it_was(self, model: Model) -> None:
        """A backend does not write into the turn it was given."""
        turn = self.turn()
        before = msgspec.json.encode(turn)
        await self.ask(model, turn)
        assert msgspec.json.encode(turn) == before

    async def test_a_stream_can_be_closed_after_its_first_piece(self, model: Model) -> None:
        """Closing returns soon and leaves a model that answers the next turn."""
        stream: Any = model.stream(self.turn())
        async with asyncio.timeout(self.patience), aclosing(stream):
            await anext(stream)
        await self.ask(model, self.turn())

    async def test_two_turns_at_once_both_end(self, model: Model) -> None:
        """At once or one after the other, each with its own pieces."""
        both = await asyncio.gather(self.ask(model, self.turn()), self.ask(model, self.turn()))
        assert all(answer.text for answer in both)

    async def test_a_conversation_of_every_kind_of_step_is_read(self, model: Model) -> None:
        """Thoughts, outputs, calls, results and server tool steps in the history."""
        history = [
            user("What is the weather in Rome?"),
            ThoughtStep(signature="eA=="),
            FunctionCallStep(arguments={"city": "Rome"}, id="abcd1234", name="get_weather"),
            FunctionResultStep(call_id="abcd1234", name="get_weather", result={"sky": "clear"}),
            GoogleSearchCallStep(GoogleSearchCallArguments(queries=["Rome"]), id="srch1234"),
            GoogleSearchResultStep("srch1234", [GoogleSearchResult("Rome is in Italy")]),
            ModelOutputStep(content=[TextContent("Clear.")]),
            user(self.talk),
        ]
        functions = [WEATHER] if model.facts.functions else []
        choice = Choice(mode="none" if functions else "auto")
        turn = self.turn(*history, functions=functions, choice=choice)
        assert (await self.ask(model, turn)).text

    async def test_summaries_of_thoughts_come_only_when_asked_for(self, model: Model) -> None:
        """Without thinking_summaries there is no ThoughtSummaryDelta."""
        async with asyncio.timeout(self.patience):
            pieces = [piece async for piece in model.stream(self.turn())]
        assert not any(isinstance(piece, ThoughtSummaryDelta) for piece in pieces)

    async def test_a_function_that_must_be_called_is_called(self, model: Model) -> None:
        """Choice any: an offered name, an id, arguments as a JSON object, reason calls."""
        if not model.facts.functions:
            return
        turn = self.turn(
            user("What is the weather in Rome?"), functions=[WEATHER], choice=Choice(mode="any")
        )
        answer = await self.ask(model, turn)
        assert [call.name for call in answer.calls][:1] == ["get_weather"]
        assert jsonschema_rs.is_valid(WEATHER.parameters, answer.calls[0].arguments)
        assert answer.end.reason == "calls"

    async def test_no_function_is_called_where_none_may_be(self, model: Model) -> None:
        """Choice none."""
        if not model.facts.functions:
            return
        turn = self.turn(functions=[WEATHER], choice=Choice(mode="none"))
        assert not (await self.ask(model, turn)).calls

    async def test_text_held_to_a_schema_fits_it(self, model: Model) -> None:
        """Where facts say schema."""
        if not model.facts.schema:
            return
        answer = await self.ask(model, self.turn(json=True, schema=COLOUR))
        assert jsonschema_rs.is_valid(COLOUR, msgspec.json.decode(answer.text))

    async def test_a_prefix_is_continued_and_not_repeated(self, model: Model) -> None:
        """Where facts say prefill and schema: prefix and text together fit the schema."""
        if not (model.facts.prefill and model.facts.schema):
            return
        prefix = '{"colour":'
        answer = await self.ask(model, self.turn(json=True, schema=COLOUR, prefix=prefix))
        assert jsonschema_rs.is_valid(COLOUR, msgspec.json.decode(prefix + answer.text))

    async def test_an_image_is_refused_where_it_cannot_be_seen(self, model: Model) -> None:
        """Refused, in words a caller may read."""
        if "image" in model.facts.inputs:
            return
        step = UserInputStep(content=[ImageContent(data=DOT, mime_type="image/png")])
        with pytest.raises(Refused) as refused:
            await self.ask(model, self.turn(step))
        assert refused.value.message

    async def test_doing_is_a_sentence_or_none(self, model: Model) -> None:
        """None once a turn has been answered."""
        await self.ask(model, self.turn())
        assert model.doing() is None
