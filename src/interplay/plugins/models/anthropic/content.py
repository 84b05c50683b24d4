"""Content blocks -> the blocks of a message."""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Sequence
from typing import Any

import msgspec

from interplay.contracts.failure import Refused
from interplay.plugins.models.remote.content import Block, image_type, not_taken
from interplay.wire.content import DocumentContent, ImageContent, TextContent
from interplay.wire.tools import Function
from interplay.wire.usage import Modality

Part = dict[str, Any]

_IMAGES = ("image/jpeg", "image/png", "image/gif", "image/webp")


class Blocks(msgspec.Struct, frozen=True):
    """Turns blocks into those of a message, for a model that takes these kinds of input."""

    inputs: frozenset[Modality]
    model: str

    def parts(self, blocks: Sequence[Block], place: str) -> list[Part]:
        """One part per block; texts of nothing but white space are left out, as the API refuses
        them. Raises Refused, naming the place, for what the model cannot take."""
        return [part for block in blocks if (part := self._part(block, place)) is not None]

    def _part(self, block: Block, place: str) -> Part | None:
        if isinstance(block, TextContent):
            return text(block.text)
        if isinstance(block, Function):
            return text(msgspec.json.encode(block).decode())
        kind: Modality = type(block).__struct_config__.tag  # pyright: ignore
        if kind in self.inputs and isinstance(block, ImageContent):
            return {"type": "image", "source": _image(block, place)}
        if kind in self.inputs and isinstance(block, DocumentContent):
            return {"type": "document", "source": _document(block, place)}
        raise not_taken(kind, self.inputs - {"audio", "video"}, place, self.model)


def text(words: str) -> Part | None:
    """A block of text; None for one the API would refuse."""
    return {"type": "text", "text": words} if words.strip() else None


def _image(block: ImageContent, place: str) -> Part:
    if block.data is None:
        return _source(block.uri, _IMAGES, place)
    mime = (block.mime_type or image_type(block.data)).partition(";")[0].lower()
    return _held("image/jpeg" if mime == "image/jpg" else mime, block.data, _IMAGES, place)


def _document(block: DocumentContent, place: str) -> Part:
    if block.data is None:
        return _source(block.uri, ("application/pdf",), place)
    mime = (block.mime_type or "application/pdf").partition(";")[0].lower()
    if not mime.startswith("text/"):
        return _held(mime, block.data, ("application/pdf",), place)
    try:
        words = b64decode(block.data, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise Refused(f"{place} holds a document of type {mime} that is no UTF-8 text.") from error
    return {"type": "text", "media_type": "text/plain", "data": words}


def _held(mime: str, data: str, taken: tuple[str, ...], place: str) -> Part:
    if mime not in taken:
        raise Refused(
            f"{place} holds content of type '{mime}', which this model's server does not take; it"
            f" takes {', '.join(taken)}."
        )
    return {"type": "base64", "media_type": mime, "data": data}


def _source(uri: str | None, taken: tuple[str, ...], place: str) -> Part:
    """What lies at an address. `data:` addresses are sent as what they hold."""
    uri = uri or ""
    if uri.startswith("data:"):
        head, _, data = uri.removeprefix("data:").partition(",")
        return _held(head.partition(";")[0].lower(), data, taken, place)
    if not uri.startswith(("https://", "http://")):
        raise Refused(
            f"{place} refers to '{uri[:200]}', which this model's server cannot fetch. Send the"
            " content inline in 'data', or by an https address."
        )
    return {"type": "url", "url": uri}
