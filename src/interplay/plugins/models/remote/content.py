"""What backends read off content blocks the same way."""

from __future__ import annotations

from collections.abc import Sequence

from interplay.contracts.failure import Refused
from interplay.wire.content import Content, TextContent
from interplay.wire.tools import Function
from interplay.wire.usage import Modality

Block = Content | Function

_IMAGE_STARTS = {"/9j/": "image/jpeg", "iVBOR": "image/png", "R0lGO": "image/gif"}


def image_type(data: str | None) -> str:
    """The media type of an image in base64, by its first bytes."""
    start = (data or "")[:8]
    return next((mime for mark, mime in _IMAGE_STARTS.items() if start.startswith(mark)), _OTHER)


_OTHER = "image/webp"


def not_taken(kind: str, inputs: frozenset[Modality], place: str, model: str) -> Refused:
    """The refusal of content of a kind the model does not take."""
    taken = ", ".join(sorted(inputs))
    return Refused(
        f"{place} holds {kind} content, and the model '{model}' takes {taken} only."
        " Leave it out, use another model, or have the operator add it to facts.inputs"
        " of this model's entry in the settings."
    )


def plain(blocks: Sequence[Block] | None) -> str | None:
    """The text of content that is one block of text, as nearly all content is; else None."""
    if blocks is not None and len(blocks) == 1:
        block = blocks[0]
        if type(block) is TextContent:
            return block.text
    return None
