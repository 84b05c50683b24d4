"""What a model is shown of a result whose wire type has no place for it.

Some result steps tell the caller how it went and no more: the words of a page or a passage have
no field. They travel in the step's `signature`, which callers give back unchanged, so that a
conversation goes on with them whoever keeps it. Backends read them with `read`.

Sources a model can cite by number travel there too: what a text of the model cites like `[3]` is
annotated with source 3 (interplay.contracts.tool.Numbers gives numbers out).
"""

from __future__ import annotations

import binascii
from base64 import b64decode, b64encode
from collections.abc import Mapping

import msgspec

from interplay.wire.content import (
    FileCitation,
    ImageContent,
    PlaceCitation,
    TextContent,
    URLCitation,
)

Source = URLCitation | FileCitation | PlaceCitation
"""An annotation without its place in a text."""


class Shown(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """What a signature of a result step holds."""

    shown: list[TextContent | ImageContent]
    sources: dict[int, Source] = {}
    """By the number under which the model was shown them."""


_decoder = msgspec.json.Decoder(Shown)


def sign(
    content: list[TextContent | ImageContent], sources: Mapping[int, Source] | None = None
) -> str:
    """The signature, base64, under which a model is shown this."""
    return b64encode(msgspec.json.encode(Shown(content, dict(sources or {})))).decode()


def read(signature: str | None, *, images: bool) -> list[TextContent | ImageContent] | None:
    """What a model is shown; None when the signature is nobody's or another's. A model that does
    not see `images` is told that there is one."""
    held = _held(signature)
    if held is None:
        return None
    return held.shown if images else [_told(block) for block in held.shown]


def sources(signature: str | None) -> dict[int, Source]:
    """The numbered sources a signature carries; none when it is nobody's or another's."""
    held = _held(signature)
    return held.sources if held is not None else {}


def _held(signature: str | None) -> Shown | None:
    if not signature:
        return None
    try:
        return _decoder.decode(b64decode(signature, validate=True))
    except (binascii.Error, ValueError, msgspec.DecodeError):
        return None


def _told(block: TextContent | ImageContent) -> TextContent | ImageContent:
    if isinstance(block, TextContent):
        return block
    return TextContent(f"[An image ({block.mime_type or 'of unknown type'}) that you cannot see.]")
