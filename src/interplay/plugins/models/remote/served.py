"""Served: a model behind a server, whatever that server speaks."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from typing import Any

import msgspec

from interplay.contracts.failure import Busy, Failure, Unavailable
from interplay.contracts.model import Piece, Turn
from interplay.plugins.models.remote.answer import Answer, Reader
from interplay.plugins.models.remote.config import ServerConfig
from interplay.plugins.models.remote.connection import Connection
from interplay.plugins.models.remote.faults import CutOff


class Request(msgspec.Struct, frozen=True):
    """What is sent for a turn."""

    body: bytes
    model: str
    """The model's name at the server."""
    origin: str
    """Under which name thoughts are signed: they go back to the same backend and model alone."""
    headers: bytes = b""
    """Header lines of this request, each with its end."""


class Served:
    """One model of one server. Answers are always asked for as a stream.

    A backend says what a turn looks like there (`asked`) and how an answer is read (`reader`).
    """

    def __init__(
        self,
        config: ServerConfig,
        connection: Connection,
        decoder: msgspec.json.Decoder[Any],
    ) -> None:
        self._config, self._connection, self._decoder = config, connection, decoder
        self._in_line = 0
        self._pausing = 0

    def asked(self, turn: Turn) -> Request:
        """The request of a turn. Raises Refused for what the model cannot take."""
        raise NotImplementedError

    def reader(self, turn: Turn, request: Request) -> Reader:
        """Makes pieces of one answer."""
        raise NotImplementedError

    async def stream(self, turn: Turn) -> AsyncIterator[Piece]:
        """Runs one turn; see interplay.contracts.model.Model.

        A request that failed before the first piece is sent again as the settings say.
        """
        request = self.asked(turn)
        places = self._config.max_concurrent
        line = None
        if places is not None:
            line = self._connection.line(places)
            await self._wait(line)
        answer = None
        try:
            answer, pieces = await self._begin(turn, request)
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

    async def _begin(self, turn: Turn, request: Request) -> tuple[Answer, list[Piece]]:
        """An answer and its first pieces. Raises Failure when every try failed."""
        tries = 0
        while True:
            try:
                return await self._try(turn, request)
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

    async def _try(self, turn: Turn, request: Request) -> tuple[Answer, list[Piece]]:
        connection = self._connection
        link = await connection.ask(request.body, turn.model, request.model, request.headers)
        answer = Answer(connection, link, self.reader(turn, request), self._decoder, self._config)
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
