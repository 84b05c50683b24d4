"""What Anthropic's Messages API refuses, rule by rule, with the status and words it has for it.

In one thing this is stricter: two messages of one role after the other are refused, which the API
would put together.
"""

from __future__ import annotations

import binascii
import re
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any, cast

import msgspec

Object = dict[str, Any]

_FIELDS = {
    "cache_control",
    "max_tokens",
    "messages",
    "metadata",
    "model",
    "output_config",
    "service_tier",
    "stop_sequences",
    "stream",
    "system",
    "temperature",
    "thinking",
    "tool_choice",
    "tools",
    "top_k",
    "top_p",
}
_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}\Z")
_THOUGHTS = ("thinking", "redacted_thinking")
_OF_ROLE = {
    "user": {"text", "image", "document", "tool_result"},
    "assistant": {"text", "tool_use", *_THOUGHTS},
}
_UNKNOWN_IN_SCHEMAS = {"minimum", "maximum", "minLength", "maxLength", "multipleOf", "maxItems"}
_BINDING_BETA = "thinking-binding-controls-2026-08-01"


class Refusal(Exception):
    """A request is not taken; `status` and `kind` say how the API answers."""

    def __init__(self, message: str, kind: str = "invalid_request_error", status: int = 400):
        super().__init__(message)
        self.message, self.kind, self.status = message, kind, status


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """A model as the API knows it."""

    thinking: tuple[str, ...] = ()
    """Types of thinking it takes in a request."""
    forced: bool = True
    bound: bool = False
    """Thoughts are taken back only behind the words they were thought after."""
    sampling: int = 2
    """How many of temperature and top_p it takes at once."""
    format: bool = True
    prefill: bool = False
    most: int = 128_000


_SWITCH = ("adaptive", "disabled")
KINDS = {
    "claude-opus-5-5": Kind(thinking=("adaptive",), forced=False, bound=True, sampling=0),
    "claude-sonnet-5-5": Kind(thinking=_SWITCH, bound=True, sampling=0),
    "claude-opus-4-8": Kind(thinking=_SWITCH, sampling=0),
    "claude-opus-4-6": Kind(thinking=(*_SWITCH, "enabled"), sampling=1),
    "claude-haiku-4-5*": Kind(
        thinking=("enabled", "disabled"), sampling=1, prefill=True, most=64_000
    ),
    "claude-sonnet-4-5*": Kind(
        thinking=("enabled", "disabled"), sampling=1, prefill=True, most=64_000
    ),
    "claude-3-haiku*": Kind(format=False, prefill=True, most=4_096),
}


class Signatures:
    """Signs thoughts, and tells whether they come back as they were, where they were."""

    def __init__(self) -> None:
        self._signed: dict[str, tuple[str, str, str]] = {}

    def sign(self, model: str, thought: str, before: str) -> str:
        """The signature of a thought; `before` is the conversation it was thought after."""
        signature = f"sig{len(self._signed):06d}=="
        self._signed[signature] = (model, thought, before)
        return signature

    def check(self, model: str, signature: str, thought: str) -> None:
        """Raises Refusal for a thought that was never thought so."""
        known = self._signed.get(signature)
        if known is None or known[:2] != (model, thought):
            raise Refusal("Invalid `signature` in `thinking` block.")

    def stands(self, signature: str, before: str) -> bool:
        """Whether the conversation before a thought is the one it was thought after."""
        return self._signed[signature][2] == before


def kind_of(model: Any) -> Kind:
    """What is known of a model. Raises Refusal for one that is not there."""
    for glob, kind in KINDS.items():
        if isinstance(model, str) and fnmatchcase(model, glob):
            return kind
    raise Refusal(f"model: {model}", "not_found_error", 404)


def check(body: Object, headers: Mapping[str, str], signatures: Signatures) -> None:
    """Raises Refusal for the first rule a request breaks."""
    if not headers.get("anthropic-version"):
        raise Refusal("anthropic-version: header is required")
    for name in body:
        if name not in _FIELDS:
            raise Refusal(f"{name}: Extra inputs are not permitted")
    kind = kind_of(body.get("model"))
    most = body.get("max_tokens")
    if not isinstance(most, int) or not 1 <= most <= kind.most:
        raise Refusal(f"max_tokens: {most} is not between 1 and {kind.most}")
    _check_thinking(body, kind, headers)
    _check_sampling(body, kind)
    _check_tools(body, kind)
    _check_format(body, kind)
    _check_messages(body, signatures)
    _check_end(body, kind)
    _check_marks(body)


def thinks(body: Object) -> bool:
    """Whether a request has thinking on."""
    return body.get("thinking", {}).get("type") in ("adaptive", "enabled")


