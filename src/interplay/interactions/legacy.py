"""The `outputs` schema of the first SDKs, as a view of the one stored form."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import msgspec

from interplay.wire.content import TextContent
from interplay.wire.deltas import (
    ArgumentsDelta,
    AudioDelta,
    DocumentDelta,
    ImageDelta,
    TextAnnotationDelta,
    TextDelta,
    ThoughtSignatureDelta,
    ThoughtSummaryDelta,
    VideoDelta,
)
from interplay.wire.events import (
    ErrorEvent,
    Event,
    InteractionCompletedEvent,
    InteractionCreatedEvent,
    InteractionHead,
    InteractionStatusUpdate,
    StepDelta,
    StepStart,
)
from interplay.wire.steps import (
    FunctionCallStep,
    ModelOutputStep,
    Step,
    ThoughtStep,
)

STEPS_SINCE = "2026-05-20"
"""Revisions before this one mean the `outputs` schema."""

_STEPS_SINCE = STEPS_SINCE.encode()
_HINTS = frozenset({b"x-goog-api-client", b"user-agent", b"api-revision"})
_STEPS_CLIENTS = (b"google-genai-sdk/", b"google-adk/", b"GeminiNextGenAPIClient/", b"genkit-")
_STATUS = {
    "queued": "in_progress",
    "budget_exceeded": "incomplete",
    "requires_continuation": "incomplete",
}
_UNSHOWN = frozenset(
    {"retrieval_call", "retrieval_result", "processing_call", "processing_result"}
    | {"tool_search_call", "tool_search_result"}
)
"""Steps the `outputs` schema never had: an old SDK cannot even read their `type` in a stream."""
_MODEL_SIDE = frozenset({"model_output", "thought"})
_MEDIA = (ImageDelta, AudioDelta, DocumentDelta, VideoDelta)
_NUMBER = re.compile(r"[0-9]{1,4}$")
_encode = msgspec.json.Encoder().encode

Frame = tuple[str, bytes]
"""The name of a server-sent event and its JSON."""


def wants_outputs(headers: Iterable[tuple[bytes, bytes]], default_revision: str) -> bool:
    """Whether a request is of the `outputs` schema; header names are in lower case.

    `Api-Revision` decides, then what the SDK says of itself (a 1.x SDK sends two user agents,
    each is looked at), then `default_revision`.
    """
    outputs_by_default = default_revision < STEPS_SINCE
    old = newer = False
    for name, value in headers:
        if name not in _HINTS:
            continue
        if name != b"api-revision":
            if b"google-genai-sdk/1." in value or b"GeminiNextGenAPIClient/Python 1." in value:
                old = True
            elif outputs_by_default and any(mark in value for mark in _STEPS_CLIENTS):
                newer = True
        elif len(value) == 10 and value[4:5] == value[7:8] == b"-":
            return value < _STEPS_SINCE
    return old or (outputs_by_default and not newer)


def interaction_view(
    body: dict[str, Any], *, include_input: bool, input_steps: int | None = None
) -> dict[str, Any]:
    """An interaction in the `outputs` schema, from its JSON in the current one.

    `input_steps` says how many of the leading steps are the caller's input. Without it the input
    ends with the last step that only a caller can have written, which is right unless a history
    sent as input ends with a function result.
    """
    view = {key: value for key, value in body.items() if key not in ("steps", "input")}
    view["status"] = _STATUS.get(body.get("status", ""), body.get("status"))
    if body.get("usage"):
        view["usage"] = _usage(body["usage"])
    view["role"] = "model"
    steps: list[dict[str, Any]] = body.get("steps") or []
    at = _input_end(steps) if input_steps is None else input_steps
    if "steps" in body:
        view["outputs"] = _contents(steps[at:])
    if include_input and steps[:at]:
        view["input"] = _turns(steps[:at])
    return view


def with_outputs(body: dict[str, Any], *, input_steps: int | None = None) -> dict[str, Any]:
    """An interaction's JSON with `outputs` beside `steps`; `input_steps` as in interaction_view."""
    steps: list[dict[str, Any]] | None = body.get("steps")
    if steps is None:
        return body
    at = _input_end(steps) if input_steps is None else input_steps
    return {**body, "outputs": _contents(steps[at:])}


