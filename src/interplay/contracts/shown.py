"""What a model is shown of a result whose wire type has no place for it.

Some result steps tell the caller how it went and no more: the words of a page or a passage have
no field. They travel in the step's `signature`, which callers give back unchanged, so that a
conversation goes on with them whoever keeps it. Backends read them with `read`.

Sources a model can cite by number travel there too: what a text of the model cites like `[3]` is
annotated with source 3 (interplay.contracts.tool.Numbers gives numbers out). Pages, passages and
other servers write `[3]` too and mean something of their own: a model that repeats it would seem to
cite. So the words of others are shown without such marks, by `unnumbered` or `line`.
"""

from __future__ import annotations

import binascii
import re
from base64 import b64decode, b64encode
from collections.abc import Mapping

import msgspec

from interplay.wire.content import (
    AudioContent,
    Content,
    DocumentContent,
    FileCitation,
    ImageContent,
    PlaceCitation,
    TextContent,
    URLCitation,
    VideoContent,
)

Source = URLCitation | FileCitation | PlaceCitation
"""An annotation without its place in a text."""


class Shown(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """What a signature of a result step holds."""

    shown: list[TextContent | ImageContent]
    sources: dict[int, Source] = {}
    """By the number under which the model was shown them."""


_MEDIA = {
    ImageContent: ("an image", "see"),
    AudioContent: ("a recording", "hear"),
    VideoContent: ("a video", "watch"),
    DocumentContent: ("a document", "read"),
}
_decoder = msgspec.json.Decoder(Shown)
_MARK = re.compile(r"\[(?!0\])(\s*\d[\d\s,;]*)\]")
_CODE = re.compile(r"(?s)(`{3,}|~{3,})(?:.*?)(?:\1|\Z)|`[^`\n]*`")
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')


def unnumbered(text: str) -> str:
    """Words of others as a model is shown them: nothing in them looks like a number of ours, `[3]`
    becomes `(3)`. Code in backticks stays as it is, and of JSON what is no string: neither is read
    as a citation, and both would come out wrong."""
    if "[" not in text:
        return text
    if text.lstrip()[:1] in ("{", "[") and _is_json(text):
        return _STRING.sub(lambda string: _MARK.sub(r"(\1)", string[0]), text)
    parts: list[str] = []
    end = 0
    for code in _CODE.finditer(text):
        parts += [_MARK.sub(r"(\1)", text[end : code.start()]), code[0]]
        end = code.end()
    return "".join([*parts, _MARK.sub(r"(\1)", text[end:])])


def line(text: str, longest: int) -> str:
    """Words of others as one line of at most `longest` characters, without control characters and
    without marks like ours."""
    told = " ".join("".join(c if c.isprintable() else " " for c in text[: longest * 4]).split())
    return _MARK.sub(r"(\1)", told)[:longest]


def address(url: str) -> str:
    """An address of others as a model is shown it: the same one, without marks like ours."""
    return _MARK.sub(r"%5B\1%5D", url)


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


def unseen(block: Content) -> TextContent:
    """What stands for an image, a recording, a video or a document before a model that does not
    take it: that it is there, with its type and its size or address."""
    if isinstance(block, TextContent):
        return block
    what, cannot = _MEDIA[type(block)]
    place = f"at {address(line(block.uri, 200))}" if block.uri else _size(block.data or "")
    mime = line(block.mime_type or "of unknown type", 80)
    return TextContent(f"[Here is {what} ({mime}, {place}) that you cannot {cannot}.]")


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


def _is_json(text: str) -> bool:
    try:
        msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return False
    return True


def _told(block: TextContent | ImageContent) -> TextContent | ImageContent:
    return block if isinstance(block, TextContent) else unseen(block)


def _size(data: str) -> str:
    size = len(data.rstrip("=")) * 3 // 4
    if size < 1_000:
        return "1 byte" if size == 1 else f"{size} bytes"
    return f"{size / 1_000:.0f} kB" if size < 1_000_000 else f"{size / 1_000_000:.1f} MB"