def _check_thinking(body: Object, kind: Kind, headers: Mapping[str, str]) -> None:
    thinking = body.get("thinking")
    if thinking is None:
        return
    form = thinking.get("type")
    if form not in kind.thinking:
        raise Refusal(f'"thinking.type.{form}" is not supported for this model.')
    if form == "enabled" and not 1024 <= thinking.get("budget_tokens", 0) < body["max_tokens"]:
        raise Refusal("thinking.budget_tokens: must be at least 1024 and less than max_tokens")
    if "block_binding" in thinking and _BINDING_BETA not in headers.get("anthropic-beta", ""):
        raise Refusal("thinking.adaptive.block_binding: Extra inputs are not permitted")
    if thinks(body) and body.get("tool_choice", {}).get("type") in ("any", "tool"):
        raise Refusal("Thinking may not be enabled when tool_choice forces tool use.")


def _check_sampling(body: Object, kind: Kind) -> None:
    given = [name for name in ("temperature", "top_p") if name in body]
    if given and thinks(body):
        raise Refusal("`temperature` and `top_p` may not be set when thinking is enabled.")
    if len(given) > kind.sampling or ("top_k" in body and not kind.sampling):
        raise Refusal(f"{' and '.join(given) or 'top_k'}: not supported for this model")
    if not 0 <= body.get("temperature", 0) <= 1:
        raise Refusal("temperature: range: 0..1")
    if not all(stop.strip() for stop in body.get("stop_sequences", [])):
        raise Refusal("stop_sequences: each stop sequence must contain non-whitespace")


def _check_tools(body: Object, kind: Kind) -> None:
    tools: list[Object] = body.get("tools", [])
    names = [tool.get("name") for tool in tools]
    if len(set(names)) < len(names) or not all(_NAME.match(name or "") for name in names):
        raise Refusal("tools: names must be unique and match ^[a-zA-Z0-9_-]{1,128}$")
    for tool in tools:
        if tool.get("input_schema", {}).get("type") != "object":
            raise Refusal(f"tools.{tool['name']}.input_schema.type: Field required")
        if tool.get("strict"):
            _check_schema(tool["input_schema"])
    choice = body.get("tool_choice")
    if choice is None:
        return
    if not tools:
        raise Refusal("tool_choice may only be specified while providing tools.")
    if choice["type"] in ("any", "tool") and not kind.forced:
        raise Refusal("tool_choice: forced tool use is not supported for this model.")
    if choice["type"] == "tool" and choice.get("name") not in names:
        raise Refusal(f"Tool '{choice.get('name')}' not found in provided tools")


def _check_format(body: Object, kind: Kind) -> None:
    config: Object = body.get("output_config", {})
    if config.get("effort", "low") not in ("low", "medium", "high", "xhigh", "max"):
        raise Refusal("output_config.effort: unknown level")
    if "format" in config:
        if not kind.format:
            raise Refusal("output_config.format: not supported for this model")
        _check_schema(config["format"]["schema"])


def _check_schema(node: Any) -> None:
    if isinstance(node, list):
        for item in cast(list[Any], node):
            _check_schema(item)
    if not isinstance(node, dict):
        return
    schema = cast(Object, node)
    unknown = _UNKNOWN_IN_SCHEMAS & schema.keys()
    if unknown:
        raise Refusal(f"schema: For this type, property '{min(unknown)}' is not supported")
    if schema.get("type") == "object" and schema.get("additionalProperties") is not False:
        raise Refusal("schema: 'additionalProperties' must be explicitly set to false")
    for value in schema.values():
        _check_schema(value)


def _check_messages(body: Object, signatures: Signatures) -> None:
    messages: list[Object] = body.get("messages") or []
    if not messages:
        raise Refusal("messages: at least one message is required")
    for at, message in enumerate(messages):
        expected = "assistant" if at % 2 else "user"
        if message.get("role") != expected:
            raise Refusal(f"messages.{at}: roles must alternate, beginning with user")
        if not message.get("content"):
            raise Refusal(f"messages.{at}: content must be non-empty")
        for number, block in enumerate(message["content"]):
            where = f"messages.{at}.content.{number}"
            if block["type"] not in _OF_ROLE[expected]:
                raise Refusal(f"{where}: unexpected '{block['type']}' block")
            _BLOCKS[block["type"]](block, where)
            if block["type"] == "thinking":
                signatures.check(body["model"], block["signature"], block["thinking"])
    _check_pairs(messages)
    if any(tool_uses(message) for message in messages) and not body.get("tools"):
        raise Refusal("Requests which include `tool_use` blocks must define tools")


def tool_uses(message: Object) -> list[str]:
    """The ids of the calls in a message."""
    return [block["id"] for block in message["content"] if block["type"] == "tool_use"]


