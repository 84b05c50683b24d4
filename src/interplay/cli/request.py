"""The body of a create request from what a user gave: words, pipes, files, schemas."""

from __future__ import annotations

import base64
import json
import mimetypes
import sys
from pathlib import Path
from typing import Any

import click

from interplay.cli.client import Api
from interplay.cli.plain import objects
from interplay.cli.terminal import asked_by_a_person

_MEDIA = {"image": "image", "audio": "audio", "video": "video"}


def request_body(given: dict[str, Any]) -> dict[str, Any]:
    """The body for the options of `ask`, without defaults of the settings.

    Reads stdin when it is piped, or asked for with `-`. Raises UsageError.
    """
    text = _text(given["words"])
    content = [_file_content(Path(path)) for path in given["files"]]
    if text:
        content.append({"type": "text", "text": text})
    results = [_result(item) for item in given["results"]]
    if not content and not results:
        raise click.UsageError('There is no question; e.g. interplay ask "Why is the sky blue?"')
    body: dict[str, Any] = {"input": _input(content, results, text)}
    named = {"model": given["model"], "agent": given["agent"]}
    body |= {name: value for name, value in named.items() if value}
    if given["system"]:
        body["system_instruction"] = given["system"]
    if given["schema"]:
        schema = read_json(given["schema"], "--schema")
        body["response_format"] = {
            "type": "text",
            "mime_type": "application/json",
            "schema": schema,
        }
    if given["tools"]:
        body["tools"] = tools_of(given["tools"])
    if given["thoughts"]:
        body["generation_config"] = {"thinking_summaries": "auto"}
    if given["background"]:
        body["background"] = True
    if given["no_store"]:
        body["store"] = False
    return body


def _input(content: list[Any], results: list[Any], text: str) -> Any:
    if results:
        steps = [*results]
        if content:
            steps.append({"type": "user_input", "content": content})
        return steps
    return text if len(content) == 1 and text else content


def _text(words: tuple[str, ...]) -> str:
    piped = "" if asked_by_a_person() and "-" not in words else _stdin()
    given = [word for word in words if word != "-"]
    parts = [" ".join(given), piped.rstrip("\n")]
    return "\n\n".join(part for part in parts if part)


def _stdin() -> str:
    if sys.stdin is None:
        return ""
    try:
        return sys.stdin.buffer.read().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise click.UsageError(
            "What comes through the pipe is no UTF-8 text; send files with --file."
        ) from error


def _file_content(path: Path) -> dict[str, Any]:
    """A file as inline content: media by its type, everything that is text as text."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise click.UsageError(f"--file: {path} cannot be read: {error.strerror}") from error
    mime = mimetypes.guess_type(path.name)[0]
    kind = _MEDIA.get((mime or "").partition("/")[0])
    if kind is None and mime == "application/pdf":
        kind = "document"
    if kind is not None:
        return {"type": kind, "mime_type": mime, "data": base64.b64encode(raw).decode()}
    try:
        return {"type": "text", "text": f"File {path.name}:\n\n{raw.decode()}"}
    except UnicodeDecodeError as error:
        raise click.UsageError(
            f"--file: {path} is no image, audio, video, PDF or UTF-8 text ({mime or 'unknown'})."
        ) from error


def _result(item: str) -> dict[str, Any]:
    call_id, equals, value = item.partition("=")
    if not equals or not call_id:
        raise click.BadParameter(f"'{item}' is not CALL_ID=VALUE.", param_hint="--result")
    return function_result(call_id, value)


def function_result(call_id: str, value: str, name: str | None = None) -> dict[str, Any]:
    """A function_result step; a value that is a JSON object is sent as one."""
    result: Any = value
    if value.lstrip().startswith("{"):
        try:
            result = json.loads(value)
        except ValueError:
            result = value
    step = {"type": "function_result", "call_id": call_id, "result": result}
    return step if name is None else {**step, "name": name}


def read_json(path: str, option: str) -> Any:
    """The JSON in a file. Raises BadParameter that names the option and the fault."""
    try:
        return json.loads(Path(path).read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise click.BadParameter(f"{path} holds no JSON: {error}", param_hint=option) from error


def tools_of(path: str) -> list[dict[str, Any]]:
    """The tool declarations in a file: a JSON list of them, or a single one."""
    found = read_json(path, "--tools")
    tools = objects(found if isinstance(found, list) else [found])
    if not tools:
        raise click.BadParameter(f"{path} holds no list of tools.", param_hint="--tools")
    return tools


def resolved_id(api: Api, id: str) -> str:
    """An interaction's id; `last` stands for the newest one. Raises UsageError."""
    if id != "last":
        return id
    page = api.get("interactions", {"page_size": 1})
    newest = objects(page.get("interactions"))
    if not newest:
        raise click.UsageError("There is no interaction yet that `last` could stand for.")
    return str(newest[0]["id"])
