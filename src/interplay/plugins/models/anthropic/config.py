"""The fields of an entry with `backend = "anthropic"`."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from interplay.contracts.model import ModelFacts
from interplay.plugins.models.anthropic.dialect import Dialect, GivenDialect, dialect_of
from interplay.plugins.models.remote.config import ServerConfig, facts_from, fits_header
from interplay.wire.generation import ThinkingLevel
from interplay.wire.usage import Modality

FIRST_VERSION = "2023-06-01"


class AnthropicConfig(ServerConfig, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One model, or with a glob as the entry's name every model, of one server of messages.

    What `dialect` and `facts` leave open follows from the model's name.
    """

    base_url: Annotated[str, msgspec.Meta(pattern="^https?://[^/]")] = (
        "https://api.anthropic.com/v1"
    )
    """Where the API stands, `/v1` (or what the server has for it) included."""
    anthropic_version: str = FIRST_VERSION
    """Sent as the header of that name. Versions after the first take no sampling at all."""
    betas: tuple[str, ...] = ()
    """Sent as the header anthropic-beta, beside those that a request needs."""
    max_tokens: Annotated[int, msgspec.Meta(ge=1)] = 32_000
    """The output limit of callers who set none; the API insists on one. Thoughts count."""
    cache: Literal["5m", "1h", "off"] = "5m"
    """How long the server keeps what a conversation begins with, so that its next turn is read
    from there; `1h` costs more to write."""
    dialect: GivenDialect = msgspec.field(default_factory=GivenDialect)
    """What is different from what is known of the model by its name."""

    def __post_init__(self) -> None:
        super().__post_init__()
        for value in (self.anthropic_version, *self.betas):
            if not value or not fits_header("anthropic-beta", value):
                raise ValueError(f"no header can hold '{value}'")


_LEVELS: tuple[ThinkingLevel, ...] = ("minimal", "low", "medium", "high", "xhigh")


def facts_of(config: AnthropicConfig) -> ModelFacts:
    """The facts of an entry. One for every model has those of a new one, which claim the least."""
    dialect = dialect_of(config.model, config.dialect)
    inputs: frozenset[Modality] = frozenset({"text"})
    if dialect.media:
        inputs = frozenset({"text", "image", "document"})
    known = ModelFacts(
        inputs=inputs,
        uris=True,
        functions=True,
        schema=dialect.schema,
        prefill=dialect.prefill,
        thinking_levels=_levels(dialect),
        context_tokens=dialect.context_tokens,
        max_output_tokens=dialect.max_output_tokens,
    )
    return facts_from(known, config.facts)


def _levels(dialect: Dialect) -> frozenset[ThinkingLevel]:
    if dialect.thinking == "none":
        return frozenset()
    able = dialect.budgets if dialect.thinking == "budget" else dialect.efforts
    return frozenset(level for level in _LEVELS if level == "minimal" or level in able)
