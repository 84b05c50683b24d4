"""Anthropic: a model behind a server of messages."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from interplay.contracts.model import ModelFacts, Turn
from interplay.plugins.models.anthropic.chunks import Event
from interplay.plugins.models.anthropic.config import AnthropicConfig, facts_of
from interplay.plugins.models.anthropic.dialect import dialect_of
from interplay.plugins.models.anthropic.names import fitting
from interplay.plugins.models.anthropic.reader import Reader
from interplay.plugins.models.anthropic.request import build
from interplay.plugins.models.remote.connection import Connection
from interplay.plugins.models.remote.served import Request, Served


class Anthropic(Served):
    """One model of one server, or every model of it that is asked for by name."""

    Config: ClassVar[type[msgspec.Struct]] = AnthropicConfig

    def __init__(self, config: AnthropicConfig) -> None:
        self.facts: ModelFacts = facts_of(config)
        self._entry = config
        connection = Connection(
            config,
            "messages",
            key_header="x-api-key",
            headers={"anthropic-version": config.anthropic_version},
        )
        super().__init__(config, connection, msgspec.json.Decoder(Event))

    def asked(self, turn: Turn) -> Request:
        """The messages that stand for a turn."""
        model = self._entry.model or turn.model
        origin = f"anthropic/{model}"
        dialect = dialect_of(model, self._entry.dialect)
        sent = build(turn, self._entry, self.facts, dialect, model=model, origin=origin)
        betas = ",".join(dict.fromkeys(sent.betas))
        headers = f"anthropic-beta: {betas}\r\n".encode() if betas else b""
        return Request(sent.body, model, origin, headers)

    def reader(self, turn: Turn, request: Request) -> Reader:
        """Reads events of a message."""
        names = {fitting(spec.name): spec.name for spec in turn.functions}
        return Reader(turn, self._connection.server, request.origin, names)
