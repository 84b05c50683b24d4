"""What an MCP server answers -> content of the timeline."""

from __future__ import annotations

import binascii
from base64 import b64decode
from typing import Any

import mcp_types as types
import msgspec

from interplay.wire.content import (
    AudioContent,
    Content,
    DocumentContent,
    ImageContent,
    TextContent,
    VideoContent,
)

_MEDIA: dict[str, type[ImageContent] | type[AudioContent] | type[VideoContent]] = {
    "image": ImageContent,
    "audio": AudioContent,
    "video": VideoContent,
}


def content_of(result: types.CallToolResult) -> list[Content]:
    """Every block of a result, and its structured content where no block says the same."""
    blocks = [_block(block) for block in result.content]
    structured = result.structured_content
    if structured is not None and not any(_says(block, structured) for block in blocks):
        blocks.append(TextContent(msgspec.json.encode(structured).decode()))
    return blocks


def text_of(result: types.CallToolResult) -> str:
    """The text of a result; media are named."""
    return "\n".join(
        block.text if isinstance(block, TextContent) else f"[{block.mime_type or 'media'}]"
        for block in content_of(result)
    )


def _says(block: Content, structured: Any) -> bool:
    if not isinstance(block, TextContent) or block.text[:1] not in '{["0123456789-tfn':
        return False
    try:
        return msgspec.json.decode(block.text) == structured
    except (msgspec.DecodeError, RecursionError):
        return False


def _block(block: types.ContentBlock) -> Content:
    if isinstance(block, types.TextContent):
        return TextContent(block.text)
    if isinstance(block, types.ImageContent | types.AudioContent):
        return _media(block.data, block.mime_type, f"an {block.type}")
    if isinstance(block, types.ResourceLink):
        about = f" - {block.description}" if block.description else ""
        return TextContent(f"[Resource {block.name}: {block.uri}{about}]")
    resource = block.resource
    if isinstance(resource, types.TextResourceContents):
        return TextContent(f"[Resource {resource.uri}]\n{resource.text}")
    return _media(resource.blob, resource.mime_type or "", f"the resource {resource.uri}")


def _media(data: str, mime: str, what: str) -> Content:
    """A medium, or a sentence in its place when it is none."""
    try:
        b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        return TextContent(f"[The server sent {what} that is not base64.]")
    mime = mime.partition(";")[0].strip().lower()
    kind = _MEDIA.get(mime.partition("/")[0])
    if kind is not None:
        return kind(data=data, mime_type=mime)
    if mime == "application/pdf" or mime.startswith("text/"):
        return DocumentContent(data=data, mime_type=mime)
    return TextContent(f"[The server sent {what} of type '{mime[:80]}', which cannot be shown.]")
