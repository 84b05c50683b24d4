"""What a model is shown of a result whose wire type has no place for it.

Some result steps tell the caller how it went and no more: the words of a page or a passage have
no field. They travel in the step's `signature`, which callers give back unchanged, so that a
conversation goes on with them whoever keeps it. Backends read them with `read`.
"""

from __future__ import annotations

import binascii
from base64 import b64decode, b64encode

import msgspec

from interplay.wire.content import ImageContent, TextContent


class Shown(msgspec.Struct, forbid_unknown_fields=True):
    """What a signature of a result step holds."""

    shown: list[TextContent | ImageContent]


_decoder = msgspec.json.Decoder(Shown)


def sign(content: list[TextContent | ImageContent]) -> str:
    """The signature, base64, under which a model is shown this."""
    return b64encode(msgspec.json.encode(Shown(content))).decode()


def read(signature: str | None, *, images: bool) -> list[TextContent | ImageContent] | None:
    """What a model is shown; None when the signature is nobody's or another's. A model that does
    not see `images` is told that there is one."""
    if not signature:
        return None
    try:
        shown = _decoder.decode(b64decode(signature, validate=True)).shown
    except (binascii.Error, ValueError, msgspec.DecodeError):
        return None
    return shown if images else [_told(block) for block in shown]


def _told(block: TextContent | ImageContent) -> TextContent | ImageContent:
    if isinstance(block, TextContent):
        return block
    return TextContent(f"[An image ({block.mime_type or 'of unknown type'}) that you cannot see.]")
