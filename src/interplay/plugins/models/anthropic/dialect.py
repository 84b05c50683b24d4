"""How the models of the Messages API differ from each other, as data."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType

from interplay.wire.generation import ThinkingLevel

ThinkingForm = Literal["none", "budget", "adaptive", "always"]
Sampling = Literal["both", "one", "none"]

BUDGETS: dict[ThinkingLevel, int] = {"low": 4_096, "medium": 12_288, "high": 24_576}


class Dialect(msgspec.Struct, frozen=True, kw_only=True):
    """What a model takes."""

    thinking: ThinkingForm = "none"
    """budget: so many tokens, when asked for. adaptive: as deep as it sees fit, can be switched
    off. always: the same, and cannot."""
    thinks: bool = False
    """It thinks when a request says nothing of it."""
    budgets: dict[ThinkingLevel, int] = msgspec.field(default_factory=lambda: BUDGETS)
    """For budget: tokens of each level but minimal, which is none."""
    efforts: tuple[ThinkingLevel, ...] = ("low", "medium", "high")
    """For adaptive and always: the levels that `effort` has."""
    bound: bool = False
    """Its thoughts go back only behind the very words they were thought after; it is asked to
    drop the others. System instructions and functions may change from turn to turn here."""
    sampling: Sampling = "both"
    """Whether it takes temperature and top_p: both, one of them, or neither, and no top_k."""
    forced_calls: bool = True
    """It can be made to call a function, if it does not think meanwhile."""
    forbidden_calls: bool = True
    """It calls nothing when it is told to call nothing; else it is shown no functions then."""
    schema: bool = False
    """It can be held to a JSON schema, in answers and in arguments."""
    prefill: bool = False
    """It goes on from an assistant message at the end of the conversation."""
    media: bool = True
    """It takes images and PDFs."""
    context_tokens: int | None = None
    max_output_tokens: int | None = None


class GivenDialect(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is different from what is known of the model by its name; see Dialect."""

    thinking: ThinkingForm | UnsetType = UNSET
    thinks: bool | UnsetType = UNSET
    budgets: dict[ThinkingLevel, int] | UnsetType = UNSET
    efforts: tuple[ThinkingLevel, ...] | UnsetType = UNSET
    bound: bool | UnsetType = UNSET
    sampling: Sampling | UnsetType = UNSET
    forced_calls: bool | UnsetType = UNSET
    forbidden_calls: bool | UnsetType = UNSET
    schema: bool | UnsetType = UNSET
    prefill: bool | UnsetType = UNSET
    media: bool | UnsetType = UNSET


_DEEP: tuple[ThinkingLevel, ...] = ("low", "medium", "high", "xhigh")
_NEWEST = Dialect(
    thinking="always",
    thinks=True,
    efforts=_DEEP,
    bound=True,
    sampling="none",
    forced_calls=False,
    schema=True,
    context_tokens=1_000_000,
    max_output_tokens=128_000,
)
_ALWAYS = msgspec.structs.replace(_NEWEST, bound=False)
_CAN_STOP = msgspec.structs.replace(_NEWEST, thinking="adaptive", forced_calls=True)
_UNBOUND = msgspec.structs.replace(_CAN_STOP, bound=False)
_ON_REQUEST = msgspec.structs.replace(_UNBOUND, thinks=False)
_FIRST_ADAPTIVE = msgspec.structs.replace(
    _ON_REQUEST, efforts=("low", "medium", "high"), sampling="one"
)
_BUDGET = Dialect(
    thinking="budget",
    sampling="one",
    schema=True,
    prefill=True,
    context_tokens=200_000,
    max_output_tokens=64_000,
)
_FOUR = msgspec.structs.replace(_BUDGET, sampling="both", schema=False)

DIALECTS: dict[str, Dialect] = {
    "*": Dialect(media=False, forbidden_calls=False),
    "claude-*": _NEWEST,
    "claude-fable-5": _ALWAYS,
    "claude-mythos-5": _ALWAYS,
    "claude-mythos-preview*": _ALWAYS,
    "claude-sonnet-5-5*": _CAN_STOP,
    "claude-haiku-5-5*": _CAN_STOP,
    "claude-opus-5": _UNBOUND,
    "claude-sonnet-5": _UNBOUND,
    "claude-opus-4-8*": _ON_REQUEST,
    "claude-opus-4-7*": _ON_REQUEST,
    "claude-opus-4-6*": _FIRST_ADAPTIVE,
    "claude-sonnet-4-6*": msgspec.structs.replace(_FIRST_ADAPTIVE, max_output_tokens=64_000),
    "claude-opus-4-5*": _BUDGET,
    "claude-sonnet-4-5*": _BUDGET,
    "claude-haiku-4-5*": _BUDGET,
    "claude-opus-4-1*": msgspec.structs.replace(_FOUR, sampling="one", max_output_tokens=32_000),
    "claude-opus-4-*": msgspec.structs.replace(_FOUR, max_output_tokens=32_000),
    "claude-sonnet-4-*": _FOUR,
    "claude-3-7-*": _FOUR,
    "claude-3-*": msgspec.structs.replace(_FOUR, thinking="none", max_output_tokens=4_096),
}
"""By globs of names; the longest one that fits counts. A Claude that stands in no other line is
taken for a new one, and what is no Claude for a model that takes what all take."""

_BY_LENGTH = sorted(DIALECTS, key=len, reverse=True)


def dialect_of(model: str | None, given: GivenDialect) -> Dialect:
    """What is known of a model by its name, and what the operator says before it. Names that
    resellers give them are known too; without a name it is a new Claude."""
    name = (model or "claude-").lower().replace(".", "-").replace("@", "-")
    name = name[max(name.find("claude"), 0) :]
    known = next(DIALECTS[glob] for glob in _BY_LENGTH if fnmatchcase(name, glob))
    said = {
        field: value for field, value in msgspec.structs.asdict(given).items() if value is not UNSET
    }
    return msgspec.structs.replace(known, **said)