def _check_pairs(messages: list[Object]) -> None:
    """Every call is answered at the beginning of the very next message, and nothing else is."""
    seen: set[str] = set()
    for at, message in enumerate(messages):
        ids = tool_uses(message)
        if len(set(ids)) < len(ids) or seen & {*ids}:
            raise Refusal("messages: `tool_use` ids must be unique")
        seen |= {*ids}
        following: list[Object] = messages[at + 1]["content"] if at + 1 < len(messages) else []
        head = [block.get("tool_use_id") for block in following[: len(ids)]]
        if sorted(head, key=str) != sorted(ids):
            raise Refusal(
                f"messages.{at}: `tool_use` ids were found without `tool_result` blocks"
                " immediately after"
            )
        if any(block["type"] == "tool_result" for block in following[len(ids) :]):
            raise Refusal(f"messages.{at + 1}: unexpected `tool_use_id` in `tool_result` blocks")
    if any(block["type"] == "tool_result" for block in messages[0]["content"]):
        raise Refusal("messages.0: unexpected `tool_use_id` in `tool_result` blocks")


def _check_end(body: Object, kind: Kind) -> None:
    last = body["messages"][-1]
    if last["role"] == "assistant":
        if not kind.prefill:
            raise Refusal(
                "This model does not support assistant message prefill. The conversation must end"
                " with a user message."
            )
        if thinks(body) or "format" in body.get("output_config", {}):
            raise Refusal("Prefill is not supported with thinking or output_config.format.")
        if last["content"][-1].get("text", "").rstrip() != last["content"][-1].get("text", ""):
            raise Refusal("messages: final assistant content cannot end with trailing whitespace")
    elif body.get("thinking", {}).get("type") == "enabled":
        answers = any(block["type"] == "tool_result" for block in last["content"])
        if answers and body["messages"][-2]["content"][0]["type"] not in _THOUGHTS:
            raise Refusal(
                "Expected `thinking` or `redacted_thinking`, but found another block: a final"
                " assistant message must start with a thinking block."
            )


def blocks_of(body: Object) -> Iterator[Object]:
    """Every block of a request in the order in which it is cached."""
    yield from body.get("tools", [])
    yield from body.get("system", [])
    for message in body["messages"]:
        yield from message["content"]


def _check_marks(body: Object) -> None:
    marked = [block for block in blocks_of(body) if "cache_control" in block]
    if len(marked) > 4:
        raise Refusal("A maximum of 4 blocks with cache_control may be provided.")
    for block in marked:
        mark = block["cache_control"]
        if mark.get("type") != "ephemeral" or mark.get("ttl", "5m") not in ("5m", "1h"):
            raise Refusal("cache_control: unknown form")
        if block.get("type") in _THOUGHTS:
            raise Refusal("cache_control cannot be set on thinking blocks")


def _check_text(block: Object, where: str) -> None:
    if not isinstance(block.get("text"), str) or not block["text"].strip():
        raise Refusal(f"{where}: text content blocks must contain non-whitespace text")


def _check_source(block: Object, where: str) -> None:
    source = block.get("source", {})
    taken = ("application/pdf",)
    if block["type"] == "image":
        taken = ("image/jpeg", "image/png", "image/gif", "image/webp")
    if source.get("type") == "base64":
        if source.get("media_type") not in taken:
            raise Refusal(f"{where}.source.media_type: Input should be one of {taken}")
        try:
            b64decode(source["data"], validate=True)
        except binascii.Error as error:
            raise Refusal(f"{where}.source.data: invalid base64") from error
    elif source.get("type") == "url":
        if not source["url"].startswith("http"):
            raise Refusal(f"{where}.source.url: only http and https are supported")
    elif source.get("type") != "text" or block["type"] != "document":
        raise Refusal(f"{where}.source: unknown form")


def _check_use(block: Object, where: str) -> None:
    if not _NAME.match(block.get("id") or "") or not _NAME.match(block.get("name") or ""):
        raise Refusal(f"{where}: id and name should match ^[a-zA-Z0-9_-]+$")
    if not isinstance(block.get("input"), dict):
        raise Refusal(f"{where}.input: Input should be an object")


def _check_result(block: Object, where: str) -> None:
    content: Any = block.get("content", [])
    if isinstance(content, list):
        for number, inner in enumerate(cast(list[Object], content)):
            if inner["type"] not in ("text", "image", "document"):
                raise Refusal(f"{where}.content.{number}: unexpected block")
            _BLOCKS[inner["type"]](inner, f"{where}.content.{number}")


def _check_thought(block: Object, where: str) -> None:
    if not {"thinking", "signature"} <= block.keys():
        raise Refusal(f"{where}.signature: Field required")


def _check_redacted(block: Object, where: str) -> None:
    if not block.get("data"):
        raise Refusal(f"{where}.data: Field required")


_BLOCKS: dict[str, Callable[[Object, str], None]] = {
    "text": _check_text,
    "image": _check_source,
    "document": _check_source,
    "tool_use": _check_use,
    "tool_result": _check_result,
    "thinking": _check_thought,
    "redacted_thinking": _check_redacted,
}
