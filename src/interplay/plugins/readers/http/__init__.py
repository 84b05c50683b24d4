"""The one fetcher of whatever address a caller or a model names: guarded, bounded, polite."""

from interplay.plugins.readers.http.reader import HttpReader

__all__ = ["HttpReader"]
