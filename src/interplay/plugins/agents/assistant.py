"""A plain agent: any configured model with tools, in a loop until it is done."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from interplay.contracts.agent import AgentFacts, Run
from interplay.contracts.failure import Refused


class AssistantConfig(msgspec.Struct, forbid_unknown_fields=True):
    """What `agent_config` may hold for the assistant."""

    type: str | None = None
    """`dynamic`, or left out."""
    model: str | None = None
    """The model it thinks with; the agent's own setting when left out."""


class Assistant:
    """Answers with a model and the request's tools.

    Settings: `agents.NAME = {use = "assistant", model = "...", system_instruction = "..."}`; an
    agent configured so is a new name for a model with instructions of its own.
    """

    Config: ClassVar[type[msgspec.Struct]] = AssistantConfig
    facts: ClassVar[AgentFacts] = AgentFacts(response_format=True)

    def __init__(self, model: str | None = None, system_instruction: str | None = None) -> None:
        self._model, self._instruction = model, system_instruction

    async def run(self, run: Run) -> None:
        """Drives one interaction."""
        model = run.config.model or self._model
        if model is None:
            raise Refused(
                "This agent has no model: set agents.<name>.model in the settings, or send"
                " agent_config.model."
            )
        parts = [self._instruction, run.asked.system_instruction]
        instruction = "\n\n".join(part for part in parts if part)
        await run.converse(model, system_instruction=instruction or None)
