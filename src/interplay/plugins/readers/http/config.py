"""What an operator may set: the fields of `[reader]`."""

from __future__ import annotations

from typing import Annotated

import msgspec

_Count = Annotated[int, msgspec.Meta(ge=1)]
_Seconds = Annotated[float, msgspec.Meta(gt=0)]


class Config(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """Limits of one read, and how hosts are treated."""

    user_agent: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z_-]+(/[!-~ ]*)?$")] = "Interplay"
    """Sent to every host; robots.txt is read for the part before the slash."""
    robots: bool = True
    """Whether robots.txt is obeyed."""
    seconds: _Seconds = 20.0
    """For all of one page's requests, waiting for their turns included."""
    redirects: Annotated[int, msgspec.Meta(ge=0)] = 5
    """Followed at most; each is checked like the first address."""
    max_bytes: _Count = 16 * 1024 * 1024
    """Of one document, unpacked. A longer text is cut; a longer PDF or image is refused."""
    per_host: _Count = 2
    """Requests to one host at a time."""
    host_gap: Annotated[float, msgspec.Meta(ge=0)] = 0.2
    """Seconds between the starts of two requests to one host."""
    documents: _Count = 20
    """Fetched or parsed at a time; each may hold `max_bytes` in memory."""
    parsers: _Count = 2
    """Processes that make documents readable, at a time."""
    parse_seconds: _Seconds = 15.0
    """For one document; a PDF is cut there, anything else is given up."""
    parse_memory: _Count = 1024 * 1024 * 1024
    """Bytes of address space of one such process."""
    pages: _Count = 500
    """Of a PDF; it is cut there."""
    characters: _Count = 400_000
    """Of one document's text; it is cut there."""
    picture_bytes: _Count = 5 * 1024 * 1024
    """Of one image; a larger one is refused."""
    cache_seconds: Annotated[float, msgspec.Meta(ge=0)] = 300.0
    """How long a page that was read is given again; 0 for never."""
    cache_bytes: Annotated[int, msgspec.Meta(ge=0)] = 32 * 1024 * 1024
    """Of all such pages together."""
