"""What a model backend promises: one turn in, a stream of pieces out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, ClassVar, Literal, Protocol

import msgspec

from interplay.wire.deltas import DeltaData
from interplay.wire.generation import GenerationConfig, ResponseFormat, ThinkingLevel
from interplay.wire.steps import FunctionCallStep, Step
from interplay.wire.usage import Modality, Usage


class ModelFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a model can do, as data: the core reads facts and never a backend's name."""

    inputs: frozenset[Modality] = frozenset({"text"})
    outputs: frozenset[Modality] = frozenset({"text"})
    uris: bool = False
    """It fetches media from http and https addresses itself; else this server does."""
    functions: bool = False
    """It can be offered functions and calls them."""
    schema: bool = False
    """It can be held to a JSON schema while it decodes."""
    prefill: bool = False
    """It continues `Turn.prefix` as its own words."""
    thinking_levels: frozenset[ThinkingLevel] = frozenset()
    """Levels that change how it thinks; empty for a model that does not think."""
    context_tokens: int | None = None
    """Input and output together; None when nobody knows."""
    max_output_tokens: int | None = None


class FunctionSpec(msgspec.Struct, kw_only=True):
    """A function as the model is shown it."""

    name: str
    description: str = ""
    parameters: dict[str, Any] = {}
    """A JSON schema of type object, lower-case types; empty for a function without arguments."""


class Choice(msgspec.Struct, kw_only=True):
    """Which functions this turn may call.

    auto: any or none. any: at least one. none: not one. validated: any or none, with
    arguments that fit their schema.
    """

    mode: Literal["auto", "any", "none", "validated"] = "auto"
    names: list[str] | None = None
    """Only these; None for all."""


class Turn(msgspec.Struct, kw_only=True):
    """One call of a model."""

    model: str
    """The name the caller asked for."""
    steps: list[Step]
    """The conversation, oldest first, this interaction's input and finished steps last.

    Call and result steps of server tools stand among them; a backend without a form of its
    own for those shows them as function calls and results. There are no media of kinds that the
    facts do not name: words stand for them, and for a document its text. Media stand here with
    their `data`; only where the facts say `uris` some have an http or https `uri`.
    """
    system_instruction: str | None = None
    functions: list[FunctionSpec] = []
    choice: Choice = msgspec.field(default_factory=Choice)
    max_output_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    seed: int | None = None
    stop_sequences: list[str] = []
    thinking_level: ThinkingLevel | None = None
    thinking_summaries: bool = False
    """Summaries of thoughts are wanted; without it a backend yields no ThoughtSummaryDelta."""
    json: bool = False
    """The text must be JSON; with `schema`, JSON that fits it."""
    schema: dict[str, Any] | None = None
    formats: list[ResponseFormat] = []
    """Image, audio and video formats that are asked for; only kinds in `facts.outputs`."""
    config: GenerationConfig | None = None
    """The request's whole generation_config, for what has no field of its own here (speech,
    image, video, transcription)."""
    prefix: str = ""
    """Text of the open model_output a client has already seen; only where facts say prefill."""
    conversation: str = ""
    """The same for every turn of one chain: a hint where a prompt cache may lie."""


class TurnEnd(msgspec.Struct, kw_only=True):
    """The last piece of a turn."""

    reason: Literal["stop", "length", "calls", "blocked"] = "stop"
    """length: max_output_tokens or the context was reached. blocked: see `code`."""
    usage: Usage = msgspec.field(default_factory=Usage)
    code: str | None = None
    """For blocked: the API's generation fault, e.g. `safety`, `recitation`."""
    message: str | None = None


Piece = DeltaData | FunctionCallStep | TurnEnd
"""What `stream` yields.

A TextDelta or media delta belongs to the model_output being written, a ThoughtSummaryDelta
or ThoughtSignatureDelta to the thought being written; the writer opens and closes steps as
the kind changes. A FunctionCallStep (with `arguments={}`) opens a call, the ArgumentsDeltas
after it are fragments of its JSON. TurnEnd comes last, once.
"""


class Model(Protocol):
    """One configured model.

    Registered in the entry-point group `interplay.models` as a class: built once per entry of
    the `models` setting with that entry's fields, decoded as `Config`.
    """

    Config: ClassVar[type[msgspec.Struct]]
    """The fields its entry in settings may have, beside `backend`."""
    facts: ModelFacts

    def stream(self, turn: Turn) -> AsyncIterator[Piece]:
        """Runs one turn. Closing the iterator stops the work behind it at once.

        Raises interplay.contracts.failure.Failure: Unavailable, Busy, TimedOut, BadAnswer,
        Refused, NotInstalled. After a failure nothing more is yielded.
        """
        ...

    def doing(self) -> str | None:
        """What a waiting caller waits for ("loading qwen2.5-coder-1.5b"); None when ready."""
        ...

    async def open(self) -> None:
        """Called once when the server starts; must not wait for the model to be loaded."""
        ...

    async def close(self) -> None:
        """Called once when the server stops; ends whatever still runs."""
        ...
