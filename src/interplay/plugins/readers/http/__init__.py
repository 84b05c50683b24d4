"""The one fetcher of whatever address a caller or a model names: guarded, bounded, polite."""
