"""What the API's clients have sent over the years -> the body this server decodes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from interplay.interactions.dialect_input import (
    block_of,
    is_list,
    is_object,
    listed,
    steps_input,
    type_of,
)

_MEDIA_FORMATS = {"image", "audio", "video"}
_FORMAT_NAMES = {
    "mime_type": "mime_type",
    "mimeType": "mime_type",
    "aspectRatio": "aspect_ratio",
    "imageSize": "image_size",
    "bitRate": "bit_rate",
    "sampleRate": "sample_rate",
}
_SCHEMA_TYPES = {"object", "array", "string", "number", "integer", "boolean", "null"}
_SCHEMA_WORDS = {"properties", "anyOf", "any_of", "allOf", "oneOf", "items", "enum", "const"} | {
    "$ref",
    "$defs",
    "$schema",
    "additionalProperties",
}
_BUILT_IN_TOOLS = {
    "google_search": "google_search",
    "googleSearch": "google_search",
    "code_execution": "code_execution",
    "codeExecution": "code_execution",
    "url_context": "url_context",
    "urlContext": "url_context",
    "google_maps": "google_maps",
    "googleMaps": "google_maps",
    "file_search": "file_search",
    "fileSearch": "file_search",
    "computer_use": "computer_use",
    "computerUse": "computer_use",
}


def current(body: dict[str, Any]) -> dict[str, Any]:
    """A create request in the form `CreateInteraction` decodes, whichever client wrote it.

    Never raises and leaves its argument alone. What it does not understand stays as it is, so
    that the fault is explained in the words of the request.
    """
    changed = dict(body)
    for field, rewrite in _FIELDS.items():
        if changed.get(field) is not None:
            changed[field] = rewrite(changed[field])
    _fold_mime_type(changed)
    return changed


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def _system_instruction(given: Any) -> Any:
    """Text contents instead of a string."""
    blocks = [block_of(block) for block in listed(given)]
    if isinstance(given, str) or not all(type_of(block) == "text" for block in blocks):
        return given
    texts = [block.get("text") for block in blocks]
    return "\n".join(texts) if all(isinstance(text, str) for text in texts) else given


def _tools(given: Any) -> Any:
    if not (is_list(given) or is_object(given)):
        return given
    return [tool for entry in listed(given) for tool in _tool(entry)]


def _tool(tool: Any) -> list[Any]:
    if not is_object(tool):
        return [tool]
    kind = type_of(tool)
    if kind == "function":
        nested = tool.get("function")
        return [_function({"type": "function", **nested} if is_object(nested) else tool)]
    if kind == "mcp_server":
        return [_mcp_server(tool)]
    if kind == "computer_use":
        return [_computer_use(tool)]
    return [tool] if tool.get("type") is not None else _untyped_tool(tool)


def _untyped_tool(tool: dict[str, Any]) -> list[Any]:
    """generateContent's form: one object whose keys are the tools; or a type left out."""
    tool = {key: value for key, value in tool.items() if value is not None}
    if isinstance(tool.get("name"), str):
        kind = "mcp_server" if "url" in tool else "function"
        return _tool({**tool, "type": kind})
    found: list[Any] = []
    for key, value in tool.items():
        if key in ("function_declarations", "functionDeclarations"):
            if not all(is_object(entry) for entry in listed(value)):
                return [tool]
            found += [_function({**entry, "type": "function"}) for entry in listed(value)]
        elif key in _BUILT_IN_TOOLS and is_object(value):
            found += _tool({**value, "type": _BUILT_IN_TOOLS[key]})
        else:
            return [tool]
    return found or [tool]


def _function(tool: dict[str, Any]) -> dict[str, Any]:
    for name in ("parameters_json_schema", "parametersJsonSchema"):
        if tool.get(name) is not None and tool.get("parameters") is None:
            rest = {key: value for key, value in tool.items() if key != name}
            return {**rest, "parameters": tool[name]}
    return tool


def _mcp_server(tool: dict[str, Any]) -> dict[str, Any]:
    allowed = tool.get("allowed_tools")
    if is_object(allowed):
        return {**tool, "allowed_tools": [allowed]}
    if is_list(allowed) and allowed and all(isinstance(name, str) for name in allowed):
        return {**tool, "allowed_tools": [{"tools": allowed}]}
    return tool


def _computer_use(tool: dict[str, Any]) -> dict[str, Any]:
    renamed = {
        "excluded_predefined_functions" if key == "excludedPredefinedFunctions" else key: value
        for key, value in tool.items()
    }
    place = renamed.get("environment")
    if isinstance(place, str):
        renamed["environment"] = place.lower().removeprefix("environment_")
    return renamed


