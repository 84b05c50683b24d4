"""The fields that entries of all models behind a server have."""

from __future__ import annotations

import re
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, UnsetType

from interplay.contracts.model import ModelFacts
from interplay.plugins.models.remote.address import parse
from interplay.wire.generation import ThinkingLevel
from interplay.wire.usage import Modality


class GivenFacts(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Facts about the model that differ from what the backend takes for granted."""

    inputs: frozenset[Modality] | UnsetType = UNSET
    outputs: frozenset[Modality] | UnsetType = UNSET
    uris: bool | UnsetType = UNSET
    functions: bool | UnsetType = UNSET
    schema: bool | UnsetType = UNSET
    prefill: bool | UnsetType = UNSET
    thinking_levels: frozenset[ThinkingLevel] | UnsetType = UNSET
    context_tokens: int | UnsetType | None = UNSET
    max_output_tokens: int | UnsetType | None = UNSET


class ServerConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One model of one server. Times are in seconds, sizes in bytes."""

    base_url: Annotated[str, msgspec.Meta(pattern="^https?://[^/]")]
    """Where the API stands, `/v1` (or what the server has for it) included."""
    model: str | None = None
    """The model's name at that server; None passes the name the caller asked for."""
    api_key: str | None = None
    """The key to that server."""
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
    """What is known of the model and differs from what the backend takes for granted."""

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


def facts_from(known: ModelFacts, given: GivenFacts) -> ModelFacts:
    """What is known, and what the operator says before it."""
    said = {
        name: value for name, value in msgspec.structs.asdict(given).items() if value is not UNSET
    }
    return msgspec.structs.replace(known, **said)


_FRAMING = frozenset({"content-length", "transfer-encoding", "connection"})


def fits_header(name: str, value: str) -> bool:
    """Whether a request can be sent with this header of the operator's."""
    named = re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name) is not None
    plain = all((" " <= c <= "\u00ff" and c != "\x7f") or c == "\t" for c in value.strip())
    return named and plain and name.lower() not in _FRAMING
