"""Steps -> the messages of a conversation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from interplay.contracts.failure import Refused
from interplay.contracts.remote_tools import framed
from interplay.plugins.models.anthropic.content import Blocks, Part, text
from interplay.plugins.models.anthropic.names import Ids, fitting
from interplay.plugins.models.remote import signature
from interplay.plugins.models.remote.steps import Results, called, place, tag, told
from interplay.wire.steps import ModelOutputStep, Step, ThoughtStep, UserInputStep

Message = dict[str, Any]

GO_ON = "Go on from exactly where your last words end."
"""Asked for where a conversation ends in the model's own words and these cannot be continued."""
BEGIN = "Here is what you said so far."
"""Stands before a conversation that begins with the model's words: the API begins with a user."""
_THOUGHTS = ("thinking", "redacted_thinking")


class Messages:
    """Writes the messages of one conversation, step by step: users and assistants in turn.

    Thoughts, texts and calls that follow each other become one assistant message; the results of
    its calls open the user message right after it, wherever they stand among the steps. Call and
    result steps of server tools are shown as tool uses and their results. Without `thoughts` the
    model's earlier thoughts are left out.
    """

    def __init__(
        self, steps: Sequence[Step], blocks: Blocks, origin: str, *, thoughts: bool
    ) -> None:
        self.messages: list[Message] = []
        self.called: set[str] = set()
        """Names of the functions that were called."""
        self._blocks, self._origin, self._thoughts = blocks, origin, thoughts
        self._calls: list[tuple[str, str]] = []
        self._ids = Ids()
        self._results = Results(steps)
        for number, step in enumerate(steps):
            self._add(number, step)
        self._close()

    def _add(self, number: int, step: Step) -> None:
        if isinstance(step, UserInputStep):
            self._close()
            self._say("user", self._blocks.parts(step.content or [], place(number, step)))
        elif isinstance(step, ModelOutputStep):
            self._output(number, step)
        elif isinstance(step, ThoughtStep):
            signed = signature.read(step.signature, self._origin)
            if signed is not None and self._thoughts:
                self._say("assistant", signed.details)
        elif tag(step).endswith("_call"):
            self._call(step)
        else:
            self._result(number, step)

    def _output(self, number: int, step: ModelOutputStep) -> None:
        parts = self._blocks.parts(step.content or [], place(number, step))
        texts = [part for part in parts if part["type"] == "text"]
        media = [part for part in parts if part["type"] != "text"]
        if texts and self._calls:
            self._close()
        self._say("assistant", texts)
        if media:  # the API takes no media as an assistant's words
            self._close()
            self._say("user", [{"type": "text", "text": "What you made:"}, *media])

    def _call(self, step: Any) -> None:
        id, name = self._ids.new(step.id), fitting(called(step))
        self._calls.append((step.id, id))
        self.called.add(name)
        arguments: Any = getattr(step, "arguments", None) or {}
        self._say("assistant", [{"type": "tool_use", "id": id, "name": name, "input": arguments}])

    def _result(self, number: int, step: Any) -> None:
        if any(step.call_id == id for id, _ in self._calls):
            self._close()
        if self._results.given(number):
            return
        self._close()
        note = f"Result of {called(step)}:"
        parts, failed = self._answer(number, step)
        self._say("user", [{"type": "text", "text": f"Error. {note}" if failed else note}, *parts])

    def _close(self) -> None:
        """Ends what the assistant says; the results of its calls follow it."""
        calls, self._calls = self._calls, []
        for original, id in calls:
            found = self._results.take(original)
            result: Part = {"type": "tool_result", "tool_use_id": id}
            if found is None:
                result["content"] = "No result was recorded for this call."
                result["is_error"] = True
            else:
                parts, failed = self._answer(*found)
                if parts:
                    result["content"] = parts
                if failed:
                    result["is_error"] = True
            self._say("user", [result])

    def _answer(self, number: int, step: Any) -> tuple[list[Part], bool]:
        """What a result holds, and whether it is an error."""
        result = told(step, self._blocks.inputs)
        if isinstance(result, str):
            words = text(result)
            parts = [words] if words is not None else []
        else:
            parts = self._blocks.parts(result, place(number, step))
        if tag(step) == "mcp_server_tool_result":
            for part in parts:
                if part["type"] == "text":
                    part["text"] = framed(step.server_name or "", part["text"])
        return parts, bool(getattr(step, "is_error", None))

    def _say(self, role: str, parts: Sequence[Part]) -> None:
        """Adds to the last message where it is of this role, else begins one."""
        if not parts:
            return
        last = self.messages[-1] if self.messages else None
        if last is not None and last["role"] == role:
            last["content"] += parts
        else:
            self.messages.append({"role": role, "content": [*parts]})

    @property
    def led(self) -> bool:
        """Whether the calls that are being answered now were begun with a thought, as models
        that think by a budget insist on."""
        if len(self.messages) < 2:
            return True
        answered = any(part["type"] == "tool_result" for part in self.messages[-1]["content"])
        return not answered or self.messages[-2]["content"][0]["type"] in _THOUGHTS

    def end(self, prefix: str) -> None:
        """Ends the conversation with the words the model is to go on from, or with a user.

        The words are given without the white space at their end, which the API refuses. Raises
        Refused where nothing was said.
        """
        words = text(prefix.rstrip())
        if not self.messages and words is None:
            raise Refused("The input has no text, and nothing else that this model could read.")
        if words is not None:
            self._say("assistant", [words])
        elif self.messages[-1]["role"] == "assistant":
            self._say("user", [{"type": "text", "text": GO_ON}])
        if self.messages[0]["role"] == "assistant":
            self.messages.insert(0, {"role": "user", "content": [{"type": "text", "text": BEGIN}]})
