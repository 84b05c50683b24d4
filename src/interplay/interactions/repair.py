"""Calls that cannot be made as the model wrote them.

What a client was shown is never taken back: such a call stays in the journal as it was written,
with a result behind it that says what is wrong, and the model is asked again. When its next turn
has such a call too, the interaction fails. Calls beside it are made as usual.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence

import msgspec

from interplay.contracts.tool import ToolCall
from interplay.interactions.failures import GenerationFault
from interplay.interactions.toolbox import Toolbox
from interplay.wire.steps import FunctionCallStep, FunctionResultStep, Step

_NEAR = 3
_LISTED = 20


class Misfit(msgspec.Struct):
    """A call that cannot be made; `code` is the API's, should it come again."""

    call: FunctionCallStep
    code: str
    message: str

    def failed(self) -> GenerationFault:
        """The end of an interaction whose model was told and did not put it right."""
        return GenerationFault(self.code, self.message)


def misfit(call: FunctionCallStep, toolbox: Toolbox, malformed: str | None) -> Misfit | None:
    """Why a call of the caller's functions cannot be made; None when it can. `malformed` is what
    is wrong with its arguments as JSON."""
    if call.name not in toolbox.functions:
        return Misfit(call, "unexpected_tool_call", _unknown(call.name, toolbox))
    toolbox.deferred.show(call.name)  # called by its name alone: from now on with its schema
    if malformed is not None:
        return Misfit(call, "malformed_function_call", malformed)
    if faults := toolbox.argument_faults(call.name, call.arguments):
        return Misfit(call, "malformed_function_call", unfit(call.name, faults))
    return None


def unfit(name: str, faults: list[str]) -> str:
    """What a model is told of arguments that do not fit."""
    return f"The arguments for '{name}' do not fit its schema: {'; '.join(faults)}"


def _unknown(name: str, toolbox: Toolbox) -> str:
    known = sorted({*toolbox.functions, *toolbox.served})
    near = difflib.get_close_matches(name, known, n=_NEAR, cutoff=0.5)
    hint = " Did you mean {}?".format(" or ".join(f"'{n}'" for n in near)) if near else ""
    listed = ", ".join(known[:_LISTED]) or "none"
    more = f" and {len(known) - _LISTED} more" if len(known) > _LISTED else ""
    what = f"The model called '{name[:80]}', which was not declared."
    return f"{what}{hint} Declared: {listed}{more}."


def called(step: FunctionCallStep, text: str, toolbox: Toolbox) -> ToolCall | Misfit:
    """The call of a served tool with its arguments, put right where nothing is lost."""
    try:
        arguments = msgspec.json.decode(text) if text.strip() else step.arguments
    except (msgspec.DecodeError, RecursionError) as error:
        message = f"The arguments for '{step.name}' are not JSON: {error}"
        return Misfit(step, "malformed_tool_call", message)
    if not isinstance(arguments, dict):
        message = f"The arguments for '{step.name}' are not a JSON object."
        return Misfit(step, "malformed_tool_call", message)
    return toolbox.fitted(ToolCall(id=step.id, name=step.name, arguments=arguments))  # pyright: ignore


def answered(steps: Sequence[Step]) -> set[str]:
    """The ids of calls that have their result among these steps."""
    return {step.call_id for step in steps if isinstance(step, FunctionResultStep)}


def refused(calls: Sequence[ToolCall], steps: Sequence[Step], toolbox: Toolbox) -> Misfit | None:
    """The first call of a served tool that its tool refused, its arguments being what they are."""
    failed = {
        getattr(step, "call_id", "") for step in steps if getattr(step, "is_error", None) is True
    }
    for call in calls:
        if call.id in failed:
            faults = toolbox.argument_faults(call.name, call.arguments)
            if faults:
                step = FunctionCallStep(call.arguments, call.id, call.name)
                return Misfit(step, "malformed_tool_call", unfit(call.name, faults))
    return None