def _generation_config(given: Any) -> Any:
    if not is_object(given):
        return given
    config = dict(given)
    for field in ("thinking_level", "thinking_summaries", "tool_choice"):
        if field in config:
            config[field] = _lower(config[field])
    choice = config.get("tool_choice")
    if (
        is_object(choice)
        and is_object(allowed := choice.get("allowed_tools"))
        and "mode" in allowed
    ):
        allowed = {**allowed, "mode": _lower(allowed["mode"])}
        config["tool_choice"] = {**choice, "allowed_tools": allowed}
    if isinstance(config.get("stop_sequences"), str):
        config["stop_sequences"] = [config["stop_sequences"]]
    if is_object(config.get("image_config")):
        config["image_config"] = _image_size(config["image_config"])
    if config.get("speech_config") is not None:
        config["speech_config"] = _speech(config["speech_config"])
    return config


def _image_size(holder: dict[str, Any]) -> dict[str, Any]:
    size = holder.get("image_size")
    return {**holder, "image_size": size.upper()} if isinstance(size, str) else holder


def _speech(given: Any) -> Any:
    if is_list(given):
        return [_voice(entry) for entry in given]
    if not is_object(given):
        return given
    several = given.get("multi_speaker_voice_config")
    voices = several.get("speaker_voice_configs") if is_object(several) else given.get("speakers")
    if is_list(voices):
        return [_voice(entry) for entry in voices]
    return [_voice(given)]


def _voice(entry: Any) -> Any:
    """generateContent nests the voice's name and calls the language `language_code`."""
    if not is_object(entry):
        return entry
    named = {
        key: value for key, value in entry.items() if key not in ("voice_config", "language_code")
    }
    config = entry.get("voice_config")
    built_in = config.get("prebuilt_voice_config") if is_object(config) else None
    if config is not None and not (is_object(built_in) and "voice_name" in built_in):
        return entry
    if is_object(built_in):
        named["voice"] = built_in["voice_name"]
    if "language_code" in entry:
        named["language"] = entry["language_code"]
    return named


def response_format(given: Any) -> Any:
    """`response_format` alone: `CreateInteraction` takes any JSON there, so a body that decodes
    may still hold a bare schema or the field names of an older SDK. Never raises."""
    if is_list(given):
        return [_format(entry) for entry in given]
    return _format(given)


def _format(entry: Any) -> Any:
    if not is_object(entry):
        return entry
    if entry.get("type") is None and not entry.keys().isdisjoint(("schema", *_FORMAT_NAMES)):
        kind = str(entry.get("mime_type") or entry.get("mimeType") or "").partition("/")[0]
        entry = {**entry, "type": kind if kind in _MEDIA_FORMATS else "text"}
    if type_of(entry) in _MEDIA_FORMATS or type_of(entry) == "text":
        # Python 2.0 to 2.8 writes these fields in camel case, and only these.
        named = {_FORMAT_NAMES.get(key, key): value for key, value in entry.items()}
        return _image_size(named)
    if _is_schema(entry):
        return {"type": "text", "mime_type": "application/json", "schema": entry}
    return entry


def _is_schema(entry: dict[str, Any]) -> bool:
    """A JSON schema where a typed format may stand."""
    kind = entry.get("type")
    if isinstance(kind, str):
        return kind.lower() in _SCHEMA_TYPES
    return is_list(kind) or not _SCHEMA_WORDS.isdisjoint(entry)


def _fold_mime_type(body: dict[str, Any]) -> None:
    """`response_mime_type` of the first SDKs, into the text format."""
    mime_type, wanted = body.get("response_mime_type"), body.get("response_format")
    if not isinstance(mime_type, str) or mime_type not in ("application/json", "text/plain"):
        return
    if wanted is None or wanted == {}:
        body["response_format"] = {"type": "text", "mime_type": mime_type}
    elif type_of(wanted) == "text" and wanted.get("mime_type") in (None, mime_type):
        body["response_format"] = {**wanted, "mime_type": mime_type}
    else:
        return
    del body["response_mime_type"]


def _environment(given: Any) -> Any:
    if not is_object(given) or given.get("type") is not None:
        return given
    if given.get("env_id") is not None and given.keys() <= {"env_id", "enabled", "type"}:
        return given["env_id"]
    if isinstance(given.get("enabled"), bool) and given.keys() <= {"env_id", "enabled", "type"}:
        return "remote" if given["enabled"] else None
    return {**given, "type": "remote"}


def _without(prefix: str) -> Callable[[Any], Any]:
    return lambda name: name.removeprefix(prefix) if isinstance(name, str) else name


_FIELDS: dict[str, Callable[[Any], Any]] = {
    "model": _without("models/"),
    "agent": _without("agents/"),
    "input": steps_input,
    "system_instruction": _system_instruction,
    "tools": _tools,
    "generation_config": _generation_config,
    "response_format": response_format,
    "response_modalities": lambda given: [_lower(entry) for entry in listed(given)],
    "environment": _environment,
    "service_tier": _lower,
}
