"""A turn -> the body of a request."""

from __future__ import annotations

from typing import Any

import msgspec

from interplay.contracts.model import FunctionSpec, ModelFacts, Turn
from interplay.plugins.models.anthropic.config import FIRST_VERSION, AnthropicConfig
from interplay.plugins.models.anthropic.content import Blocks, Part
from interplay.plugins.models.anthropic.dialect import Dialect
from interplay.plugins.models.anthropic.messages import Message, Messages
from interplay.plugins.models.anthropic.names import fitting
from interplay.plugins.models.anthropic.schemas import held, instruction
from interplay.plugins.models.anthropic.thinking import Thinking, thinking_of
from interplay.plugins.models.remote.body import Body, merge

MUST_CALL = "Answer by calling at least one of the functions you are offered."
"""Said to models that cannot be made to call."""
_NO_PARAMETERS: dict[str, Any] = {"type": "object", "properties": {}}


class Sent(msgspec.Struct, frozen=True):
    """What goes over the wire for a turn."""

    body: bytes
    betas: tuple[str, ...]


def build(
    turn: Turn,
    config: AnthropicConfig,
    facts: ModelFacts,
    dialect: Dialect,
    *,
    model: str,
    origin: str,
) -> Sent:
    """The request of a turn. Raises Refused for content the model cannot take."""
    limit = _limit(turn, config, facts, dialect)
    shown = _shown(turn)
    must = bool(shown) and turn.choice.mode == "any"
    forced = must and dialect.forced_calls
    thinking = thinking_of(turn, dialect, limit, forced=forced)
    blocks = Blocks(facts.inputs, turn.model)
    written = Messages(turn.steps, blocks, origin, thoughts=thinking.on)
    if dialect.thinking == "budget" and thinking.on and not written.led:
        thinking = Thinking()
        written = Messages(turn.steps, blocks, origin, thoughts=False)
    written.end(turn.prefix)
    body: Body = {"model": model, "max_tokens": limit, "stream": True}
    system = [turn.system_instruction or ""]
    system += _add_schema(body, turn, facts, dialect)
    if must and not forced:
        system.append(MUST_CALL)
    _add_sampling(body, turn, config, dialect, thinking)
    _add_functions(body, turn, dialect, shown, forced=forced, called=written.called)
    words = "\n\n".join(part for part in system if part.strip())
    if words:
        body["system"] = [{"type": "text", "text": words}]
    body["messages"] = written.messages
    merge(body, thinking.fields)
    if config.cache != "off":
        _mark(body, written.messages, config.cache)
    merge(body, config.extra_body)
    return Sent(msgspec.json.encode(body), (*config.betas, *thinking.betas))


def _limit(turn: Turn, config: AnthropicConfig, facts: ModelFacts, dialect: Dialect) -> int:
    asked = turn.max_output_tokens or config.max_tokens
    limits = (facts.max_output_tokens, dialect.max_output_tokens)
    return min([asked, *(limit for limit in limits if limit is not None)])


def _add_sampling(
    body: Body, turn: Turn, config: AnthropicConfig, dialect: Dialect, thinking: Thinking
) -> None:
    """Stop sequences always; the rest only where it is no error: the API refuses what a model
    does not take, and everything while a model thinks."""
    stops = [stop for stop in turn.stop_sequences if stop.strip()]
    if stops:
        body["stop_sequences"] = stops
    if thinking.on or dialect.sampling == "none" or config.anthropic_version != FIRST_VERSION:
        return
    if turn.temperature is not None:
        body["temperature"] = min(turn.temperature, 1.0)
    if turn.top_p is not None and (dialect.sampling == "both" or turn.temperature is None):
        body["top_p"] = turn.top_p
    if turn.top_k is not None:
        body["top_k"] = turn.top_k


def _shown(turn: Turn) -> list[FunctionSpec]:
    names = turn.choice.names
    return [f for f in turn.functions if names is None or f.name in names]


def _add_functions(
    body: Body,
    turn: Turn,
    dialect: Dialect,
    shown: list[FunctionSpec],
    *,
    forced: bool,
    called: set[str],
) -> None:
    """Functions that were called and are offered no more are named where nothing else is: a
    conversation with calls needs something declared."""
    if turn.choice.mode == "none" and not dialect.forbidden_calls:
        return
    if not shown:
        if called and dialect.forbidden_calls:
            body["tools"] = [_gone(name) for name in sorted(called)]
            body["tool_choice"] = {"type": "none"}
        return
    strict = turn.choice.mode == "validated" and dialect.schema
    body["tools"] = [_function(spec, strict) for spec in shown]
    if turn.choice.mode == "none":
        body["tool_choice"] = {"type": "none"}
    elif not forced:
        body["tool_choice"] = {"type": "auto"}
    elif len(shown) == 1 and turn.choice.names is not None:
        body["tool_choice"] = {"type": "tool", "name": fitting(shown[0].name)}
    else:
        body["tool_choice"] = {"type": "any"}


def _function(spec: FunctionSpec, strict: bool) -> Body:
    tool: Body = {"name": fitting(spec.name), "input_schema": spec.parameters or _NO_PARAMETERS}
    if spec.description:
        tool["description"] = spec.description
    narrowed = held(tool["input_schema"]) if strict else None
    if narrowed is not None and narrowed.whole:
        tool["input_schema"] = narrowed.schema
        tool["strict"] = True
    return tool


def _gone(name: str) -> Body:
    return {"name": name, "description": "Not there any more.", "input_schema": _NO_PARAMETERS}


def _add_schema(body: Body, turn: Turn, facts: ModelFacts, dialect: Dialect) -> list[str]:
    """Asks for JSON, as far as the model can be held to it; what it has to be told goes to the
    system instruction. An open text cannot be continued under a schema."""
    if not turn.json or not facts.schema:
        return []  # without the fact the turn's own system instruction says it
    narrowed = held(turn.schema) if turn.schema is not None else None
    if narrowed is None or turn.prefix or not dialect.schema:
        return [instruction(turn.schema)]
    format = {"type": "json_schema", "schema": narrowed.schema}
    merge(body, {"output_config": {"format": format}})
    return [] if narrowed.whole else [instruction(turn.schema)]


def _mark(body: Body, messages: list[Message], ttl: str) -> None:
    """Marks what the next turn can be read from: the functions and the system instruction, and
    the conversation up to its last two users, of whom the first was marked last a turn ago."""
    mark: Body = {"type": "ephemeral"}
    if ttl != "5m":
        mark["ttl"] = ttl
    fixed: list[Part] = body.get("system") or body.get("tools") or []
    users = [message["content"] for message in messages if message["role"] == "user"]
    for blocks in (fixed, *users[-2:]):
        if blocks:
            blocks[-1] = {**blocks[-1], "cache_control": mark}
