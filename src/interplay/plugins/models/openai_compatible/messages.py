"""Steps -> the messages of a chat."""

from __future__ import annotations

import hashlib
from base64 import b32encode
from collections.abc import Sequence
from typing import Any

import msgspec

from interplay.contracts.remote_tools import framed
from interplay.plugins.models.openai_compatible.config import Dialect
from interplay.plugins.models.openai_compatible.content import (
    Blocks,
    Part,
    folded,
    media_of,
    text_of,
)
from interplay.plugins.models.remote import signature
from interplay.plugins.models.remote.content import plain
from interplay.plugins.models.remote.steps import Results, called, place, tag, told
from interplay.wire.steps import ModelOutputStep, Step, ThoughtStep, UserInputStep

Message = dict[str, Any]


class Messages:
    """Writes the messages of one conversation, step by step.

    Text and calls that follow each other become one assistant message; the results of its calls
    come right after it, wherever they stand among the steps, as servers insist on. Call and
    result steps of server tools are shown as function calls and results.
    """

    def __init__(self, steps: Sequence[Step], dialect: Dialect, blocks: Blocks, origin: str):
        self.messages: list[Message] = []
        self._dialect, self._blocks, self._origin = dialect, blocks, origin
        self._said: Message | None = None
        self._thought: signature.Signed | None = None
        self._calls: list[tuple[str, str, str]] = []
        self._ids: set[str] = set()
        self._results = Results(steps)
        for number, step in enumerate(steps):
            self._add(number, step)
        self._close()

    def _add(self, number: int, step: Step) -> None:
        if isinstance(step, UserInputStep):
            self._close()
            text = plain(step.content)
            if text is not None:
                self.messages.append({"role": "user", "content": text})
                return
            parts = self._blocks.parts(step.content or [], place(number, step))
            if parts:
                self.messages.append({"role": "user", "content": folded(parts)})
        elif isinstance(step, ModelOutputStep):
            self._output(number, step)
        elif isinstance(step, ThoughtStep):
            if self._dialect.reasoning_back != "no":
                self._thought = signature.read(step.signature, self._origin) or self._thought
        elif tag(step).endswith("_call"):
            self._call(step)
        else:
            self._result(number, step)

    def _output(self, number: int, step: ModelOutputStep) -> None:
        text, media = plain(step.content), []
        if text is None:
            parts = self._blocks.parts(step.content or [], place(number, step))
            text, media = text_of(parts), media_of(parts)
        if text:
            if self._calls:
                self._close()
            said = self._open()
            said["content"] = f"{said['content']}\n{text}" if said["content"] else text
        if media:  # no server takes media as an assistant's words
            self._close()
            note: Part = {"type": "text", "text": "What you made:"}
            self.messages.append({"role": "user", "content": [note, *media]})

    def _open(self) -> Message:
        if self._said is None:
            self._said = {"role": "assistant", "content": None}
            self.messages.append(self._said)
        thought, self._thought = self._thought, None
        if thought is not None and self._dialect.reasoning_back == "text" and thought.text:
            field = self._dialect.reasoning_fields[0]
            self._said[field] = self._said.get(field, "") + thought.text
        elif thought is not None and thought.details:
            self._said.setdefault("reasoning_details", []).extend(thought.details)
        return self._said

    def _call(self, step: Any) -> None:
        id = self._fresh_id(step.id)
        name = called(step)
        self._calls.append((step.id, id, name))
        arguments = msgspec.json.encode(getattr(step, "arguments", None) or {}).decode()
        call = {"id": id, "type": "function", "function": {"name": name, "arguments": arguments}}
        self._open().setdefault("tool_calls", []).append(call)

    def _fresh_id(self, id: str) -> str:
        """The id as the server may see it; the same one twice would mix up two results."""
        length = self._dialect.call_id_length
        unique, again = id, 1
        while unique in self._ids:
            again += 1
            unique = f"{id}_{again}"
        self._ids.add(unique)
        if length is None:
            return unique
        return b32encode(hashlib.blake2b(unique.encode()).digest()).decode().lower()[:length]

    def _result(self, number: int, step: Any) -> None:
        if any(step.call_id == id for id, _, _ in self._calls):
            self._close()
        if self._results.given(number):
            return
        self._close()
        text, media = self._answer(step, place(number, step))
        name = called(step)
        note: Part = {"type": "text", "text": f"Result of {name}: {text}"}
        self.messages.append({"role": "user", "content": folded([note, *media])})

    def _close(self) -> None:
        """Ends the assistant message that is open; the results of its calls follow it."""
        self._said = None
        if not self._calls:
            return
        calls, self._calls = self._calls, []
        seen: list[Part] = []
        for original, id, name in calls:
            found = self._results.take(original)
            if found is None:
                text = "Error: no result was recorded for this call."
            else:
                number, step = found
                text, media = self._answer(step, place(number, step))
                if media:
                    seen += [{"type": "text", "text": f"From the result of {name}:"}, *media]
            self.messages.append({"role": "tool", "tool_call_id": id, "content": text})
        if seen:
            self.messages.append({"role": "user", "content": seen})

    def _answer(self, step: Any, where: str) -> tuple[str, list[Part]]:
        """A result as text, and the media in it."""
        media: list[Part] = []
        result = told(step, self._blocks.inputs)
        if isinstance(result, str):
            text = result
        else:
            parts = self._blocks.parts(result, where)
            text, media = text_of(parts), media_of(parts)
        if getattr(step, "is_error", None):
            text = f"Error: {text}"
        if tag(step) == "mcp_server_tool_result":
            text = framed(step.server_name or "", text)
        return text, media

    def prefill(self, prefix: str) -> None:
        """Ends the messages with the words the model is to go on from."""
        last = self.messages[-1] if self.messages else None
        if last is None or last["role"] != "assistant":
            last = {"role": "assistant", "content": None}
            self.messages.append(last)
        last["content"] = (last["content"] or "") + prefix
        last.update(self._dialect.prefill_message)
