"""What a stream of events has told so far: id, status, text, calls, faults."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from interplay.cli.plain import fields, objects

GOOD = frozenset({"completed", "requires_action", "requires_continuation"})
"""Final statuses that are no failure."""
ENDED = GOOD | {"incomplete", "failed", "cancelled", "budget_exceeded"}


class Call(NamedTuple):
    """A function the caller is asked to run."""

    id: str
    name: str
    arguments: dict[str, Any]


class Reading:
    """Events in, facts out; a step that starts again replaces what it was before."""

    def __init__(self) -> None:
        self.id: str | None = None
        self.status: str | None = None
        self.model: str | None = None
        self.last_event_id: str | None = None
        self.usage: dict[str, Any] = {}
        self.faults: list[str] = []
        self._steps: dict[int, dict[str, Any]] = {}
        self._written: dict[int, list[str]] = {}

    def take(self, event: dict[str, Any]) -> None:
        """Adds one event; kinds nobody knows are passed over."""
        self.last_event_id = event.get("event_id") or self.last_event_id
        match event.get("event_type"):
            case "interaction.created" | "interaction.completed":
                self._take_head(fields(event.get("interaction")))
            case "interaction.status_update":
                self.id = event.get("interaction_id") or self.id
                self.status = event.get("status") or self.status
            case "step.start":
                step = fields(event.get("step"))
                self._steps[event.get("index", 0)] = step
                self._written[event.get("index", 0)] = _texts(step)
            case "step.delta":
                self._take_delta(event.get("index", 0), fields(event.get("delta")))
            case "error":
                self._take_error(fields(event.get("error")))
            case _:
                pass

    @property
    def ended(self) -> bool:
        """Whether the status is final."""
        return self.status in ENDED

    @property
    def text(self) -> str:
        """The text of every model_output, in order."""
        return "".join(
            "".join(self._written[index])
            for index, step in sorted(self._steps.items())
            if step.get("type") == "model_output"
        )

    @property
    def calls(self) -> list[Call]:
        """Function calls that have no result yet, in order."""
        answered = {
            step.get("call_id")
            for step in self._steps.values()
            if step.get("type") == "function_result"
        }
        return [
            Call(step.get("id", ""), step.get("name", ""), self._arguments(index))
            for index, step in sorted(self._steps.items())
            if step.get("type") == "function_call" and step.get("id") not in answered
        ]

    def kind(self, index: int) -> str:
        """The type of a step that has started."""
        return str(self._steps.get(index, {}).get("type", ""))

    def step(self, index: int) -> dict[str, Any]:
        """A step as it started."""
        return self._steps.get(index, {})

    def written(self, index: int) -> str:
        """What the deltas of a step have written: its text, or the JSON of its arguments."""
        return "".join(self._written.get(index, ()))

    def _take_head(self, head: dict[str, Any]) -> None:
        self.id = head.get("id") or self.id
        self.status = head.get("status") or self.status
        self.model = head.get("model") or head.get("agent") or self.model
        self.usage = head.get("usage") or self.usage

    def _take_delta(self, index: int, delta: dict[str, Any]) -> None:
        written = self._written.setdefault(index, [])
        match delta.get("type"):
            case "text":
                written.append(delta.get("text") or "")
            case "thought_summary":
                written.append(fields(delta.get("content")).get("text") or "")
            case "arguments_delta":
                written.append(delta.get("arguments") or "")
            case _:
                pass

    def _take_error(self, error: dict[str, Any]) -> None:
        if error.get("message") or error.get("code"):
            self.faults.append(fault_line(error))

    def _arguments(self, index: int) -> dict[str, Any]:
        written = self.written(index)
        try:
            return fields(json.loads(written) if written else self.step(index).get("arguments"))
        except ValueError:
            return {"": written}


def fault_line(error: dict[str, Any]) -> str:
    """An entry of `errors[]`, or of an error event, as one line."""
    message, code = str(error.get("message") or ""), str(error.get("code") or "")
    return f"{message} [{code}]" if message and code else message or code


def _texts(step: dict[str, Any]) -> list[str]:
    """Text a step brings along when it starts, as replayed input does."""
    return [str(block.get("text")) for block in objects(step.get("content")) if block.get("text")]
