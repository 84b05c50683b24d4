"""What a tool that the server itself executes promises."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any, ClassVar, Literal, Protocol

import msgspec

from interplay.contracts.model import FunctionSpec
from interplay.wire.deltas import DeltaData
from interplay.wire.steps import Step
from interplay.wire.tools import Function, ToolSearch
from interplay.wire.tools import Tool as Declaration


class ToolCall(msgspec.Struct, kw_only=True):
    """One call a model made of a function this tool offered."""

    id: str
    name: str
    arguments: dict[str, Any]


class Numbers:
    """Numbers for what a model can cite: none is given out twice in one conversation."""

    def __init__(self, last: int = 0) -> None:
        self._last = last

    def skip(self, last: int) -> None:
        """Numbers up to this one are in use."""
        self._last = max(self._last, last)

    def take(self) -> int:
        """The next number."""
        self._last += 1
        return self._last


class CallSite(msgspec.Struct, kw_only=True):
    """Where a call happens."""

    interaction_id: str
    owner: str
    declaration: Any
    """The entry of `tools` in the request that led to this call."""
    idempotency_key: str
    """The same when the call is made again after a crash."""
    timeout: float
    """Seconds the tool has."""
    argument_faults: list[str] = []
    """What is wrong with the arguments by the schema that was offered; a tool that hands them on
    refuses them with this."""
    deferred: Sequence[Function] = ()
    """The functions of the request that a model is not shown at first (`defer_loading`)."""
    numbers: Numbers = msgspec.field(default_factory=Numbers)
    """The conversation's own, for sources the model shall cite (see interplay.contracts.shown)."""


class Tool(Protocol):
    """One tool type. Registered in the entry-point group `interplay.tools`."""

    serves: ClassVar[str]
    """The `type` of the declarations it executes, e.g. `google_search`."""
    repeatable: ClassVar[bool]
    """A call caught in a crash may be made again without harm."""

    async def offer(self, declaration: Declaration) -> list[FunctionSpec]:
        """What the model is shown for one declaration.

        Raises interplay.contracts.failure.Failure when the declaration cannot be served.
        """
        ...

    def call(self, call: ToolCall, at: CallSite) -> AsyncIterator[Step | DeltaData]:
        """Executes one call and yields its own call and result steps, each as a bare step
        followed by the deltas that fill it.

        A failure inside is a result step with `is_error`; an exception is turned into one.
        """
        ...


class Offered(msgspec.Struct, kw_only=True):
    """What a client tool adds to a request."""

    functions: list[FunctionSpec]
    instruction: str = ""
    """What the model is told beside the caller's system instruction."""


class ClientTool(Protocol):
    """A tool type whose calls the caller answers, like those of its own functions: they come back
    as `function_call` steps, and the interaction waits for their results. Registered like Tool."""

    serves: ClassVar[str]
    """The `type` of the declarations it describes, e.g. `computer_use`."""
    answered_by: ClassVar[Literal["client"]]

    async def offer(self, declaration: Declaration, model: str) -> Offered:
        """What one declaration means for the model of this name; the name is empty where an agent
        chooses its models. Raises interplay.contracts.failure.Failure when the declaration cannot
        be served."""
        ...


class Finder(Tool, Protocol):
    """The tool type `tool_search`: a model finds functions by it that it is not shown at first.
    What it yields as a ToolSearchResultStep is shown to the model from then on."""

    async def offer_over(
        self, declaration: ToolSearch, deferred: Sequence[Function]
    ) -> FunctionSpec:
        """The function a model searches with, over these functions. The caller's own words in the
        declaration (name, description, parameters) come first: then the caller answers the calls.
        Raises as `offer`."""
        ...
