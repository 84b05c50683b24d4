"""What a chat-completions server sends: a chunk of a stream, or a whole completion."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import msgspec

Number = int | float


class CalledFunction(msgspec.Struct, gc=False):
    """The function of a call, or a part of it."""

    name: str | None = None
    arguments: str | dict[str, Any] | None = None


class CallPart(msgspec.Struct):
    """A part of a function call; whole completions have whole calls."""

    index: int | None = None
    id: str | None = None
    function: CalledFunction | None = None


class CacheDetails(msgspec.Struct, gc=False):
    """What kinds of tokens went in."""

    cached_tokens: Number | None = None
    text_tokens: Number | None = None
    audio_tokens: Number | None = None
    image_tokens: Number | None = None


class OutputDetails(msgspec.Struct, gc=False):
    """What kinds of tokens came out."""

    reasoning_tokens: Number | None = None
    text_tokens: Number | None = None
    audio_tokens: Number | None = None
    image_tokens: Number | None = None


class Spent(msgspec.Struct):
    """Tokens as the server counts them."""

    prompt_tokens: Number | None = None
    completion_tokens: Number | None = None
    total_tokens: Number | None = None
    prompt_tokens_details: CacheDetails | None = None
    completion_tokens_details: OutputDetails | None = None
    prompt_cache_hit_tokens: Number | None = None
    reasoning_tokens: Number | None = None


class Extras(msgspec.Struct):
    """Fields one server puts beside the chunk; only the usage and the error are read."""

    usage: Spent | None = None
    error: Any = None


class ImageURL(msgspec.Struct, gc=False):
    """Where a made image is: a data URL or an address."""

    url: str


class MadeImage(msgspec.Struct):
    """An image in an answer."""

    image_url: ImageURL


class Delta(msgspec.Struct):
    """What a chunk adds; a completion's message has the same fields."""

    content: str | list[dict[str, Any]] | None = None
    tool_calls: list[CallPart] | None = None
    function_call: CalledFunction | None = None
    refusal: str | None = None
    images: list[MadeImage] | None = None
    reasoning_details: list[dict[str, Any]] | None = None


class Choice(msgspec.Struct):
    """One answer among those asked for; only the first is asked for."""

    index: int | None = None
    delta: Delta | None = None
    message: Delta | None = None
    finish_reason: str | None = None
    error: Any = None


class Chunk(msgspec.Struct):
    """One event of a stream, or a whole completion."""

    choices: list[Choice] | None = None
    usage: Spent | None = None
    error: Any = None
    x_groq: Extras | None = None
    object: str | None = None
    message: Any = None


class Format(msgspec.Struct, frozen=True):
    """How chunks are decoded, and which attributes of a delta hold thoughts."""

    decoder: msgspec.json.Decoder[Chunk]
    thoughts: tuple[str, ...]


def chunk_format(reasoning_fields: Sequence[str]) -> Format:
    """The types of chunks whose deltas hold thoughts in these fields."""
    return _format(tuple(reasoning_fields))


@cache
def _format(fields: tuple[str, ...]) -> Format:
    thoughts = tuple(f"thought_{number}" for number in range(len(fields)))
    delta: Any = msgspec.defstruct(
        "Delta",
        [(name, str | None, None) for name in thoughts],
        bases=(Delta,),
        rename=dict(zip(thoughts, fields, strict=True)),
    )
    # A base's fields keep their place, so the new types stand in for Delta, Choice and Chunk.
    choice: Any = msgspec.defstruct(
        "Choice",
        [("delta", delta | None, None), ("message", delta | None, None)],
        bases=(Choice,),
    )
    chunk: Any = msgspec.defstruct(
        "Chunk", [("choices", list[choice] | None, None)], bases=(Chunk,)
    )
    return Format(msgspec.json.Decoder(chunk), thoughts)
