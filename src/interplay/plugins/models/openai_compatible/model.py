"""OpenAICompatible: a model behind a chat-completions server."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from interplay.contracts.model import ModelFacts, Turn
from interplay.plugins.models.openai_compatible.chunks import chunk_format
from interplay.plugins.models.openai_compatible.config import OpenAICompatibleConfig, facts_of
from interplay.plugins.models.openai_compatible.reader import Reader
from interplay.plugins.models.openai_compatible.request import build
from interplay.plugins.models.remote.connection import Connection
from interplay.plugins.models.remote.served import Request, Served


class OpenAICompatible(Served):
    """One model of one server of chat completions."""

    Config: ClassVar[type[msgspec.Struct]] = OpenAICompatibleConfig

    def __init__(self, config: OpenAICompatibleConfig) -> None:
        self.facts: ModelFacts = facts_of(config)
        self._dialect = config.dialect
        self._entry = config
        format = chunk_format(config.dialect.reasoning_fields)
        self._thoughts = format.thoughts
        super().__init__(config, Connection(config, "chat", "completions"), format.decoder)

    def asked(self, turn: Turn) -> Request:
        """The chat that stands for a turn."""
        model = self._entry.model or turn.model
        origin = f"openai_compatible/{model}"
        return Request(
            build(turn, self._entry, self.facts, model=model, origin=origin), model, origin
        )

    def reader(self, turn: Turn, request: Request) -> Reader:
        """Reads chunks of a completion."""
        return Reader(turn, self._dialect, self._thoughts, self._connection.server, request.origin)
