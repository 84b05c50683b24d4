"""Every form `input` has been sent in -> contents and steps."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeGuard, get_args

import msgspec

from interplay.wire.content import Content
from interplay.wire.steps import Step

_CONTENT_TYPES: frozenset[str] = frozenset(
    str(kind.__struct_config__.tag) for kind in get_args(Content)
)
_STEP_TYPES: frozenset[str] = frozenset(str(kind.__struct_config__.tag) for kind in get_args(Step))
_ENTRIES: Any = list[Content | Step]
_MESSAGES = frozenset({"user_input", "model_output"})
_ROLES = {
    "user": "user_input",
    "model": "model_output",
    "assistant": "model_output",
    "function": "user_input",
    "tool": "user_input",
}
_MEDIA = {"image": "image", "audio": "audio", "video": "video", "application": "document"}


def is_object(value: Any) -> TypeGuard[dict[str, Any]]:
    """A JSON object."""
    return isinstance(value, dict)


def is_list(value: Any) -> TypeGuard[list[Any]]:
    """A JSON array."""
    return isinstance(value, list)


def listed(value: Any) -> list[Any]:
    """An array as it is, anything else as the one entry of an array."""
    return value if is_list(value) else [value]


def _text(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}


def steps_input(given: Any) -> Any:
    """`input` as text, one content or step, or a list of contents and steps.

    Turns (`{role, content}`) become steps, calls and results inside a message become steps of
    their own in the same order, and where steps stand in the list the contents between them are
    joined into one user_input. What is not understood stays as it is; never raises.
    """
    if isinstance(given, str):
        return given
    if not is_list(given):
        pieces = _entry(given)
        return pieces[0] if len(pieces) == 1 else pieces
    pieces = [piece for entry in given for piece in _entry(entry)]
    # A piece with a fault keeps its own place, so that the path in the message is the caller's.
    if all(type_of(piece) in _CONTENT_TYPES for piece in pieces) or not _decode(pieces):
        return pieces
    return _joined(pieces, {"type": "user_input"})


def _decode(pieces: list[Any]) -> bool:
    try:
        msgspec.convert(pieces, _ENTRIES)
    except (msgspec.ValidationError, RecursionError):
        return False
    return True


def _joined(pieces: list[Any], head: dict[str, Any]) -> list[Any]:
    """Steps stay; what stands between them becomes the content of a step like `head`."""
    steps: list[Any] = []
    blocks: list[Any] | None = None
    for piece in pieces:
        if type_of(piece) in _STEP_TYPES:
            steps.append(piece)
            blocks = None
            continue
        if blocks is None:
            blocks = []
            steps.append({**head, "content": blocks})
            head = {"type": head["type"]}
        blocks.append(piece)
    return steps


def type_of(piece: Any) -> str:
    """The `type` of an object; "" where there is none."""
    kind = piece.get("type") if is_object(piece) else None
    return kind if isinstance(kind, str) else ""


def _entry(entry: Any) -> list[Any]:
    """One entry of `input` as contents and steps: a turn may hold several."""
    if is_object(entry) and entry.get("type") is None and entry.get("role") is not None:
        return _turn(entry)
    if type_of(entry) in _MESSAGES:
        return _message(entry)
    return [block_of(entry)]


def _turn(turn: dict[str, Any]) -> list[Any]:
    role = turn["role"]
    kind = _ROLES.get(role) if isinstance(role, str) else None
    more = any(turn[key] is not None for key in turn if key not in ("role", "content"))
    if kind is None or more or "content" not in turn:
        return [turn]
    if turn["content"] is None or turn["content"] == []:
        return []
    return _message({"type": kind, "content": turn["content"]})


def _message(step: dict[str, Any]) -> list[Any]:
    """A user_input or model_output; calls, results and thoughts inside become their own steps."""
    content = step.get("content")
    if content is None or content == []:
        return [step]
    head = {key: value for key, value in step.items() if key != "content"}
    blocks = [block_of(block) for block in listed(content)]
    if any(type_of(block) in _MESSAGES for block in blocks):
        return [{**head, "content": blocks}]
    return _joined(blocks, head)


def block_of(block: Any) -> Any:
    """A content, or a step that is not a message, in the current form."""
    if isinstance(block, str):
        return _text(block)
    if not is_object(block):
        return block
    if block.get("type") is None:
        return _untyped(block)
    kind = type_of(block)
    if kind == "text":
        return _with_annotations(block)
    rewrite = _STEPS.get(kind)
    return rewrite(block) if rewrite is not None else block


def _untyped(block: dict[str, Any]) -> dict[str, Any]:
    named = {key: value for key, value in block.items() if key != "type"}
    if isinstance(block.get("text"), str):
        return _with_annotations({"type": "text", **named})
    mime_type = block.get("mime_type")
    if isinstance(mime_type, str) and ("data" in block or "uri" in block):
        kind = _MEDIA.get(mime_type.partition("/")[0])
        if kind is not None:
            return {"type": kind, **named}
    return block


def _with_annotations(block: dict[str, Any]) -> dict[str, Any]:
    annotations = block.get("annotations")
    if not is_list(annotations):
        return block
    return {**block, "annotations": [_annotation(annotation) for annotation in annotations]}


def _annotation(annotation: Any) -> Any:
    """The first SDKs cite `{start_index, end_index, source}`, without a type."""
    if not is_object(annotation) or annotation.get("type") not in (None, "url_citation"):
        return annotation
    if "source" not in annotation:
        return annotation
    rest = {key: value for key, value in annotation.items() if key not in ("type", "source")}
    if rest.get("url") is None:
        rest["url"] = annotation["source"]
    return {"type": "url_citation", **rest}


def _call(step: dict[str, Any]) -> dict[str, Any]:
    arguments: Any = step.get("arguments")
    if isinstance(arguments, str):
        try:
            arguments = json.loads(arguments) if arguments.strip() else None
        except (ValueError, RecursionError):
            return step
    return {**step, "arguments": arguments if arguments is not None else {}}


def _result(step: dict[str, Any]) -> dict[str, Any]:
    if "result" not in step:
        return step
    try:
        return {**step, "result": _result_value(step["result"])}
    except RecursionError:
        return step


def _result_value(result: Any) -> Any:
    """A function may answer with any JSON: text, an object and contents travel as they are,
    everything else as its JSON text, which is what a model reads anyway."""
    items: Any = result.get("items") if is_object(result) and len(result) == 1 else result
    if is_list(items) and any(_is_content(item) for item in items):
        return [_result_block(item) for item in items]
    if isinstance(result, str) or is_object(result) or result == []:
        return result
    return json.dumps(result, ensure_ascii=False)


def _is_content(item: Any) -> bool:
    return type_of(item) in _CONTENT_TYPES or type_of(item) == "function" or _is_bare_text(item)


def _is_bare_text(item: Any) -> bool:
    return is_object(item) and len(item) == 1 and isinstance(item.get("text"), str)


def _result_block(item: Any) -> Any:
    if _is_content(item):
        return block_of(item)
    return _text(item) if isinstance(item, str) else _text(json.dumps(item, ensure_ascii=False))


def _search_result(step: dict[str, Any]) -> dict[str, Any]:
    """`rendered_content` was the name of `search_suggestions`; title and url have gone."""
    hits: list[Any] = []
    for hit in listed(step.get("result") or []):
        if is_object(hit):
            shown = hit.get("search_suggestions") or hit.get("rendered_content")
            old = ("rendered_content", "title", "url", "search_suggestions")
            hit = {key: value for key, value in hit.items() if key not in old}
            if shown is not None:
                hit["search_suggestions"] = shown
        hits.append(hit)
    return {**step, "result": hits}


def _file_search_result(step: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in step.items() if key != "result"}


def _code_result(step: dict[str, Any]) -> dict[str, Any]:
    return {**step, "result": ""} if step.get("result") is None else step


def _thought(step: dict[str, Any]) -> dict[str, Any]:
    summary = step.get("summary")
    if summary is None:
        return step
    if is_object(summary) and is_list(summary.get("items")):
        summary = summary["items"]
    return {**step, "summary": [block_of(block) for block in listed(summary)]}


_STEPS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "thought": _thought,
    "function_call": _call,
    "mcp_server_tool_call": _call,
    "code_execution_call": _call,
    "google_search_call": _call,
    "url_context_call": _call,
    "function_result": _result,
    "mcp_server_tool_result": _result,
    "code_execution_result": _code_result,
    "google_search_result": _search_result,
    "file_search_result": _file_search_result,
}
