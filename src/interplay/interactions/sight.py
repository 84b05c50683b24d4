"""Media that a model does not take: said to be there, never left out."""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Set
from typing import Any

import msgspec

from interplay.contracts.shown import unseen
from interplay.interactions.media import RESULTS, SPOKEN, MediaContent
from interplay.wire.content import DocumentContent, TextContent
from interplay.wire.steps import (
    Step,
)


def seen(steps: list[Step], inputs: Set[str]) -> list[Step]:
    """The steps as a model that takes these kinds of content can be shown them: words stand for
    media of other kinds, with their type and size, and in results documents of plain text are read
    out. Steps that need no change are the same objects."""
    return [_told(step, inputs) for step in steps]


def _told(step: Any, inputs: Set[str]) -> Step:
    if isinstance(step, SPOKEN):
        for block in step.content or ():
            if block.__class__ is not TextContent:
                break
        else:
            return step  # as nearly all are
        field, held = "content", step.content or []
    elif isinstance(step, RESULTS) and isinstance(step.result, list):
        field, held = "result", step.result
    else:
        return step
    told = [_shown(block, inputs) for block in held]
    if all(new is old for new, old in zip(told, held, strict=True)):
        return step
    return msgspec.structs.replace(step, **{field: told})


def _shown(block: Any, inputs: Set[str]) -> Any:
    if not isinstance(block, MediaContent) or block.__struct_config__.tag in inputs:
        return block
    if isinstance(block, DocumentContent) and (text := _plain(block)) is not None:
        return TextContent(text)
    return unseen(block)


def _plain(document: DocumentContent) -> str | None:
    """The text of a document that is text; None for one that is not."""
    mime = (document.mime_type or "").partition(";")[0]
    if not document.data or not (mime.startswith("text/") or mime == "application/json"):
        return None
    try:
        return b64decode(document.data, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
