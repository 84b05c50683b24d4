"""The little HTTP/1.1 that the mock upstream, the floor and the load generator share."""

from __future__ import annotations

HEAD_END = b"\r\n\r\n"
LAST_CHUNK = b"0\r\n\r\n"


class Malformed(Exception):
    """What came is not the HTTP/1.1 this bench speaks; the message shows where it broke."""


def header(head: bytes, name: bytes) -> bytes | None:
    """The value of a header, `name` in lower case; None when the head does not have it."""
    lowered = head.lower()
    at = lowered.find(b"\r\n" + name + b":")
    if at < 0:
        return None
    start = at + len(name) + 3
    end = lowered.find(b"\r\n", start)
    return (lowered[start:] if end < 0 else lowered[start:end]).strip()


def content_length(head: bytes) -> int:
    """The length of the body that follows this head; 0 without the header."""
    value = header(head, b"content-length")
    if value is None:
        return 0
    if not value.isdigit():
        raise Malformed(f"content-length is {value!r}")
    return int(value)


class Messages:
    """Cuts a byte stream into requests of (head, body); bodies need a content-length."""

    __slots__ = ("_buffer", "_head", "_need")

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._head: bytes | None = None
        self._need = 0

    def feed(self, data: bytes) -> list[tuple[bytes, bytes]]:
        """Adds bytes and answers the messages that are whole now."""
        buffer = self._buffer
        if not buffer and self._head is None:
            # Nearly always one message comes in one packet: no copy through the buffer then.
            end = data.find(HEAD_END)
            if end >= 0:
                head = data[: end + 2]
                if len(data) == end + 4 + content_length(head):
                    return [(head, data[end + 4 :])]
        buffer += data
        found: list[tuple[bytes, bytes]] = []
        while True:
            if self._head is None:
                end = buffer.find(HEAD_END)
                if end < 0:
                    return found
                self._head = bytes(buffer[: end + 2])
                del buffer[: end + 4]
                self._need = content_length(self._head)
            if len(buffer) < self._need:
                return found
            found.append((self._head, bytes(buffer[: self._need])))
            del buffer[: self._need]
            self._head = None


class Dechunker:
    """Takes chunked transfer encoding apart as it comes."""

    __slots__ = ("_buffer", "ended")

    def __init__(self) -> None:
        self._buffer = bytearray()
        self.ended = False

    def feed(self, data: bytes) -> bytes:
        """Adds bytes and answers the body bytes of the chunks that are whole now."""
        buffer = self._buffer
        buffer += data
        parts: list[bytes] = []
        at = 0
        while True:
            line = buffer.find(b"\r\n", at)
            if line < 0:
                break
            try:
                size = int(buffer[at:line], 16)
            except ValueError as error:
                raise Malformed(f"a chunk size is {bytes(buffer[at:line])!r}") from error
            end = line + 2 + size
            if len(buffer) < end + 2:
                break
            at = end + 2
            if size == 0:
                self.ended = True
                break
            parts.append(bytes(buffer[line + 2 : end]))
        del buffer[:at]
        return parts[0] if len(parts) == 1 else b"".join(parts)


def chunk(data: bytes) -> bytes:
    """One chunk of chunked transfer encoding."""
    return b"%x\r\n%b\r\n" % (len(data), data)
