"""OpenAICompatible: a model behind a chat-completions server."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from typing import ClassVar

import msgspec

from interplay.contracts.failure import Busy, Failure, Unavailable
from interplay.contracts.model import ModelFacts, Piece, Turn
from interplay.plugins.models.openai_compatible.answer import Answer
from interplay.plugins.models.openai_compatible.chunks import chunk_format
from interplay.plugins.models.openai_compatible.config import OpenAICompatibleConfig, facts_of
from interplay.plugins.models.openai_compatible.connection import Connection
from interplay.plugins.models.openai_compatible.faults import CutOff
from interplay.plugins.models.openai_compatible.reader import Reader
from interplay.plugins.models.openai_compatible.request import build


class OpenAICompatible:
    """One model of one server. Answers are always asked for as a stream."""

    Config: ClassVar[type[msgspec.Struct]] = OpenAICompatibleConfig

    def __init__(self, config: OpenAICompatibleConfig) -> None:
        self.facts: ModelFacts = facts_of(config)
        self._config = config
        self._format = chunk_format(config.dialect.reasoning_fields)
        self._connection = Connection(config)
        self._in_line = 0
        self._pausing = 0

    async def stream(self, turn: Turn) -> AsyncIterator[Piece]:
        """Runs one turn; see interplay.contracts.model.Model.

        A request that failed before the first piece is sent again as the settings say.
        """
        model = self._config.model or turn.model
        origin = f"openai_compatible/{model}"
        body = build(turn, self._config, self.facts, model=model, origin=origin)
        places = self._config.max_concurrent
        line = None
        if places is not None:
            line = self._connection.line(places)
            await self._wait(line)
        answer = None
        try:
            answer, pieces = await self._begin(body, turn, model, origin)
            while pieces:
                for piece in pieces:
                    yield piece
                pieces = await answer.more()
        finally:
            if answer is not None:
                answer.close()
            if line is not None:
                line.release()

    async def _wait(self, line: asyncio.Semaphore) -> None:
        self._in_line += 1
        try:
            await line.acquire()
        finally:
            self._in_line -= 1

    async def _begin(
        self, body: bytes, turn: Turn, model: str, origin: str
    ) -> tuple[Answer, list[Piece]]:
        """An answer and its first pieces. Raises Failure when every try failed."""
        tries = 0
        while True:
            try:
                return await self._try(body, turn, model, origin)
            except Failure as failure:
                pause = self._pause(failure, tries)
                if pause is None:
                    raise
            tries += 1
            self._pausing += 1
            try:
                await asyncio.sleep(pause)
            finally:
                self._pausing -= 1

    async def _try(
        self, body: bytes, turn: Turn, model: str, origin: str
    ) -> tuple[Answer, list[Piece]]:
        connection, config, format = self._connection, self._config, self._format
        link = await connection.ask(body, turn.model, model)
        reader = Reader(turn, config.dialect, format.thoughts, connection.server, origin)
        answer = Answer(connection, link, reader, format.decoder, config)
        try:
            return answer, await answer.more()
        except BaseException:
            answer.close()
            raise

    def _pause(self, failure: Failure, tries: int) -> float | None:
        """Seconds until the next try; None when there is to be none."""
        config = self._config
        if tries >= config.retries or not isinstance(failure, Unavailable | Busy | CutOff):
            return None
        pause = min(config.retry_cap_seconds, config.retry_seconds * 2**tries)
        pause *= 0.5 + random.random() / 2
        asked = failure.retry_after
        if asked is not None and asked > config.retry_cap_seconds:
            return None
        return max(pause, asked or 0.0)

    def doing(self) -> str | None:
        """Whether turns wait in line, or for the server to take requests again."""
        where = self._connection.server.where
        if self._pausing:
            return f"trying {where} again"
        if self._in_line:
            return f"waiting in line for {where}"
        return None

    async def open(self) -> None:
        """Makes the pool of connections; nothing is sent yet."""
        self._connection.pool()

    async def close(self) -> None:
        """Closes the connections."""
        await self._connection.close()
