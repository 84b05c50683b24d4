"""The engine for a folder of one's own: no key, no network."""

from interplay.plugins.engines.corpus.engine import Corpus, CorpusConfig

__all__ = ["Corpus", "CorpusConfig"]
