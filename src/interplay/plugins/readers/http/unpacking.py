"""Content-Encoding undone piece by piece, so that no bomb is ever held whole."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from importlib import import_module
from typing import Any

PIECE = 256 * 1024
"""Unpacked bytes made at a time."""
_GZIP = b"\x1f\x8b"


class CannotUnpack(Exception):
    """A body is not in the form its Content-Encoding names; the message may be shown."""


class Plain:
    """What was not packed."""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The data themselves."""
        yield data


class Zlib:
    """gzip with any number of members, zlib, and deflate without its head."""

    def __init__(self, encoding: str) -> None:
        self._gzip = encoding != "deflate"
        self._stream: Any = None

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Unpacked pieces of at most PIECE bytes. Raises CannotUnpack."""
        while data:
            if self._stream is None:
                self._stream = zlib.decompressobj(self._window(data))
            try:
                piece = self._stream.decompress(data, PIECE)
                data = self._stream.unconsumed_tail
            except zlib.error as error:
                raise CannotUnpack("The answer is not packed as it says") from error
            if piece:
                yield piece
            if self._stream.eof:
                rest: bytes = self._stream.unused_data
                if not (self._gzip and rest.startswith(_GZIP)):
                    return  # what follows is padding
                data, self._stream = rest, None

    def _window(self, data: bytes) -> int:
        if self._gzip:
            return 31
        headed = len(data) > 1 and data[0] & 0x0F == 8 and (data[0] * 256 + data[1]) % 31 == 0
        return 15 if headed else -15


class Brotli:
    """br."""

    def __init__(self) -> None:
        brotli: Any = import_module("brotli")
        self._error: type[Exception] = brotli.error
        self._stream: Any = brotli.Decompressor()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Unpacked pieces. Raises CannotUnpack."""
        while True:
            try:
                piece: bytes = self._stream.process(data, output_buffer_limit=PIECE)
            except self._error as error:
                raise CannotUnpack("The answer is not packed as it says") from error
            if piece:
                yield piece
            elif self._stream.can_accept_more_data():
                return
            if self._stream.is_finished():
                return
            data = b""


def unpacker(encoding: str) -> Plain | Zlib | Brotli:
    """By the value of Content-Encoding. Raises CannotUnpack for what was not asked for."""
    name = encoding.strip().lower()
    if name in ("", "identity"):
        return Plain()
    if name in ("gzip", "x-gzip", "deflate"):
        return Zlib(name)
    if name == "br":
        return Brotli()
    raise CannotUnpack(f"The answer is packed as '{name[:40]}', which this server does not read")
