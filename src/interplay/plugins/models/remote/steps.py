"""What backends read off steps the same way, whatever messages they make of them."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from functools import cache
from typing import Any

import msgspec

from interplay.contracts import shown
from interplay.contracts.remote_tools import shown_name
from interplay.plugins.models.remote.content import Block
from interplay.wire.steps import Step
from interplay.wire.usage import Modality

_WITH_CONTENT = ("function_result", "mcp_server_tool_result", "code_execution_result")


class Results:
    """The results of a conversation by the calls they answer, in order."""

    def __init__(self, steps: Sequence[Step]) -> None:
        self._waiting: dict[str, deque[tuple[int, Any]]] = {}
        self._given: set[int] = set()
        for number, step in enumerate(steps):
            if tag(step).endswith("_result"):
                result: Any = step
                self._waiting.setdefault(result.call_id, deque()).append((number, result))

    def take(self, call_id: str) -> tuple[int, Any] | None:
        """The place and the step of a call's result, which then has been given; None when there
        is none."""
        waiting = self._waiting.get(call_id)
        if not waiting:
            return None
        number, step = waiting.popleft()
        self._given.add(number)
        return number, step

    def given(self, number: int) -> bool:
        """Whether the result at this place has been given."""
        return number in self._given


@cache
def _tag_of(kind: type[Any]) -> str:
    return kind.__struct_config__.tag


def tag(step: Step) -> str:
    """A step's type on the wire."""
    return _tag_of(type(step))


def place(number: int, step: Step) -> str:
    """A step as a refusal names it."""
    return f"Step {number + 1} of the conversation ({tag(step)})"


def called(step: Any) -> str:
    """The function's name of a call or result; a server tool's is its type."""
    name: str | None = getattr(step, "name", None)
    if name and getattr(step, "server_name", None):
        return shown_name(step.server_name, name)
    return name or tag(step).removesuffix("_call").removesuffix("_result")


def told(step: Any, inputs: frozenset[Modality]) -> str | Sequence[Block]:
    """What a model is told of a result: a text, or blocks."""
    result: Any = getattr(step, "result", None)
    blocks = shown.read(getattr(step, "signature", None), images="image" in inputs)
    if blocks is not None:
        return blocks
    if isinstance(result, str):
        return result
    if isinstance(result, list) and tag(step) in _WITH_CONTENT:
        return result  # pyright: ignore[reportUnknownVariableType]
    return "Done." if result is None else msgspec.json.encode(result).decode()
