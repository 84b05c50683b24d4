"""Steps of a conversation -> what the model reads."""

from __future__ import annotations

import base64
import binascii
from typing import Any, Literal

import msgspec

from interplay.contracts import shown
from interplay.contracts.failure import Refused
from interplay.contracts.remote_tools import framed, shown_name
from interplay.wire.steps import ModelOutputStep, Step, ThoughtStep, UserInputStep


class Said(msgspec.Struct):
    """One entry of the conversation."""

    by: Literal["user", "model", "data"]
    text: str
    """For data: what the call returned."""
    name: str = ""
    """For data: the function that was called."""
    arguments: dict[str, Any] = {}
    failed: bool = False

    @property
    def call(self) -> str:
        """The call behind the data, in a form the model has seen before."""
        return f"{self.name} {compact(self.arguments)}"


def conversation(steps: list[Step]) -> list[Said]:
    """The steps as this model can take them; thoughts are dropped.

    A result stands as data with the call that led to it. Raises Refused for what it cannot
    read, naming the step.
    """
    said: list[Said] = []
    calls: dict[str, tuple[str, dict[str, Any]]] = {}
    for index, step in enumerate(steps):
        if isinstance(step, ThoughtStep):
            continue
        if isinstance(step, UserInputStep | ModelOutputStep):
            by = "user" if isinstance(step, UserInputStep) else "model"
            parts = msgspec.to_builtins(step.content or [])
            if text := _text(parts, f"steps[{index}].content"):
                said.append(Said(by, text))
            continue
        fields: dict[str, Any] = msgspec.to_builtins(step)
        kind: str = fields["type"]
        if kind.endswith("_call"):
            name = fields.get("name") or kind.removesuffix("_call")
            if "server_name" in fields:
                name = shown_name(fields["server_name"], name)
            calls[fields["id"]] = name, fields.get("arguments") or {}
        else:
            name, arguments = calls.get(fields["call_id"], ("", {}))
            name = name or fields.get("name") or kind.removesuffix("_result")
            told = shown.read(fields.get("signature"), images=False)
            result = fields.get("result") if told is None else msgspec.to_builtins(told)
            text = _result(result, f"steps[{index}].result")
            if kind == "mcp_server_tool_result":
                text = framed(fields.get("server_name") or "", text)
            failed = bool(fields.get("is_error"))
            said.append(Said("data", text, name, arguments, failed))
    return said


def messages(
    said: list[Said], system: str | None, *, ask: str = "", prefix: str = ""
) -> list[dict[str, str]]:
    """The conversation as chat messages, roles in turn.

    What functions returned stands in the user's turn: as a message of its own these models take
    it for a request to call again. `ask` is added for the user, `prefix` is continued.
    """
    turns = [(entry.by == "model", _shown(entry)) for entry in said]
    if ask:
        turns.append((False, ask))
    if prefix:
        turns.append((True, prefix))
    shown: list[dict[str, str]] = [{"role": "system", "content": system}] if system else []
    for ours, text in turns:
        role = "assistant" if ours else "user"
        if shown and shown[-1]["role"] == role:
            shown[-1]["content"] += "\n\n" + text
        else:
            shown.append({"role": role, "content": text})
    return shown


def compact(value: Any) -> str:
    """JSON as the model is shown it."""
    return msgspec.json.encode(value).decode()


def _shown(entry: Said) -> str:
    if entry.by != "data":
        return entry.text
    what = "Error from" if entry.failed else "Data returned by"
    return f"[{what} function {entry.call}]\n{entry.text}"


def _result(result: Any, at: str) -> str:
    if isinstance(result, str):
        return result
    if isinstance(result, list) and any("type" in part for part in result if _is_dict(part)):  # pyright: ignore[reportUnknownVariableType]
        return _text(result, at)  # pyright: ignore[reportUnknownArgumentType]
    return compact({} if result is None else result)


def _is_dict(value: Any) -> bool:
    return isinstance(value, dict)


def _text(parts: list[dict[str, Any]], at: str) -> str:
    texts: list[str] = []
    for index, part in enumerate(parts):
        kind = part.get("type")
        if kind == "text":
            texts.append(part["text"])
        elif kind == "document" and (text := _plain(part)) is not None:
            texts.append(text)
        elif kind in ("image", "audio", "video", "document"):
            raise Refused(
                f"'{at}[{index}]' is {'an' if kind[0] in 'ai' else 'a'} {kind}, and this model"
                " reads text alone. Leave it out, or ask a model that takes it."
            )
        else:
            texts.append(compact(part))
    return "\n".join(texts)


def _plain(part: dict[str, Any]) -> str | None:
    """The text of a document that is text; None for one that is not."""
    mime = (part.get("mime_type") or "").partition(";")[0]
    if not part.get("data") or not (mime.startswith("text/") or mime == "application/json"):
        return None
    try:
        return base64.b64decode(part["data"], validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
