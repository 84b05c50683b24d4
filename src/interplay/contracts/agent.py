"""What an agent promises: given what was asked, it drives the run."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any, ClassVar, Protocol

import msgspec

from interplay.contracts.model import Choice, FunctionSpec, Piece
from interplay.wire.generation import GenerationConfig
from interplay.wire.interaction import CreateInteraction
from interplay.wire.steps import Step
from interplay.wire.tools import Tool


class AgentFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What an agent accepts, as data: admission reads it."""

    background_only: bool = False
    system_instruction: bool = True
    tools: bool = True
    functions: bool = True
    response_format: bool = False


class Ask(msgspec.Struct, kw_only=True):
    """One call of a model by an agent; what is left out comes from the request."""

    model: str
    steps: Sequence[Step]
    system_instruction: str | None = None
    functions: Sequence[FunctionSpec] = ()
    choice: Choice | None = None
    generation: GenerationConfig | None = None
    schema: dict[str, Any] | None = None


class Run(Protocol):
    """What a running agent holds. Everything it writes goes into the interaction's journal."""

    interaction_id: str
    asked: CreateInteraction
    config: Any
    """The request's agent_config, decoded as the agent's Config."""
    history: Sequence[Step]
    """The steps of the chain before this interaction, oldest first."""
    input: Sequence[Step]
    """This interaction's own input."""

    @property
    def written(self) -> Sequence[Step]:
        """Steps finished so far, those of an earlier attempt of this interaction included."""
        ...

    async def converse(
        self, model: str, *, system_instruction: str | None = None, tools: Sequence[Tool] = ()
    ) -> None:
        """The plain loop: the model and the tools in turn, written as they come, until the model
        is done, a function of the caller must answer, or a budget ends it."""
        ...

    def generate(self, ask: Ask) -> AsyncIterator[Piece]:
        """One turn of a model; nothing is written unless the agent writes it."""
        ...

    async def write(self, step: Step) -> None:
        """Writes one whole step."""
        ...

    async def think(self, summary: str) -> None:
        """Writes a thought step with this summary."""
        ...

    async def once(self, key: str, make: Callable[[], Awaitable[Any]]) -> Any:
        """Durable memo: `make` runs once per interaction and key; after a crash the stored
        value (JSON) comes back."""
        ...


class Agent(Protocol):
    """An agent, run by `agent=`.

    Registered in the entry-point group `interplay.agents`, or as `module:attribute` in the
    `agents` setting, as a class built with that entry's fields as keyword arguments.
    """

    Config: ClassVar[type[msgspec.Struct]]
    """What `agent_config` may hold."""
    facts: ClassVar[AgentFacts]

    async def run(self, run: Run) -> None:
        """Drives one interaction to its end; what it raises ends the interaction as `failed`."""
        ...
