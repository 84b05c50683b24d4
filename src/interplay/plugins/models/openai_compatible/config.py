"""The fields of an entry with `backend = "openai_compatible"`."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from interplay.contracts.model import ModelFacts
from interplay.plugins.models.remote.config import ServerConfig, facts_from
from interplay.wire.generation import ThinkingLevel

ThinkingForm = Literal["none", "reasoning_effort", "chat_template_kwargs", "reasoning", "thinking"]

_LEVELS: tuple[ThinkingLevel, ...] = ("minimal", "low", "medium", "high", "xhigh")
THINKING: dict[ThinkingForm, dict[ThinkingLevel, dict[str, Any]]] = {
    "none": {},
    "reasoning_effort": {level: {"reasoning_effort": level} for level in _LEVELS},
    "chat_template_kwargs": {
        level: {"chat_template_kwargs": {"enable_thinking": level != "minimal"}}
        for level in _LEVELS
    },
    "reasoning": {level: {"reasoning": {"effort": level}} for level in _LEVELS},
    "thinking": {
        level: {"thinking": {"type": "disabled" if level == "minimal" else "enabled"}}
        for level in _LEVELS
    },
}
"""For each form of asking: thinking level -> what is merged into the request."""


class Dialect(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How this server differs from the others, as data."""

    names: dict[str, str] = {}
    """A request field's usual name -> this server's name for it; "" leaves the field out.
    For instance {max_tokens = "max_completion_tokens", top_k = ""}."""
    system_role: str = "system"
    """`developer` on servers that want it."""
    required_word: str = "required"
    """How `tool_choice` says that a function must be called; some servers say `any`."""
    parallel_calls: bool | None = None
    """Sent as `parallel_tool_calls` with functions; None sends nothing."""
    call_id_length: int | None = None
    """Servers that want call ids of exactly so many letters and digits are given such ids."""
    schema: Literal["json_schema", "json_object_schema", "json_object", "none"] = "json_schema"
    """How JSON is asked for. json_object_schema: type json_object with a `schema` beside it.
    json_object: JSON of any shape. none: nothing is sent."""
    strict_schema: Literal["where_it_fits", "always", "never"] = "where_it_fits"
    """Whether schemas are marked strict. where_it_fits: those of closed objects whose
    properties are all required, which is what strict servers accept."""
    thinking: ThinkingForm | dict[ThinkingLevel, dict[str, Any]] = "none"
    """How a thinking level is asked for: the name of a usual form, or for each level the fields
    it adds to the request."""
    reasoning_fields: tuple[str, ...] = ("reasoning_content", "reasoning")
    """Fields of a delta that hold thoughts as text; the first one filled counts."""
    reasoning_back: Literal["no", "text", "details"] = "no"
    """text: the model's earlier thoughts go back to it in the first of `reasoning_fields`.
    details: the list `reasoning_details` goes back as it came."""
    think_tags: tuple[str, str] | None = None
    """Two marks (["<think>", "</think>"]) between which the text is a thought."""
    starts_in_thought: bool = False
    """The text begins inside a thought: only the closing mark comes."""
    prefill_fields: dict[str, Any] = {}
    """Added to the request when the model is to continue a text, for instance
    {continue_final_message = true, add_generation_prompt = false}."""
    prefill_message: dict[str, Any] = {}
    """Added to the message that is to be continued, for instance {prefix = true}."""
    conversation_field: str | None = None
    """A field that holds the same short text for every turn of one conversation, for the
    server's prompt cache (`prompt_cache_key`)."""

    def __post_init__(self) -> None:
        if not all(self.reasoning_fields) or (
            self.reasoning_back == "text" and not self.reasoning_fields
        ):
            raise ValueError("reasoning_fields needs the name of a field")
        if self.think_tags is not None and not all(self.think_tags):
            raise ValueError("think_tags needs two marks that are not empty")
        if self.starts_in_thought and self.think_tags is None:
            raise ValueError("starts_in_thought needs think_tags")


class OpenAICompatibleConfig(ServerConfig, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One model of one server of chat completions.

    Without `facts` it is taken to have text in and out, functions and schemas, and no prefill;
    thinking levels follow from `dialect.thinking`.
    """

    dialect: Dialect = msgspec.field(default_factory=Dialect)


DEFAULT_FACTS = ModelFacts(functions=True, schema=True)


def thinking_fields(dialect: Dialect) -> dict[ThinkingLevel, dict[str, Any]]:
    """For each thinking level the server knows: the fields that ask for it."""
    form = dialect.thinking
    return THINKING[form] if isinstance(form, str) else form


def facts_of(config: OpenAICompatibleConfig) -> ModelFacts:
    """The model's facts: the defaults, what the dialect implies, and what the operator says."""
    implied = msgspec.structs.replace(
        DEFAULT_FACTS,
        thinking_levels=frozenset(thinking_fields(config.dialect)),
        schema=config.dialect.schema in ("json_schema", "json_object_schema"),
    )
    return facts_from(implied, config.facts)
