"""Content blocks -> the parts of a message."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from interplay.contracts.failure import Refused
from interplay.plugins.models.remote.content import Block, image_type, not_taken
from interplay.wire.content import (
    AudioContent,
    DocumentContent,
    ImageContent,
    TextContent,
    VideoContent,
)
from interplay.wire.tools import Function
from interplay.wire.usage import Modality

Part = dict[str, Any]

_AUDIO_FORMATS = {"mpeg": "mp3", "x-wav": "wav", "wave": "wav", "vnd.wave": "wav", "mp4": "m4a"}
_DETAIL = {"low": "low", "medium": "auto", "high": "high", "ultra_high": "high"}


class Blocks(msgspec.Struct, frozen=True):
    """Turns blocks into parts, for a model that takes these kinds of input."""

    inputs: frozenset[Modality]
    model: str

    def parts(self, blocks: Sequence[Block], place: str) -> list[Part]:
        """One part per block. Raises Refused, naming the place, for what the model cannot take."""
        return [self._part(block, place) for block in blocks]

    def _part(self, block: Block, place: str) -> Part:
        if isinstance(block, TextContent):
            return {"type": "text", "text": block.text}
        if isinstance(block, Function):
            return {"type": "text", "text": msgspec.json.encode(block).decode()}
        kind: Modality = type(block).__struct_config__.tag  # pyright: ignore
        if kind not in self.inputs:
            raise not_taken(kind, self.inputs, place, self.model)
        if isinstance(block, ImageContent):
            return _image(block, place)
        if isinstance(block, AudioContent):
            return _audio(block, place)
        if isinstance(block, VideoContent):
            return {"type": "video_url", "video_url": {"url": _url(block, "video/mp4", place)}}
        return _document(block, place)


def text_of(parts: Sequence[Part]) -> str:
    """The text of these parts, one line or more each."""
    return "\n".join(part["text"] for part in parts if part["type"] == "text")


def media_of(parts: Sequence[Part]) -> list[Part]:
    """The parts that are not text."""
    return [part for part in parts if part["type"] != "text"]


def folded(parts: list[Part]) -> str | list[Part]:
    """The content of a message: a bare text where there is nothing else, which any server takes."""
    return parts if media_of(parts) else text_of(parts)


def _image(block: ImageContent, place: str) -> Part:
    image = {"url": _url(block, image_type(block.data), place)}
    if block.resolution is not None:
        image["detail"] = _DETAIL[block.resolution]
    return {"type": "image_url", "image_url": image}


def _audio(block: AudioContent, place: str) -> Part:
    if block.data is None:
        raise Refused(
            f"{place} holds audio by uri, which this model's server does not take. Send it inline"
            " in 'data'."
        )
    subtype = (block.mime_type or "audio/wav").partition("/")[2].partition(";")[0].lower()
    form = _AUDIO_FORMATS.get(subtype, subtype)
    return {"type": "input_audio", "input_audio": {"data": block.data, "format": form}}


def _document(block: DocumentContent, place: str) -> Part:
    url = _url(block, "application/pdf", place)
    ending = (block.mime_type or "application/pdf").rpartition("/")[2].partition(";")[0]
    return {"type": "file", "file": {"filename": f"document.{ending}", "file_data": url}}


def _url(block: ImageContent | VideoContent | DocumentContent, mime: str, place: str) -> str:
    if block.data is not None:
        return f"data:{block.mime_type or mime};base64,{block.data}"
    uri = block.uri or ""
    if not uri.startswith(("https://", "http://", "data:")):
        raise Refused(
            f"{place} refers to '{uri[:200]}', which this model's server cannot fetch. Send the"
            " content inline in 'data', or by an https address."
        )
    return uri
