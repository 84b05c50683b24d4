"""ScriptedTool: a server tool that finds what the test wrote down."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence

from interplay.contracts.failure import Failure
from interplay.contracts.model import FunctionSpec
from interplay.contracts.tool import CallSite, ToolCall
from interplay.testing.gates import Gate, Gates
from interplay.testing.script import Fail, ScriptError
from interplay.wire.deltas import (
    CodeExecutionCallDelta,
    CodeExecutionResultDelta,
    DeltaData,
    GoogleSearchCallDelta,
    GoogleSearchResultDelta,
    MCPServerToolResultDelta,
    URLContextCallDelta,
    URLContextResultDelta,
)
from interplay.wire.steps import (
    CodeExecutionCallArguments,
    CodeExecutionCallStep,
    CodeExecutionResultStep,
    GoogleSearchCallArguments,
    GoogleSearchCallStep,
    GoogleSearchResult,
    GoogleSearchResultStep,
    MCPServerToolCallStep,
    MCPServerToolResultStep,
    Step,
    URLContextCallArguments,
    URLContextCallStep,
    URLContextResult,
    URLContextResultStep,
)
from interplay.wire.tools import Tool as Declaration

Made = Step | DeltaData
_ARGUMENT = {"google_search": "query", "url_context": "url", "code_execution": "code"}


class ScriptedTool:
    """A tool of any of four types: google_search, url_context, code_execution, mcp_server.

    `results` are texts, or Fail for a call that raises; `{"hold": "name"}` before a text waits at
    a gate. `calls` holds every call it was given; `verify()` as in ScriptedModel.
    """

    def __init__(
        self,
        serves: str = "google_search",
        results: Sequence[str | Fail | Failure | dict[str, str]] = (),
        *,
        repeatable: bool = False,
        offers: str | None = None,
    ) -> None:
        if serves not in _STEPS:
            raise ValueError(f"ScriptedTool serves {', '.join(sorted(_STEPS))}; not '{serves}'.")
        self.serves = serves
        self.repeatable = repeatable
        self.calls: list[tuple[ToolCall, CallSite]] = []
        self._offers = offers or serves
        self._left = list(results)
        self._beyond = 0
        self._gates = Gates()

    def gate(self, name: str) -> Gate:
        """The gate of this name."""
        return self._gates[name]

    def verify(self) -> None:
        """Raises ScriptError when results and calls do not match up."""
        if self._beyond:
            raise ScriptError(f"{self._beyond} calls came after the last scripted result.")
        if self._left:
            raise ScriptError(f"{len(self._left)} scripted results were not used.")

    async def offer(self, declaration: Declaration) -> list[FunctionSpec]:
        """One function, named like the type, with one text argument."""
        argument = _ARGUMENT.get(self.serves, "text")
        parameters = {
            "type": "object",
            "properties": {argument: {"type": "string"}},
            "required": [argument],
        }
        return [FunctionSpec(name=self._offers, description="Scripted.", parameters=parameters)]

    async def call(self, call: ToolCall, at: CallSite) -> AsyncIterator[Made]:
        """The call step, then the next result; raises ScriptError when there is none."""
        self.calls.append((call, at))
        asked, found = _STEPS[self.serves]
        for piece in asked(call):
            yield piece
        while self._left and isinstance(self._left[0], dict):
            hold = self._left.pop(0)
            assert isinstance(hold, dict)
            await self._gates[hold["hold"]].passing()
        if not self._left:
            self._beyond += 1
            raise ScriptError(f"The scripted {self.serves} has no result left.")
        result = self._left.pop(0)
        if isinstance(result, Fail):
            raise result.failure()
        if isinstance(result, Failure):
            raise result
        assert isinstance(result, str)
        for piece in found(call, result):
            yield piece


def _text(call: ToolCall) -> str:
    return str(next(iter(call.arguments.values()), ""))


def _search_call(call: ToolCall) -> list[Made]:
    bare = GoogleSearchCallStep(GoogleSearchCallArguments(), id=call.id)
    return [bare, GoogleSearchCallDelta(GoogleSearchCallArguments(queries=[_text(call)]))]


def _search_result(call: ToolCall, text: str) -> list[Made]:
    found = [GoogleSearchResult(search_suggestions=text)]
    return [GoogleSearchResultStep(call.id, []), GoogleSearchResultDelta(found, is_error=False)]


def _url_call(call: ToolCall) -> list[Made]:
    bare = URLContextCallStep(URLContextCallArguments(), id=call.id)
    return [bare, URLContextCallDelta(URLContextCallArguments(urls=[_text(call)]))]


def _url_result(call: ToolCall, text: str) -> list[Made]:
    found = [URLContextResult(status="success", url=text)]
    return [URLContextResultStep(call.id, []), URLContextResultDelta(found, is_error=False)]


def _code_call(call: ToolCall) -> list[Made]:
    bare = CodeExecutionCallStep(CodeExecutionCallArguments(), id=call.id)
    code = CodeExecutionCallArguments(code=_text(call), language="python")
    return [bare, CodeExecutionCallDelta(code)]


def _code_result(call: ToolCall, text: str) -> list[Made]:
    return [CodeExecutionResultStep(call.id, ""), CodeExecutionResultDelta(text, is_error=False)]


def _mcp_call(call: ToolCall) -> list[Made]:
    return [MCPServerToolCallStep(call.arguments, call.id, call.name, "scripted")]


def _mcp_result(call: ToolCall, text: str) -> list[Made]:
    bare = MCPServerToolResultStep(call.id, "", name=call.name, server_name="scripted")
    return [bare, MCPServerToolResultDelta(text, name=call.name, server_name="scripted")]


_STEPS: dict[
    str, tuple[Callable[[ToolCall], list[Made]], Callable[[ToolCall, str], list[Made]]]
] = {
    "google_search": (_search_call, _search_result),
    "url_context": (_url_call, _url_result),
    "code_execution": (_code_call, _code_result),
    "mcp_server": (_mcp_call, _mcp_result),
}
