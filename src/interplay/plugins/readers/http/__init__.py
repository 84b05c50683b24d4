"""The one fetcher of whatever address a caller or a model names: guarded, bounded, polite."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from interplay.plugins.readers.http.reader import HttpReader

__all__ = ["HttpReader"]


def __getattr__(name: str) -> Any:
    """The reader, imported when it is wanted: processes that only parse import nothing of HTTP."""
    if name != "HttpReader":
        raise AttributeError(name)
    from interplay.plugins.readers.http.reader import HttpReader

    return HttpReader
