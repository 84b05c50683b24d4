"""One turn on a slot: choose a function, write its arguments, or write text."""

from __future__ import annotations

import contextlib
import secrets
import string
from collections.abc import AsyncGenerator
from typing import Any

import jsonschema_rs
import msgspec

from interplay.contracts.model import FunctionSpec, Piece, Turn, TurnEnd
from interplay.plugins.models.llama_cpp import prompt, routing, schemas
from interplay.plugins.models.llama_cpp.runtime import Emitted, Slot
from interplay.plugins.models.llama_cpp.scan import Elements, Scan
from interplay.wire.content import TextContent
from interplay.wire.deltas import ArgumentsDelta, TextDelta, ThoughtSummaryDelta
from interplay.wire.steps import FunctionCallStep
from interplay.wire.usage import ModalityTokens, Usage

_ID_LETTERS = string.ascii_lowercase + string.digits
_ATTEMPTS = 3
"""Times a validated call's arguments are written before the turn is given up."""
_FREE = {"temperature": 0.7, "top_p": 0.8, "top_k": 20, "repeat_penalty": 1.05}
"""Sampling for what the caller leaves out; the values these models were published with."""
_ARGUMENTS = {"dry_multiplier": 0.8, "dry_allowed_length": 16, "dry_penalty_last_n": 256}
"""Sampling for arguments: greedy, but out of the loops that free texts run into."""
_ANY_JSON = {"type": "json_object"}


class Writer:
    """Carries out one turn. What is wrong with the turn is raised when it is built."""

    def __init__(self, turn: Turn, seed: int | None, *, answer_bias: float):
        self._turn = turn
        self._seed = turn.seed if turn.seed is not None else seed
        self._bias = answer_bias
        self._said = prompt.conversation(turn.steps)
        self._functions = _offered(turn)
        self._parameters = {
            spec.name: schemas.usable(spec.parameters, f"'{spec.name}.parameters'")
            for spec in self._functions
        }
        self._schema = schemas.usable(turn.schema, "'schema'") if turn.schema is not None else None
        self._spent = Spent()

    async def write(self, slot: Slot, deadline: float) -> AsyncGenerator[Piece]:
        """The pieces of the turn, TurnEnd last."""
        spec = await self._chosen(slot, deadline)
        if spec is not None:
            called = False
            async with contextlib.aclosing(self._calls(spec, slot, deadline)) as pieces:
                async for piece in pieces:
                    called = True
                    yield piece
            if called:
                return
        async with contextlib.aclosing(self._text(slot, deadline)) as pieces:
            async for piece in pieces:
                yield piece

    async def _chosen(self, slot: Slot, deadline: float) -> FunctionSpec | None:
        """The function to call now; None to answer."""
        must = self._turn.choice.mode == "any"
        if not self._functions or self._turn.prefix:
            return None  # text that has begun goes on as text
        if must and len(self._functions) == 1:
            return self._functions[0]
        body = routing.choosing(
            self._said,
            self._turn.system_instruction,
            self._functions,
            must=must,
            answer_bias=self._bias,
        )
        name = ""
        async with contextlib.aclosing(slot.generate(body, deadline)) as emitted:
            async for now in emitted:
                name += now.text
                self._spent.choosing(now)
        return next((spec for spec in self._functions if spec.name == name), None)

    async def _calls(
        self, spec: FunctionSpec, slot: Slot, deadline: float
    ) -> AsyncGenerator[Piece]:
        """Calls of one function; nothing at all when they have been answered already."""
        parameters = self._parameters[spec.name]
        made = Made(spec.name, self._answered(spec.name))
        if not parameters.get("properties") and not parameters.get("$ref"):
            for piece in made.call("{}"):
                yield piece
            if made.count:
                yield self._spent.end("calls")
            return
        if self._turn.choice.mode == "validated":
            async for piece in self._checked(spec, made, slot, deadline):
                yield piece
            return
        finish = "stop"
        elements = Elements()
        body = self._arguments_body(spec, attempt=0)
        async with contextlib.aclosing(slot.generate(body, deadline)) as emitted:
            async for now in emitted:
                self._spent.writing(now)
                finish = now.finish or finish
                for text in elements.cut(now.text):
                    for piece in made.call(text):
                        yield piece
                if elements.ended:
                    finish = "stop"
                    break
        if not elements.ended and finish == "length":
            yield self._spent.end("length")
        elif made.count:
            yield self._spent.end("calls")

    async def _checked(
        self, spec: FunctionSpec, made: Made, slot: Slot, deadline: float
    ) -> AsyncGenerator[Piece]:
        """Calls whose arguments fit their schema, or the end of the turn."""
        check = jsonschema_rs.validator_for(self._parameters[spec.name])
        fault = ""
        for attempt in range(_ATTEMPTS):
            text = ""
            body = self._arguments_body(spec, attempt)
            async with contextlib.aclosing(slot.generate(body, deadline)) as emitted:
                async for now in emitted:
                    self._spent.writing(now)
                    text += now.text
            try:
                written = msgspec.json.decode(text, type=list[dict[str, Any]])
                for arguments in written:
                    check.validate(arguments)
            except (msgspec.DecodeError, jsonschema_rs.ValidationError) as error:
                fault = str(error).splitlines()[0]
                continue
            for arguments in written:
                for piece in made.call(prompt.compact(arguments)):
                    yield piece
            if made.count:
                yield self._spent.end("calls")
            return
        yield self._spent.end(
            "blocked",
            code="malformed_function_call",
            message=f"The model did not write arguments that fit '{spec.name}': {fault}",
        )

    def _arguments_body(self, spec: FunctionSpec, attempt: int) -> dict[str, Any]:
        schema = schemas.calls_of(self._parameters[spec.name])
        body: dict[str, Any] = {
            "messages": prompt.messages(
                self._said, self._turn.system_instruction, ask=routing.asking_for(spec, self._said)
            ),
            "response_format": _held_to(schema),
            "temperature": 0.4 * attempt,
            **_ARGUMENTS,
        }
        if self._turn.max_output_tokens is not None:
            body["max_tokens"] = self._turn.max_output_tokens
        return body

    def _answered(self, name: str) -> list[dict[str, Any]]:
        """Arguments of this function's calls that were answered since the user last spoke.

        A small model likes to ask again for what it has just been told; with functions it is
        free not to call, the same call is not made twice.
        """
        if self._turn.choice.mode == "any":
            return []
        answered: list[dict[str, Any]] = []
        for entry in reversed(self._said):
            if entry.by == "user":
                break
            if entry.by == "data" and entry.name == name:
                answered.append(entry.arguments)
        return answered

    async def _text(self, slot: Slot, deadline: float) -> AsyncGenerator[Piece]:
        scan = Scan() if self._turn.json or self._schema is not None else None
        if scan is not None:
            scan.until_end(self._turn.prefix)
        finish = "stop"
        async with contextlib.aclosing(slot.generate(self._text_body(), deadline)) as emitted:
            async for now in emitted:
                self._spent.writing(now)
                finish = now.finish or finish
                if now.thought and self._turn.thinking_summaries:
                    yield ThoughtSummaryDelta(content=TextContent(text=now.thought))
                text = scan.until_end(now.text) if scan is not None else now.text
                if text:
                    yield TextDelta(text=text)
                if scan is not None and scan.ended:
                    finish = "stop"
                    break  # small models go on with blanks behind the value until they are cut
        yield self._spent.end("length" if finish == "length" else "stop")

    def _text_body(self) -> dict[str, Any]:
        turn = self._turn
        body: dict[str, Any] = {
            "messages": prompt.messages(self._said, turn.system_instruction, prefix=turn.prefix),
            **_FREE,
        }
        given = {
            "temperature": turn.temperature,
            "top_p": turn.top_p,
            "top_k": turn.top_k,
            "seed": self._seed,
            "max_tokens": turn.max_output_tokens,
            "stop": turn.stop_sequences or None,
        }
        body |= {key: value for key, value in given.items() if value is not None}
        if self._schema is not None:
            body["response_format"] = _held_to(self._schema)
        elif turn.json:
            body["response_format"] = _ANY_JSON
        return body


