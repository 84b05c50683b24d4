"""Signatures of thoughts: opaque outside, and to us the way to give a thought back."""

from __future__ import annotations

import binascii
from base64 import b64decode, b64encode
from typing import Any

import msgspec


class Signed(msgspec.Struct, omit_defaults=True):
    """What a signature holds."""

    origin: str
    """The backend and the model whose thought it is; another model is not given it."""
    text: str = ""
    details: list[dict[str, Any]] = []


_decoder = msgspec.json.Decoder(Signed)


def sign(signed: Signed) -> str:
    """The signature, base64."""
    return b64encode(msgspec.json.encode(signed)).decode()


def read(signature: str | None, origin: str) -> Signed | None:
    """What a signature of this origin holds; None for one of another origin."""
    if not signature:
        return None
    try:
        signed = _decoder.decode(b64decode(signature, validate=True))
    except (binascii.Error, ValueError, msgspec.DecodeError):
        return None
    return signed if signed.origin == origin else None
