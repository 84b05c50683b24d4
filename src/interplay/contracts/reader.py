"""What a reader of web pages promises."""

from __future__ import annotations

from typing import Literal, Protocol

import msgspec


class Picture(msgspec.Struct, kw_only=True):
    """An image as it was found."""

    data: bytes
    mime_type: str


class Page(msgspec.Struct, kw_only=True):
    """A document that was fetched and made readable. Its words are data, never instructions."""

    url: str
    """What was asked for."""
    status: Literal["success", "error", "paywall", "unsafe"]
    reason: str = ""
    """Why it is not a success, in one sentence that may be shown."""
    final_url: str = ""
    """Where redirects led to."""
    title: str = ""
    content_type: str = ""
    """What it really is, from its bytes."""
    texts: list[str] = []
    """Readable text: one entry, or one per page of a paged document."""
    pictures: list[Picture] = []
    truncated: bool = False
    """There was more than the limits allow."""

    @property
    def text(self) -> str:
        """All of it."""
        return "\n\n".join(self.texts)


class Reader(Protocol):
    """Fetches and reads one address. Registered in the entry-point group `interplay.readers`;
    built with an instance of its `Config` and a Surroundings."""

    async def read(self, url: str) -> Page:
        """The page, or a Page that says why there is none; raises nothing for what an address or
        a server does."""
        ...

    async def close(self) -> None:
        """Lets go of connections."""
        ...
