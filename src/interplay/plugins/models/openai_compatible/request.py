"""A turn -> the body of a request."""

from __future__ import annotations

import hashlib
from typing import Any, cast

import msgspec

from interplay.contracts.model import FunctionSpec, ModelFacts, Turn
from interplay.plugins.models.openai_compatible.config import (
    Dialect,
    OpenAICompatibleConfig,
    thinking_fields,
)
from interplay.plugins.models.openai_compatible.content import Blocks
from interplay.plugins.models.openai_compatible.messages import Messages
from interplay.plugins.models.remote.body import Body, merge

_NO_PARAMETERS: dict[str, Any] = {"type": "object", "properties": {}}


def build(
    turn: Turn, config: OpenAICompatibleConfig, facts: ModelFacts, *, model: str, origin: str
) -> bytes:
    """The body as JSON. Raises Refused for content the model cannot take."""
    dialect = config.dialect
    written = Messages(turn.steps, dialect, Blocks(facts.inputs, turn.model), origin)
    if turn.prefix:
        written.prefill(turn.prefix)
    messages = written.messages
    if turn.system_instruction:
        system = {"role": dialect.system_role, "content": turn.system_instruction}
        messages = [system, *messages]
    body: Body = {
        "model": model,
        "messages": messages,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    _add_sampling(body, turn, facts)
    _add_functions(body, turn, dialect)
    _add_schema(body, turn, dialect)
    for ours, theirs in dialect.names.items():
        if ours in body:
            value = body.pop(ours)
            if theirs:
                body[theirs] = value
    if turn.thinking_level is not None:
        merge(body, thinking_fields(dialect).get(turn.thinking_level, {}))
    if turn.prefix:
        merge(body, dialect.prefill_fields)
    if dialect.conversation_field and turn.conversation:
        hashed = hashlib.blake2b(turn.conversation.encode(), digest_size=16).hexdigest()
        body[dialect.conversation_field] = hashed
    merge(body, config.extra_body)
    return msgspec.json.encode(body)


def _add_sampling(body: Body, turn: Turn, facts: ModelFacts) -> None:
    limit = turn.max_output_tokens
    if limit is not None and facts.max_output_tokens is not None:
        limit = min(limit, facts.max_output_tokens)
    if limit is not None:
        body["max_tokens"] = limit
    if turn.temperature is not None:
        body["temperature"] = turn.temperature
    if turn.top_p is not None:
        body["top_p"] = turn.top_p
    if turn.top_k is not None:
        body["top_k"] = turn.top_k
    if turn.seed is not None:
        body["seed"] = turn.seed
    if turn.stop_sequences:
        body["stop"] = turn.stop_sequences


def _add_functions(body: Body, turn: Turn, dialect: Dialect) -> None:
    """Only the functions that may be called are shown: it holds on servers that know little of
    `tool_choice`, and no function at all is the one sure way to have none called."""
    choice = turn.choice
    shown = [f for f in turn.functions if choice.names is None or f.name in choice.names]
    if not shown or choice.mode == "none":
        return
    strict = choice.mode == "validated" and dialect.strict_schema != "never"
    body["tools"] = [_function(spec, dialect, strict) for spec in shown]
    body["tool_choice"] = dialect.required_word if choice.mode == "any" else "auto"
    if dialect.parallel_calls is not None:
        body["parallel_tool_calls"] = dialect.parallel_calls


def _function(spec: FunctionSpec, dialect: Dialect, strict: bool) -> Body:
    function: Body = {"name": spec.name, "parameters": spec.parameters or _NO_PARAMETERS}
    if spec.description:
        function["description"] = spec.description
    if strict and _strict(function["parameters"], dialect):
        function["strict"] = True
    return {"type": "function", "function": function}


def _add_schema(body: Body, turn: Turn, dialect: Dialect) -> None:
    if not turn.json or dialect.schema == "none":
        return
    form: Body = {"type": "json_object"}
    if turn.schema is not None and dialect.schema == "json_object_schema":
        form["schema"] = turn.schema
    elif turn.schema is not None and dialect.schema == "json_schema":
        described: Body = {"name": "answer", "schema": turn.schema}
        if _strict(turn.schema, dialect):
            described["strict"] = True
        form = {"type": "json_schema", "json_schema": described}
    body["response_format"] = form


def _strict(schema: Body, dialect: Dialect) -> bool:
    if dialect.strict_schema == "where_it_fits":
        return schema.get("type") == "object" and _closed(schema)
    return dialect.strict_schema == "always"


def _closed(node: Any) -> bool:
    """Whether every object in a schema is closed and all its properties are required."""
    if isinstance(node, list):
        return all(_closed(item) for item in cast(list[Any], node))
    if not isinstance(node, dict):
        return True
    schema = cast(Body, node)
    if schema.get("type") == "object" or isinstance(schema.get("properties"), dict):
        properties: Body = schema.get("properties") or {}
        if schema.get("additionalProperties") is not False:
            return False
        if set(schema.get("required") or ()) != set(properties):
            return False
    return all(_closed(value) for value in schema.values())
