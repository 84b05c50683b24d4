"""What a scripted model answers without a script: made from the turn alone, always the same."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from interplay.contracts.failure import Refused
from interplay.contracts.model import FunctionSpec, Turn
from interplay.testing.script import Call, End, Reply, Thought
from interplay.testing.smallest import NoInstance, smallest
from interplay.wire.content import TextContent
from interplay.wire.steps import FunctionResultStep, ModelOutputStep, Step, UserInputStep

_CALL = re.compile(r"^\s*call\s+(?P<name>[\w.:-]+)\s*(?P<arguments>\{.*\})?\s*$", re.MULTILINE)
_WORD = re.compile(r"\s*\S+\s*$|\s*\S+")


def echo(turn: Turn) -> Reply:
    """The answer to a turn.

    `call NAME {json}` on a line of the last user text calls that function; several lines are
    parallel calls. With a schema the answer is its smallest instance, after function results
    it repeats them, else it repeats the last user text, a word a piece.
    """
    results = _results(turn.steps)
    calls = [] if results else _calls(turn)
    thought = _thought(turn)
    if calls:
        return Reply(thought=thought, calls=calls)
    text = _text(turn, results)
    chunks, end = _limited(_WORD.findall(text) or [text], turn)
    return Reply(thought=thought, chunks=[*chunks], end=end)


def last_text(turn: Turn) -> str:
    """The text of the last user input; media stand in it as [mime type]."""
    for step in reversed(turn.steps):
        if isinstance(step, UserInputStep):
            return " ".join(_block(block) for block in step.content or [])
    return ""


def words(steps: list[Step]) -> int:
    """Words in what the model is shown: this double's tokens."""
    total = 0
    for step in steps:
        if isinstance(step, UserInputStep | ModelOutputStep):
            total += sum(len(_block(block).split()) for block in step.content or [])
        else:
            total += len(msgspec.json.encode(step).split())
    return total


def _block(block: Any) -> str:
    return block.text if isinstance(block, TextContent) else f"[{block.mime_type or block.uri}]"


def _results(steps: list[Step]) -> list[FunctionResultStep]:
    found: list[FunctionResultStep] = []
    for step in reversed(steps):
        if not isinstance(step, FunctionResultStep):
            break
        found.insert(0, step)
    return found


def _text(turn: Turn, results: list[FunctionResultStep]) -> str:
    if turn.schema is not None:
        try:
            return msgspec.json.encode(smallest(turn.schema)).decode()
        except NoInstance as error:
            raise Refused(str(error)) from error
    text = last_text(turn)
    if results:
        said = [f"{result.name or result.call_id}: {_said(result)}" for result in results]
        text = "\n".join(said)
    return msgspec.json.encode({"echo": text}).decode() if turn.json else text


def _said(result: FunctionResultStep) -> str:
    if isinstance(result.result, str):
        return result.result
    return msgspec.json.encode(result.result).decode()


def _calls(turn: Turn) -> list[Call]:
    names = turn.choice.names
    open_to_call = {f.name: f for f in turn.functions if names is None or f.name in names}
    if turn.choice.mode == "none" or not open_to_call:
        return []
    asked: list[Call] = []
    for match in _CALL.finditer(last_text(turn)):
        function = open_to_call.get(match["name"])
        if function is not None:
            asked.append(_call(function, match["arguments"]))
    if not asked and turn.choice.mode == "any":
        asked.append(_call(next(iter(open_to_call.values())), None))
    return asked


def _call(function: FunctionSpec, arguments: str | None) -> Call:
    if arguments is not None:
        return Call(name=function.name, arguments=_object(arguments))
    try:
        value: dict[str, Any] = smallest(function.parameters) if function.parameters else {}
    except NoInstance as error:
        raise Refused(f"No arguments for '{function.name}': {error}") from error
    return Call(name=function.name, arguments=value)


def _object(text: str) -> dict[str, Any]:
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise Refused(f"The arguments after `call` are no JSON object: {error}") from error


def _thought(turn: Turn) -> Thought | None:
    if turn.thinking_level is None and not turn.thinking_summaries:
        return None
    return Thought(summary=f"Thinking about: {last_text(turn)}")


def _limited(chunks: list[str], turn: Turn) -> tuple[list[str], End | None]:
    limit = turn.max_output_tokens
    end = None
    if limit is not None and len(chunks) > limit:
        chunks, end = chunks[:limit], End(reason="length")
    text = "".join(chunks)
    cuts = [at for stop in turn.stop_sequences if (at := text.find(stop)) >= 0]
    if cuts:
        return _WORD.findall(text[: min(cuts)]), End(reason="stop")
    return chunks, end
