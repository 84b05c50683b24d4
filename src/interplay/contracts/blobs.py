"""Where media lies: content-addressed bytes beside the store."""

from __future__ import annotations

from typing import Protocol


class Blobs(Protocol):
    """Bytes by the SHA-256 of their content; putting the same bytes twice keeps one copy."""

    async def put(self, data: bytes) -> str:
        """Stores bytes durably and answers their SHA-256 in hex. Raises
        interplay.contracts.store.StoreFull; nothing is left behind then."""
        ...

    async def get(self, sha256: str) -> bytes:
        """The bytes; raises KeyError when they are not there."""
        ...

    async def remove(self, sha256: str, *, idle: float = 0.0) -> None:
        """Removes the bytes, unless they were put within the last `idle` seconds; silent when
        they are not there."""
        ...

    async def names(self, *, idle: float = 0.0) -> list[str]:
        """Every SHA-256 there is, for the sweeper; with `idle`, without those that were put
        within the last `idle` seconds, whose row may not be written yet."""
        ...
