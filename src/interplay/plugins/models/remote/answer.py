"""One answer of a server, read block by block."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import msgspec

from interplay.contracts.failure import Failure
from interplay.contracts.model import Piece
from interplay.plugins.models.remote.config import ServerConfig
from interplay.plugins.models.remote.connection import Connection
from interplay.plugins.models.remote.events import Lines
from interplay.plugins.models.remote.faults import CutOff, Garbled, shown
from interplay.plugins.models.remote.http1 import Link, LinkFault

_LINES_PER_EVENT = 1_000
_DONE = b" [DONE]"
"""The last payload, as nearly all write it; any other form is known by being no chunk."""


class Reader(Protocol):
    """Makes pieces of a server's chunks; one for each answer."""

    @property
    def over(self) -> bool:
        """The server has said its last word: what may follow is not waited for."""
        ...

    @property
    def finished(self) -> bool:
        """The server has said why its answer ends."""
        ...

    def read(self, chunk: Any) -> Sequence[Piece]:
        """The pieces of one decoded chunk. Raises Failure and Garbled."""
        ...

    def end(self) -> Sequence[Piece]:
        """What is held, and the end of the turn. Raises Garbled."""
        ...


class Answer:
    """An open response and how far it has been read.

    It may be an event stream, or, from servers that do not stream, one JSON object: its first
    character tells.
    """

    def __init__(
        self,
        connection: Connection,
        link: Link,
        reader: Reader,
        decoder: msgspec.json.Decoder[Any],
        config: ServerConfig,
    ) -> None:
        self._connection, self._reader = connection, reader
        self._link: Link | None = link
        self._decode, self._config = decoder.decode, config
        self._lines = Lines(config.max_line_bytes)
        self._head = b""
        self._form: str | None = None
        self._whole: list[bytes] = []
        self._partial: list[bytes] = []
        self._bytes = 0
        self._chunks = 0
        self._failure: Failure | None = None
        self.ended = False

    async def more(self) -> list[Piece]:
        """The pieces that have come since, at least one; none when the answer is over.

        Raises Failure, after the pieces that came before it.
        """
        link = self._link
        while link is not None:
            if self._failure is not None:
                raise self._failure
            pieces: list[Piece] = []
            try:
                try:
                    block = await link.read()
                except LinkFault as fault:
                    block = self._forgiven(fault)
                if block:
                    self._take(block, pieces)
                else:
                    self._finish(pieces)
            except Garbled as fault:
                self._failure = self._connection.server.garbled(fault)
            except Failure as failure:
                self._failure = failure
            if self.ended:
                self._link = None
                link.home.give_back(link)
                return pieces
            if pieces:
                return pieces
        return []

    def _forgiven(self, fault: LinkFault) -> bytes:
        """The end of a body whose connection broke after the last word; all that is missing is
        the goodbye. Raises the failure for any other break."""
        failure = self._connection.failure(fault)
        if isinstance(failure, CutOff) and self._reader.finished:
            return b""
        raise failure from fault

    def _take(self, block: bytes, pieces: list[Piece]) -> None:
        self._bytes += len(block)
        if self._bytes > self._config.max_answer_bytes:
            raise Garbled(
                f"sent more than {self._config.max_answer_bytes} bytes (max_answer_bytes)"
            )
        if self._form is None:
            block = self._head = self._head + block
            start = block.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
            if not start:
                return
            self._form = "json" if start == b"{" else "events"
            self._head = b""
            if start == b"<":
                raise Garbled(
                    f"answered with a web page instead of an answer: {shown(block)}; check base_url"
                )
        if self._form == "json":
            self._whole.append(block)
            return
        payloads = self._lines.regular(block) if not self._partial else None
        if payloads is not None:
            self._events(payloads, pieces)
            return
        for payload in self._lines.feed(block):
            self._event(payload, pieces)
            if self.ended:
                return

    def _events(self, payloads: list[bytes], pieces: list[Piece]) -> None:
        """Reads whole events. What is no chunk goes the long way, which says what it is."""
        decode, read = self._decode, self._reader.read
        most = self._config.max_chunks
        done = payloads[-1] == _DONE
        if done:
            payloads.pop()
        for payload in payloads:
            try:
                chunk: Any = decode(payload)
            except (msgspec.DecodeError, UnicodeDecodeError):
                self._event(payload, pieces)
                if self._partial:
                    self._event(b"", pieces)
                if self.ended:
                    return
                continue
            self._chunks += 1
            if self._chunks > most:
                raise self._too_many()
            pieces += read(chunk)
        if done:
            self._close(pieces)

    def _event(self, payload: bytes, pieces: list[Piece]) -> None:
        if self._partial:
            payload = self._joined(payload)
            if not payload:
                return
        try:
            chunk: Any = self._decode(payload)
        except UnicodeDecodeError as error:
            raise Garbled(f"sent a chunk that is not UTF-8: {shown(payload)}") from error
        except msgspec.ValidationError as error:
            if payload.strip() == b"[DONE]":
                self._close(pieces)
                return
            raise Garbled(
                f"sent a chunk of an unknown shape ({error}): {shown(payload)}"
            ) from error
        except msgspec.DecodeError as error:
            if not payload.lstrip().startswith(b"{"):
                if not payload.strip():
                    return
                raise Garbled(
                    f"sent a chunk that is not JSON ({error}): {shown(payload)}"
                ) from error
            self._partial.append(payload)
            self._lines.open = True
            return
        self._chunks += 1
        if self._chunks > self._config.max_chunks:
            raise self._too_many()
        pieces += self._reader.read(chunk)
        if self._reader.over:
            self._close(pieces)

    def _too_many(self) -> Garbled:
        return Garbled(f"sent more than {self._config.max_chunks} chunks (max_chunks)")

    def _joined(self, payload: bytes) -> bytes:
        """An event's `data` lines as one, once they are JSON together; nothing before that."""
        lines = self._partial
        if payload:
            lines.append(payload)
        whole = b"\n".join(lines)
        if payload.rstrip().endswith(b"}") and _is_json(whole):
            self._partial = []
            self._lines.open = False
            return whole
        over = len(lines) > _LINES_PER_EVENT or len(whole) > self._config.max_line_bytes
        if not payload or over:
            raise Garbled(f"sent half a chunk: {shown(whole)}")
        return b""

    def _finish(self, pieces: list[Piece]) -> None:
        """The server has closed its answer."""
        if self._form == "json":
            whole = b"".join(self._whole)
            if not _is_json(whole):
                raise self._connection.server.cut_off(f"half a JSON object, {shown(whole)}")
            self._event(whole, pieces)
            self._close(pieces)
            return
        for payload in self._lines.end():
            self._event(payload, pieces)
        if self.ended:
            return
        if self._partial or not self._reader.finished:
            raise self._connection.server.cut_off()
        self._close(pieces)

    def _close(self, pieces: list[Piece]) -> None:
        pieces += self._reader.end()
        self.ended = True

    def close(self) -> None:
        """Closes the connection of an answer that has not ended."""
        link, self._link = self._link, None
        if link is not None:
            link.drop()


def _is_json(raw: bytes) -> bool:
    try:
        msgspec.json.decode(raw, type=msgspec.Raw)
    except msgspec.DecodeError:
        return False
    return True
