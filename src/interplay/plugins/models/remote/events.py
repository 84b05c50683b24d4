"""Bytes from a server -> the payloads of its server-sent events."""

from __future__ import annotations

from collections.abc import Iterator

from interplay.plugins.models.remote.faults import Garbled, shown

_FIELDS = (b"event", b"id", b"retry")


class Lines:
    """Cuts a stream into lines, however it is packed, and yields what its `data` lines hold.

    Comments and the other fields of events are passed over. Raises Garbled for a line longer
    than `limit` bytes and for lines that no event stream has. While `open` is set, the blank line
    that ends an event yields an empty payload.
    """

    __slots__ = ("_held", "_limit", "_size", "_start", "open")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._held: list[bytes] = []
        self._size = 0
        self._start = True
        self.open = False

    def regular(self, block: bytes) -> list[bytes] | None:
        """The payloads of a block that is nothing but whole events of one `data` line each, which
        is how nearly every server sends them; None for any other block, which `feed` takes."""
        if self._held or not (block.startswith(b"data:") and block.endswith(b"\n\n")):
            return None
        payloads = block[5:-2].split(b"\n\ndata:")
        if block.count(b"\n") != 2 * len(payloads) or len(block) > self._limit:
            return None
        self._start = False
        return payloads

    def feed(self, block: bytes) -> Iterator[bytes]:
        """Adds bytes and yields the payloads that are whole now."""
        if b"\n" not in block:
            self._hold(block)
            return
        if self._held:
            self._held.append(block)
            block = b"".join(self._held)
            self._held.clear()
            self._size = 0
        if self._start:
            block = block.removeprefix(b"\xef\xbb\xbf")
            self._start = False
        lines = block.split(b"\n")
        self._hold(lines.pop())
        for line in lines:
            if line.startswith(b"data:"):
                if len(line) > self._limit:
                    raise self._too_long()
                yield line[5:]
            elif line and line != b"\r":
                payload = self._other(line)
                if payload is not None:
                    yield payload
            elif self.open:
                yield b""

    def end(self) -> Iterator[bytes]:
        """Yields the payload of a last line that has no end."""
        if self._held:
            yield from self.feed(b"\n")

    def _hold(self, part: bytes) -> None:
        if part:
            self._held.append(part)
            self._size += len(part)
            if self._size > self._limit:
                raise self._too_long()

    def _too_long(self) -> Garbled:
        return Garbled(f"sent a line of more than {self._limit} bytes (max_line_bytes)")

    def _other(self, line: bytes) -> bytes | None:
        name = line.strip().partition(b":")[0]
        if line.startswith(b":") or name in _FIELDS or not name:
            return None
        if name == b"data":
            return b""
        if name == b"error":  # not an event's field, yet some servers break off with it
            return b'{"error":' + line.strip()[6:] + b"}"
        raise Garbled(f"sent a line that belongs to no event stream: {shown(line)}")
