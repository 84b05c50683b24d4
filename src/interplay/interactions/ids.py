"""Ids of interactions, events and tool calls."""

from __future__ import annotations

import os
import struct
from base64 import urlsafe_b64decode
from binascii import b2a_base64

_POOL = 256


class _Randomness:
    """Bytes of the system's generator, fetched for many ids at once: a call of it each time
    costs as much as all the rest of an id."""

    def __init__(self) -> None:
        self._bytes, self._at = b"", 0

    def take(self, count: int) -> bytes:
        end = self._at + count
        if end > len(self._bytes):
            self._bytes, self._at, end = os.urandom(_POOL * 16), 0, count
        taken, self._at = self._bytes[self._at : end], end
        return taken

    def forget(self) -> None:
        self._bytes, self._at = b"", 0


_random = _Randomness()
if hasattr(os, "register_at_fork"):  # two processes must never share what comes next
    os.register_at_fork(after_in_child=_random.forget)
_ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"
_PREFIX_LENGTH = 12
_URL_SAFE = bytes.maketrans(b"+/", b"-_")


def _base64url(raw: bytes) -> bytes:
    """base64url without padding."""
    return b2a_base64(raw, newline=False).translate(_URL_SAFE, b"=")


def new_interaction_id(now: float, root: str | None = None) -> tuple[str, str]:
    """An interaction's id and its conversation's root.

    The id is "v1_" and the unpadded base64url of a two-field protobuf message {1: root, 2: own};
    own is 23 characters, base64url of 17 bytes that start with the little-endian unix time. The
    first interaction of a conversation is its own root.
    """
    own = _base64url(struct.pack("<I", int(now)) + _random.take(13))
    first = root.encode() if root else own
    packed = b"\x0a\x17" + first + b"\x12\x17" + own
    return "v1_" + _base64url(packed).decode(), first.decode()


def first_id(root: str) -> str:
    """The id of a conversation's first interaction."""
    packed = b"\x0a\x17" + root.encode() + b"\x12\x17" + root.encode()
    return "v1_" + _base64url(packed).decode()


def root_of(interaction_id: str) -> str | None:
    """The conversation's root inside an id; None for an id we did not make."""
    if not interaction_id.startswith("v1_") or len(interaction_id) != 70:
        return None
    try:
        packed = urlsafe_b64decode(interaction_id[3:] + "=")
    except ValueError:
        return None
    if packed[:2] != b"\x0a\x17" or packed[25:27] != b"\x12\x17":
        return None
    return packed[2:25].decode("ascii", "replace")


def new_call_id() -> str:
    """An id for a tool call: 8 lower-case letters and digits."""
    return "".join(_ALPHABET[byte % 36] for byte in _random.take(8))


def event_prefix(interaction_id: str) -> str:
    """What every event id of this interaction starts with; the sequence number follows."""
    return interaction_id[-_PREFIX_LENGTH:] + "."


def event_sequence(interaction_id: str, event_id: str) -> int | None:
    """The sequence number inside an event id; None when it is not one of this interaction."""
    prefix = event_prefix(interaction_id)
    digits = event_id[len(prefix) :]
    if not event_id.startswith(prefix) or not digits.isascii() or not digits.isdigit():
        return None
    return int(digits) if len(digits) < 12 else None