class Made:
    """Turns arguments into the pieces of calls, leaving out calls that stand already.

    A call is passed on when its arguments are complete: one that is cut off was never made.
    """

    def __init__(self, name: str, answered: list[dict[str, Any]]):
        self.count = 0
        self._name = name
        self._known = [*answered]

    def call(self, text: str) -> list[Piece]:
        """A call with these arguments; nothing when it is not a new one."""
        arguments = msgspec.json.decode(text, type=dict[str, Any])
        if arguments in self._known:
            return []
        self._known.append(arguments)
        self.count += 1
        id = "".join(secrets.choice(_ID_LETTERS) for _ in range(8))
        step = FunctionCallStep(arguments={}, id=id, name=self._name)
        return [step, ArgumentsDelta(arguments=prompt.compact(arguments))]


class Spent:
    """Adds up what a turn cost over the generations it is made of."""

    def __init__(self) -> None:
        self._choosing = Emitted()
        self._done: list[Emitted] = []

    def choosing(self, now: Emitted) -> None:
        """The choice of a function: counted as tool use."""
        self._choosing = now

    def writing(self, now: Emitted) -> None:
        """What is written for the caller; a count that falls begins another generation."""
        if self._done and now.written >= self._done[-1].written:
            self._done[-1] = now
        else:
            self._done.append(now)

    def end(self, reason: Any, *, code: str | None = None, message: str | None = None) -> TurnEnd:
        """The last piece of the turn."""
        prompt_tokens = sum(each.prompt for each in self._done)
        written = sum(each.written for each in self._done)
        tool_use = self._choosing.prompt + self._choosing.written
        usage = Usage(
            total_input_tokens=prompt_tokens,
            total_output_tokens=written,
            total_cached_tokens=sum(each.cached for each in self._done),
            total_thought_tokens=0,
            total_tool_use_tokens=tool_use,
            total_tokens=prompt_tokens + written + tool_use,
            input_tokens_by_modality=[ModalityTokens(modality="text", tokens=prompt_tokens)],
            output_tokens_by_modality=[ModalityTokens(modality="text", tokens=written)],
        )
        return TurnEnd(reason=reason, usage=usage, code=code, message=message)


def _offered(turn: Turn) -> list[FunctionSpec]:
    if turn.choice.mode == "none":
        return []
    names = turn.choice.names
    return [spec for spec in turn.functions if names is None or spec.name in names]


def _held_to(schema: dict[str, Any]) -> dict[str, Any]:
    return {"type": "json_schema", "json_schema": {"schema": schema}}