def _input_end(steps: list[dict[str, Any]]) -> int:
    """Where the input ends: after the last user_input, or the last result of a call that was
    made before these steps."""
    end = 0
    calls: set[Any] = set()
    for number, step in enumerate(steps):
        if step["type"] == "user_input":
            end = number + 1
        elif step["type"] == "function_call":
            calls.add(step["id"])
        elif step["type"] == "function_result" and step["call_id"] not in calls:
            end = number + 1
    return end


def _usage(usage: dict[str, Any]) -> dict[str, Any]:
    if "total_thought_tokens" not in usage:
        return usage
    return {**usage, "total_reasoning_tokens": usage["total_thought_tokens"]}


def _contents(steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    contents: list[dict[str, Any]] = []
    for step in steps:
        if step["type"] in ("model_output", "user_input"):
            blocks: list[dict[str, Any]] = step.get("content") or []
            contents += [_content(block) for block in blocks]
        elif step["type"] not in _UNSHOWN:
            contents.append(_content(step))
    return contents


def _turns(steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Input as contents; as turns where it holds words of the model."""
    if not any(step["type"] in _MODEL_SIDE or step["type"].endswith("_call") for step in steps):
        return _contents(steps)
    turns: list[dict[str, Any]] = []
    for step in steps:
        role = "user" if step["type"] in ("user_input", "function_result") else "model"
        if not turns or turns[-1]["role"] != role:
            turns.append({"role": role, "content": []})
        turns[-1]["content"] += _contents([step])
    return turns


def _content(block: dict[str, Any]) -> dict[str, Any]:
    """A content or step with the names of fields the first SDKs know beside today's."""
    kind = block["type"]
    if kind == "text" and block.get("annotations"):
        return {**block, "annotations": [_cited(entry) for entry in block["annotations"]]}
    if kind == "google_search_result":
        hits: list[dict[str, Any]] = block.get("result") or []
        return {**block, "result": [_hit(hit) for hit in hits]}
    if kind == "file_search_result":
        return {**block, "result": block.get("result") or []}
    if kind == "code_execution_result" and isinstance(block.get("result"), list):
        return {**block, "result": "".join(part.get("text", "") for part in block["result"])}
    return block


def _cited(annotation: dict[str, Any]) -> dict[str, Any]:
    return {**annotation, "source": annotation["url"]} if "url" in annotation else annotation


def _hit(hit: dict[str, Any]) -> dict[str, Any]:
    if "search_suggestions" not in hit:
        return hit
    return {**hit, "rendered_content": hit["search_suggestions"]}


def plain_event_id(last_event_id: str) -> str:
    """The journal's event id inside an id of an `outputs` stream."""
    return last_event_id.partition("~")[0]


class OutputsStream:
    """The events of one stream in the `outputs` schema.

    Contents are counted, not steps, and fragments of arguments are joined, so it must see an
    interaction's events from the first one on, in order. `after` is the id the client resumes
    after: nothing comes out up to and with that frame. Where one event makes several frames, all
    but the last carry the event's id and "~" with their number: each frame can be resumed after,
    and nothing is lost or doubled.
    """

    def __init__(self, after: str | None = None) -> None:
        self._after: str | None = None
        self._seen = ""
        if after is not None:
            self._after, _, self._seen = after.partition("~")
        self._index = -1
        self._open = ""
        self._step: Step | None = None
        self._shown = True
        self._filled = False
        self._arguments: list[str] = []

    def frames(self, event: Event) -> list[Frame]:
        """The frames one event makes; often one, sometimes none."""
        bodies = list(self._bodies(event))
        event_id = event.event_id
        if event_id is not None and bodies:
            for number, body in enumerate(bodies[:-1]):
                body["event_id"] = f"{event_id}~{number}"
            bodies[-1]["event_id"] = event_id
        if self._after is not None:
            if self._after != event_id:
                return []
            self._after = None
            seen = int(self._seen) + 1 if _NUMBER.match(self._seen) else len(bodies)
            bodies = bodies[seen:]
        return [(body["event_type"], _encode(body)) for body in bodies]

    def _bodies(self, event: Event) -> Iterable[dict[str, Any]]:
        match event:
            case StepDelta():
                return self._delta(event.delta)
            case StepStart():
                return self._start(event.step)
            case InteractionCreatedEvent():
                return [
                    {"event_type": "interaction.start", "interaction": _head(event.interaction)}
                ]
            case InteractionCompletedEvent():
                head = {**_head(event.interaction), "role": "model"}
                return [{"event_type": "interaction.complete", "interaction": head}]
            case InteractionStatusUpdate():
                update: dict[str, Any] = msgspec.to_builtins(event)
                if event.usage is not None:
                    update["usage"] = _usage(update["usage"])
                return [{**update, "status": _STATUS.get(event.status, event.status)}]
            case ErrorEvent():
                return [msgspec.to_builtins(event)]
            case _:
                return self._stop()

    def _start(self, step: Step) -> list[dict[str, Any]]:
        self._step, self._filled, self._arguments = step, False, []
        self._shown = _shown(step)
        if not self._shown:
            return []
        if isinstance(step, ModelOutputStep):
            return [body for block in step.content or [] for body in self._whole(block)]
        kind = str(step.__struct_config__.tag)
        bodies = self._begin(kind)
        if isinstance(step, ThoughtStep):
            bodies += [self._data(ThoughtSummaryDelta(block)) for block in step.summary or []]
            if step.signature:
                bodies.append(self._data(ThoughtSignatureDelta(step.signature)))
        return bodies

    def _whole(self, block: Any) -> list[dict[str, Any]]:
        """A content that `step.start` carried."""
        bodies = self._begin(str(block.__struct_config__.tag))
        if not isinstance(block, TextContent):
            return [*bodies, self._data(block)]
        bodies.append(self._data(TextDelta(block.text)))
        if block.annotations:
            bodies.append(self._data(TextAnnotationDelta(block.annotations)))
            self._open = "cited"
        return bodies

    def _delta(self, delta: Any) -> list[dict[str, Any]]:
        step = self._step
        if not self._shown:
            return []
        if isinstance(delta, TextDelta):
            return [*(self._begin("text") if self._open != "text" else ()), self._data(delta)]
        if isinstance(delta, TextAnnotationDelta):
            bodies = self._begin("text") if self._open not in ("text", "cited") else []
            self._open = "cited"
            return [*bodies, self._data(delta)]
        if isinstance(delta, _MEDIA):
            return [*self._begin(str(delta.__struct_config__.tag)), self._data(delta)]
        if isinstance(delta, ThoughtSummaryDelta | ThoughtSignatureDelta):
            return [self._data(delta)]
        self._filled = True
        if isinstance(delta, ArgumentsDelta):
            self._arguments.append(delta.arguments or "")
            return []
        # A typed delta has no id of its own; the first SDKs need it there.
        return [self._data_of({**msgspec.to_builtins(step), **msgspec.to_builtins(delta)})]

    def _stop(self) -> list[dict[str, Any]]:
        step, self._step = self._step, None
        bodies: list[dict[str, Any]] = []
        if isinstance(step, FunctionCallStep) and self._filled:
            bodies.append(self._data_of({**msgspec.to_builtins(step), "arguments": self._joined()}))
        elif self._shown and not (self._filled or isinstance(step, ModelOutputStep | ThoughtStep)):
            bodies.append(self._data_of(msgspec.to_builtins(step)))
        return bodies + self._end()

    def _joined(self) -> dict[str, Any]:
        """The arguments of a call; none where the model's own are not a JSON object."""
        try:
            return msgspec.json.decode("".join(self._arguments), type=dict[str, Any])
        except msgspec.DecodeError:
            return {}

    def _begin(self, kind: str) -> list[dict[str, Any]]:
        bodies = self._end()
        self._index += 1
        self._open = kind
        start = {"event_type": "content.start", "index": self._index, "content": {"type": kind}}
        return [*bodies, start]

    def _end(self) -> list[dict[str, Any]]:
        if not self._open:
            return []
        self._open = ""
        return [{"event_type": "content.stop", "index": self._index}]

    def _data(self, delta: Any) -> dict[str, Any]:
        return self._data_of(msgspec.to_builtins(delta))

    def _data_of(self, delta: dict[str, Any]) -> dict[str, Any]:
        if delta["type"] == "text_annotation_delta":
            cited: list[dict[str, Any]] = delta.get("annotations") or []
            cited = [_cited(annotation) for annotation in cited]
            # The first clients take a type they do not know for a text without any.
            delta = {"type": "text", "text": "", "annotations": cited}
        return {"event_type": "content.delta", "index": self._index, "delta": _content(delta)}


def _shown(step: Step) -> bool:
    tag = step.__struct_config__.tag
    return tag != "user_input" and tag not in _UNSHOWN


def _head(head: InteractionHead) -> dict[str, Any]:
    view = interaction_view(msgspec.to_builtins(head), include_input=False)
    del view["role"]
    return view
