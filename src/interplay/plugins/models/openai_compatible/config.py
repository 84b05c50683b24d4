"""The fields of an entry with `backend = "openai_compatible"`."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

from interplay.contracts.model import ModelFacts
from interplay.plugins.models.openai_compatible.address import parse
from interplay.wire.generation import ThinkingLevel
from interplay.wire.usage import Modality

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


class GivenFacts(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Facts about the model that differ from DEFAULT_FACTS."""

    inputs: frozenset[Modality] | UnsetType = UNSET
    outputs: frozenset[Modality] | UnsetType = UNSET
    functions: bool | UnsetType = UNSET
    schema: bool | UnsetType = UNSET
    prefill: bool | UnsetType = UNSET
    thinking_levels: frozenset[ThinkingLevel] | UnsetType = UNSET
    context_tokens: int | UnsetType | None = UNSET
    max_output_tokens: int | UnsetType | None = UNSET


class OpenAICompatibleConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One model of one server. Times are in seconds, sizes in bytes."""

    base_url: Annotated[str, msgspec.Meta(pattern="^https?://[^/]")]
    """Where the API stands, `/v1` (or what the server has for it) included."""
    model: str | None = None
    """The model's name at that server; None passes the name the caller asked for."""
    api_key: str | None = None
    """Sent as a bearer token."""
    api_key_env: str | None = None
    """The environment variable that holds the key."""
    headers: dict[str, str] = {}
    """Sent with every request; a value may hold a secret and is never repeated in a message."""
    extra_body: dict[str, Any] = {}
    """Fields added to every request."""
    proxy: str | None = None
    """An HTTP proxy for this server, `http://user:password@host:port`; an https server is reached
    through it by CONNECT."""
    timeout_seconds: float = 600.0
    """How long the server may send nothing at all; the reading of a long prompt counts."""
    connect_seconds: float = 10.0
    """How long a connection may take to be made."""
    retries: int = 2
    """How often a request is sent again when it failed before the first piece of its answer."""
    retry_seconds: float = 0.5
    """The first pause between tries; each next one is twice as long, with a random part."""
    retry_cap_seconds: float = 20.0
    """The longest pause; a server that asks for a longer one is not tried again."""
    max_concurrent: int | None = None
    """Requests at a time; more wait in line."""
    max_line_bytes: int = 8 * 1024 * 1024
    """The longest line of a stream."""
    max_chunks: int = 1_000_000
    """The most chunks of one answer."""
    max_answer_bytes: int = 256 * 1024 * 1024
    """The longest answer."""
    facts: GivenFacts = msgspec.field(default_factory=GivenFacts)
    """What is known of the model and differs from the defaults: text in and out, functions and
    schemas, no prefill; thinking levels follow from `dialect.thinking`."""
    dialect: Dialect = msgspec.field(default_factory=Dialect)

    def __post_init__(self) -> None:
        for name, address in (("base_url", self.base_url), ("proxy", self.proxy)):
            if address is None:
                continue
            try:
                parse(address)
            except ValueError as error:
                raise ValueError(f"{name} is not an address: {error}") from error
        if self.proxy is not None and not self.proxy.startswith("http://"):
            raise ValueError("proxy must begin with http://; what goes through it may be https")
        for name, value in self.headers.items():
            if not fits_header(name, value):
                raise ValueError(f"headers cannot hold '{name}' with this value")
        if self.api_key is not None and not fits_header("Authorization", self.api_key.strip()):
            raise ValueError("api_key has characters that no header can hold")
        if self.api_key is not None and self.api_key_env is not None:
            raise ValueError("api_key and api_key_env are both set; leave one out")
        if self.max_concurrent is not None and self.max_concurrent < 1:
            raise ValueError("max_concurrent must be 1 or more")


_FRAMING = frozenset({"content-length", "transfer-encoding", "connection"})


def fits_header(name: str, value: str) -> bool:
    """Whether a request can be sent with this header of the operator's."""
    named = re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name) is not None
    plain = all((" " <= c <= "\u00ff" and c != "\x7f") or c == "\t" for c in value.strip())
    return named and plain and name.lower() not in _FRAMING


DEFAULT_FACTS = ModelFacts(functions=True, schema=True)


def thinking_fields(dialect: Dialect) -> dict[ThinkingLevel, dict[str, Any]]:
    """For each thinking level the server knows: the fields that ask for it."""
    form = dialect.thinking
    return THINKING[form] if isinstance(form, str) else form


def facts_of(config: OpenAICompatibleConfig) -> ModelFacts:
    """The model's facts: the defaults, what the dialect implies, and what the operator says."""
    given = {
        name: value
        for name, value in msgspec.structs.asdict(config.facts).items()
        if value is not UNSET
    }
    given.setdefault("thinking_levels", frozenset(thinking_fields(config.dialect)))
    given.setdefault("schema", config.dialect.schema in ("json_schema", "json_object_schema"))
    return msgspec.structs.replace(DEFAULT_FACTS, **given)
