"""Signatures that a receiver checks with a shared secret, as standardwebhooks.com describes."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable

import msgspec

_PREFIX = "whsec_"
_BYTES = 36  # the base64 of so many ends without padding
_SHOWN = 4


class Secret(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A secret of a webhook. It must be kept whole, as every delivery is signed with it; its text
    appears in no representation."""

    text: str
    expires: float | None = None
    """Unix seconds; it signs until then."""

    def lives(self, now: float) -> bool:
        """Whether it still signs."""
        return self.expires is None or self.expires > now

    def __repr__(self) -> str:
        return f"Secret({truncated(self.text)})"


def new_secret() -> Secret:
    """A secret nobody knows yet."""
    return Secret(text=_PREFIX + base64.b64encode(secrets.token_bytes(_BYTES)).decode())


def truncated(text: str) -> str:
    """As much of a secret as tells it from others."""
    return f"{_PREFIX}...{text[-_SHOWN:]}"


def signature(using: Iterable[Secret], id: str, timestamp: int, body: bytes) -> str:
    """The `webhook-signature` header: one signature for each secret, newest first."""
    signed = f"{id}.{timestamp}.".encode() + body
    found = [_one(secret, signed) for secret in using]
    return " ".join(reversed(found))


def _one(secret: Secret, signed: bytes) -> str:
    key = base64.b64decode(secret.text.removeprefix(_PREFIX))
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
