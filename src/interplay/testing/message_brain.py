"""What a double of the Messages API answers: what it was told to, or made from the request."""

from __future__ import annotations

import json
import re
from typing import Any, Literal

import msgspec

from interplay.testing.message_rules import Object, thinks
from interplay.testing.smallest import smallest

_CALL = re.compile(r"^\s*call\s+([\w-]+)\s*(\{.*\})?\s*$", re.MULTILINE)
_WORD = re.compile(r"\s*\S+\s*$|\s*\S+")
_TOLD_SCHEMA = "schema: "
_TOLD_TO_CALL = "calling at least one of the functions"


class Said(msgspec.Struct, kw_only=True):
    """One answer. With a `status` other than 200 it is an error of the type `error`, and `text` is
    its message."""

    text: str = ""
    thought: str | None = None
    redacted: str = ""
    """The data of a redacted thought after it."""
    calls: list[tuple[str, Object]] = []
    stop_reason: str = "end_turn"
    stop_details: Object | None = None
    breaks_after: int | None = None
    """So many pieces of text are sent, then the answer breaks off as `breaks` says."""
    breaks: Literal["cut", "stall", "error"] = "cut"
    status: int = 200
    error: str = "api_error"
    headers: dict[str, str] = {}


def counted(block: Object) -> int:
    """The tokens of a block: its words."""
    return len(json.dumps(block, ensure_ascii=False).split())


def answered(body: Object) -> Said:
    """The answer to a request, made from it alone.

    `call NAME {json}` on a line of the last user calls that function; several lines are parallel
    calls. Under a schema the answer is its smallest instance, after results it repeats them, else
    it repeats the last user. It goes on from a prefill. It thinks when it is asked how deep.
    """
    last = _last_user(body)
    thought = f"Thinking about: {_texts(last)}" if _deep(body) else None
    calls = _calls(body, last)
    if calls:
        return Said(thought=thought, calls=calls, stop_reason="tool_use")
    text, reason = _limited(_continued(body, _text(body, last)), body)
    return Said(text=text, thought=thought, stop_reason=reason)


def _last_user(body: Object) -> list[Object]:
    users = [message["content"] for message in body["messages"] if message["role"] == "user"]
    return users[-1]


def _texts(blocks: list[Object]) -> str:
    told = [block["text"] if block["type"] == "text" else f"[{block['type']}]" for block in blocks]
    return " ".join(told)


def _deep(body: Object) -> bool:
    asked: Object = body.get("thinking", {})
    config: Object = body.get("output_config", {})
    return thinks(body) and bool({"budget_tokens", "display"} & asked.keys() or "effort" in config)


def _calls(body: Object, last: list[Object]) -> list[tuple[str, Object]]:
    tools: dict[str, Object] = {tool["name"]: tool for tool in body.get("tools", [])}
    choice: Object = body.get("tool_choice", {"type": "auto"})
    if choice["type"] == "none" or not tools or last[0]["type"] == "tool_result":
        return []
    asked = [
        (match[1], json.loads(match[2] or "{}"))
        for match in _CALL.finditer(_texts(last))
        if match[1] in tools
    ]
    must = choice["type"] in ("any", "tool") or _TOLD_TO_CALL in _texts(body.get("system", []))
    if asked or not must:
        return asked
    tool = tools[choice.get("name") or next(iter(tools))]
    return [(tool["name"], smallest(tool["input_schema"]))]


def _schema(body: Object) -> Object | None:
    format: Object | None = body.get("output_config", {}).get("format")
    if format is not None:
        return format["schema"]
    _, told, schema = _texts(body.get("system", [])).partition(_TOLD_SCHEMA)
    return json.loads(schema) if told else None


def _text(body: Object, last: list[Object]) -> str:
    schema = _schema(body)
    if schema is not None:
        return msgspec.json.encode(smallest(schema)).decode()
    results = [block for block in last if block["type"] == "tool_result"]
    if results:
        return "\n".join(_result(block) for block in results)
    return _texts(last)


def _result(block: Object) -> str:
    content: Any = block.get("content", "")
    told = content if isinstance(content, str) else _texts(content)
    return f"Error: {told}" if block.get("is_error") else told


def _continued(body: Object, text: str) -> str:
    """What is left to say after a prefill."""
    last = body["messages"][-1]
    if last["role"] != "assistant":
        return text
    prefix = last["content"][-1]["text"]
    return text.removeprefix(prefix)


def _limited(text: str, body: Object) -> tuple[str, str]:
    """The text as far as it may be said, and why it ends there."""
    words: list[str] = _WORD.findall(text)
    reason = "end_turn"
    if len(words) > body["max_tokens"]:
        text, reason = "".join(words[: body["max_tokens"]]), "max_tokens"
    cuts = [at for stop in body.get("stop_sequences", []) if (at := text.find(stop)) >= 0]
    if cuts:
        return text[: min(cuts)], "stop_sequence"
    return text, reason
