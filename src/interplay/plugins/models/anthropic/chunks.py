"""What a server of messages sends: the events of a stream."""

from __future__ import annotations

from typing import Any

import msgspec

Number = int | float


class OutputDetails(msgspec.Struct, gc=False):
    """What kinds of tokens came out."""

    thinking_tokens: Number | None = None


class Spent(msgspec.Struct):
    """Tokens as the server counts them: input without what was read from or written to a cache."""

    input_tokens: Number | None = None
    output_tokens: Number | None = None
    cache_read_input_tokens: Number | None = None
    cache_creation_input_tokens: Number | None = None
    output_tokens_details: OutputDetails | None = None


class Begun(msgspec.Struct):
    """The message as it stands at its beginning."""

    usage: Spent | None = None


class Delta(msgspec.Struct, gc=False):
    """What is added to a block, or said of the message at its end."""

    type: str = ""
    text: str | None = None
    thinking: str | None = None
    signature: str | None = None
    partial_json: str | None = None
    stop_reason: str | None = None
    stop_details: dict[str, Any] | None = None


class Event(msgspec.Struct):
    """One event of a stream; which fields it has depends on its type."""

    type: str
    index: int | None = None
    delta: Delta | None = None
    content_block: dict[str, Any] | None = None
    message: Begun | None = None
    usage: Spent | None = None
    error: Any = None
