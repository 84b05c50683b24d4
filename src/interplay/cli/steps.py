"""Steps and contents of an interaction as lines for a person to read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from interplay.cli.plain import fields, objects
from interplay.cli.terminal import Paint, clean, short, width

_SHOWN = ("name", "server_name", "arguments", "result", "search_type", "retrieval_type", "is_error")


def content_line(block: dict[str, Any]) -> str:
    """A content block: its text, or for media a note of its kind and size."""
    if block.get("type") == "text":
        return clean(str(block.get("text") or ""))
    told = [str(block.get("type") or "content")]
    if block.get("mime_type"):
        told.append(str(block["mime_type"]))
    if block.get("data"):
        told.append(size(len(block["data"]) * 3 // 4))
    if block.get("uri"):
        told.append(str(block["uri"]))
    return clean(f"[{' '.join(told)}]")


def size(count: float) -> str:
    """Bytes in the unit a person would use."""
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"


def tool_line(kind: str, facts: dict[str, Any], room: int) -> str:
    """A call or a result of a tool on one line: `google_search_call queries=["a"]`."""
    name, arguments = facts.get("name"), facts.get("arguments")
    if kind == "function_call":
        return short(f"{name}({_pairs(arguments)})", room)
    if kind == "function_result":
        said = _plain(facts.get("result"))
        mark = "failed: " if facts.get("is_error") else ""
        return short(f"{name or facts.get('call_id', '')} -> {mark}{said}", room)
    told = [kind]
    for field in _SHOWN:
        value = facts.get(field)
        if field == "arguments":
            told.append(_pairs(value))
        elif value not in (None, "", {}, [], False):
            told.append(f"{field}={_plain(value)}")
    return short(" ".join(part for part in told if part), room)


def citation_line(mark: dict[str, Any]) -> str | None:
    """Where a citation leads; None for annotations that lead nowhere."""
    where = mark.get("url") or mark.get("document_uri") or mark.get("file_name")
    if not where:
        return None
    title = mark.get("title") or mark.get("name")
    return clean(f"{title}: {where}" if title else str(where))


def step_lines(step: dict[str, Any], paint: Paint, *, full: bool = False) -> Iterator[str]:
    """A whole step: a head line, then what it holds, indented. `full` cuts nothing."""
    kind = str(step.get("type") or "step")
    room = 1_000_000 if full else width() - 2
    match kind:
        case "user_input" | "model_output":
            yield paint("bold green" if kind == "user_input" else "bold", kind)
            for block in objects(step.get("content")):
                yield from _indented(content_line(block))
                yield from _sources(block, paint)
            if step.get("error"):
                message = fields(step["error"]).get("message") or "failed"
                yield "  " + paint("red", clean(str(message)))
        case "thought":
            yield paint("dim", kind)
            for block in objects(step.get("summary")):
                yield from (paint("dim", line) for line in _indented(content_line(block)))
        case _:
            style = "red" if step.get("is_error") else "cyan"
            yield paint(style, kind)
            yield from _indented(tool_line(kind, step, room))


def _sources(block: dict[str, Any], paint: Paint) -> Iterator[str]:
    seen: dict[str, None] = {}
    for mark in objects(block.get("annotations")):
        if line := citation_line(mark):
            seen[line] = None
    yield from (paint("dim", f"  [{number}] {line}") for number, line in enumerate(seen, start=1))


def _indented(text: str) -> Iterator[str]:
    for line in text.split("\n"):
        yield f"  {line}" if line else ""


def _pairs(arguments: Any) -> str:
    return ", ".join(f"{key}={_json(value)}" for key, value in fields(arguments).items())


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else _json(value)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
